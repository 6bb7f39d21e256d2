"""Flood control: limits how much one person does in a chat in a short time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.bounded_dict import BoundedDict

MESSAGES = 10
PRESSES = 20
WITHIN = timedelta(seconds=10)
"""Telegram asks bots for no more than one message a second in a chat, and each message gets an answer. A
quick hand on the options of a draft needs more presses, and edits are counted less strictly.
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""
_TOLD_FOR = timedelta(minutes=1)
_REMEMBERED = 1000

Verdict = Literal["take", "tell", "drop"]
"""`tell`: leave it out, and say so. `drop`: leave it out; that was said a moment ago."""


@dataclass(slots=True)
class _Recent:
    """The latest messages of one person in one chat."""

    at: deque[datetime]
    """When the last ones were sent."""
    told_at: datetime | None = None
    update_id: int | None = None
    album_id: str | None = None
    verdict: Verdict = "take"


class FloodControl:
    """At most so many within ten seconds. What is left out counts too: a person who never pauses gets no
    answer.

    Nothing here is kept: a restart forgives.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_sender: BoundedDict[tuple[int, int], _Recent] = BoundedDict(_REMEMBERED)

    def check(
        self, chat_id: int, user_id: int, update_id: int, at: datetime, album_id: str | None = None
    ) -> Verdict:
        """Decide what to do with an update. `at` is when the person sent it, if that is known: messages that
        waited during an outage are no flood. An album counts once.

        The same update again gets the same verdict: a chat's updates are handled in order, so it is the last.
        """
        recent = self._recent(chat_id, user_id)
        if update_id != recent.update_id:
            recent.verdict = self._decide(recent, at, album_id)
            recent.update_id, recent.album_id = update_id, album_id
        return recent.verdict

    def _recent(self, chat_id: int, user_id: int) -> _Recent:
        recent = self._by_sender.get((chat_id, user_id)) or _Recent(deque(maxlen=self._most))
        self._by_sender[chat_id, user_id] = recent
        return recent

    def _decide(self, recent: _Recent, at: datetime, album_id: str | None) -> Verdict:
        if album_id is not None and album_id == recent.album_id:
            return "take" if recent.verdict == "take" else "drop"
        is_flood = len(recent.at) == self._most and at - recent.at[0] < WITHIN
        recent.at.append(at)
        if not is_flood:
            return "take"
        if recent.told_at is not None and at - recent.told_at < _TOLD_FOR:
            return "drop"
        recent.told_at = at
        return "tell"
