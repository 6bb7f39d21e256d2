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
class _Pace:
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
        self._paces: BoundedDict[tuple[int, int], _Pace] = BoundedDict(_REMEMBERED)

    def check(
        self, chat_id: int, user_id: int, update_id: int, at: datetime, album_id: str | None = None
    ) -> Verdict:
        """Decide what to do with an update. `at` is when the person sent it, if that is known: messages that
        waited during an outage are no flood. An album counts once.

        The same update again gets the same verdict: a chat's updates are handled in order, so it is the last.
        """
        pace = self._pace(chat_id, user_id)
        if update_id != pace.update_id:
            pace.verdict = self._decide(pace, at, album_id)
            pace.update_id, pace.album_id = update_id, album_id
        return pace.verdict

    def _pace(self, chat_id: int, user_id: int) -> _Pace:
        pace = self._paces.get((chat_id, user_id)) or _Pace(deque(maxlen=self._most))
        self._paces[chat_id, user_id] = pace
        return pace

    def _decide(self, pace: _Pace, at: datetime, album_id: str | None) -> Verdict:
        if album_id is not None and album_id == pace.album_id:
            return "take" if pace.verdict == "take" else "drop"
        is_flood = len(pace.at) == self._most and at - pace.at[0] < WITHIN
        pace.at.append(at)
        if not is_flood:
            return "take"
        if pace.told_at is not None and at - pace.told_at < _TOLD_FOR:
            return "drop"
        pace.told_at = at
        return "tell"
