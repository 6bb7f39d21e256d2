"""Inline queries of people: those that wait for the bot's answer, and the answers from which they choose."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.chats import Chat, Person

#: How long a query may wait for its answer, in seconds. Telegram's documentation does not say it.
LIFETIME_S = 30


@dataclass(frozen=True)
class InlineAnswer:
    """What the bot offers: results, and the messages that they become, by the id of the result."""

    results: list[Json]
    contents: dict[str, Json]
    next_offset: str = ""
    button: Json | None = None


@dataclass(frozen=True)
class InlineQuery:
    id: str
    person: Person
    query: str
    offset: str
    asked_at: float
    answered: asyncio.Future[InlineAnswer] = field(compare=False)


class InlineQueries:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._queries: dict[str, InlineQuery] = {}
        self._cache: dict[tuple[int | None, str, str], tuple[float, InlineAnswer]] = {}

    def open(self, person: Person, query: str, offset: str) -> InlineQuery:
        """Return a new query; it is already answered if Telegram has kept an answer to the same words."""
        answered = asyncio.get_running_loop().create_future()
        asked = InlineQuery(
            str(10**18 + secrets.randbelow(10**18)), person, query, offset, self._now(), answered
        )
        self._queries[asked.id] = asked
        for whose in (person.id, None):
            kept_until, answer = self._cache.get((whose, query, offset), (0.0, None))
            if answer is not None and kept_until > self._now():
                answered.set_result(answer)
                break
        return asked

    def answer(self, query_id: str, answer: InlineAnswer, *, cache_s: float, is_personal: bool) -> None:
        """Answer a query. Raises ApiError if it is unknown, already answered, or too old."""
        asked = self._queries.get(query_id)
        if asked is None or asked.answered.done() or asked.asked_at + LIFETIME_S < self._now():
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        whose = asked.person.id if is_personal else None
        self._cache[whose, asked.query, asked.offset] = (self._now() + cache_s, answer)
        asked.answered.set_result(answer)

    def content(self, query_id: str, result_id: str) -> Json:
        """Return the message that a result becomes. Raises KeyError if it was not offered."""
        return self._queries[query_id].answered.result().contents[result_id]

    def of(self, query_id: str) -> InlineQuery:
        return self._queries[query_id]


def update_of(asked: InlineQuery, chat: Chat) -> Json:
    """Return the inline_query that the bot gets. It is not told which chat it is, only of what type."""
    return {
        "id": asked.id,
        "from": asked.person.as_json(),
        "query": asked.query,
        "offset": asked.offset,
        "chat_type": "sender" if chat.type == "private" else chat.type,
    }
