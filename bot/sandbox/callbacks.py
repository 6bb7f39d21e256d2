"""Presses of inline buttons that wait for the bot's answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.chats import Chat, Person

#: How long a press may wait for its answer, in seconds.
LIFETIME_S = 150


@dataclass(frozen=True)
class Press:
    chat_id: int
    user_id: int
    pressed_at: float


class Callbacks:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[str, Press] = {}

    def open(self, person: Person, chat: Chat, message: Json, data: str) -> Json:
        """Return the callback_query that the bot gets for a press."""
        query_id = str(10**18 + secrets.randbelow(10**18))
        self._open[query_id] = Press(chat.id, person.id, self._now())
        return {
            "id": query_id,
            "from": person.as_json(),
            "message": message,
            "chat_instance": str(abs(chat.id) * 7919),
            "data": data,
        }

    def answer(self, query_id: str) -> Press:
        """Mark a press as answered. Raises ApiError if it is unknown, already answered, or too old."""
        press = self._open.pop(query_id, None)
        if press is None or press.pressed_at + LIFETIME_S < self._now():
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        return press
