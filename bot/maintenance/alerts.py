"""Alerts: what went wrong is told once when it begins and once when it is over, by one process of many.

A mark in the store says what has been told. It is set before the chat is told, so nothing is told twice;
where the chat cannot be told it is taken back, so that the next turn tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.store import MaintenanceStore


class AlertChat(Protocol):
    async def send(
        self, key: str, values: Mapping[str, object], *, pause: str | None = None, silent: bool = False
    ) -> bool:
        """Write a phrase to the operator's chat; whether it was written. Never raises.

        `pause`: a button that pauses this provider, or this model.
        """


class Alerts:
    def __init__(self, marks: MaintenanceStore, chat: AlertChat, clock: Callable[[], datetime]) -> None:
        self._marks = marks
        self._chat = chat
        self._clock = clock
        self._known: dict[str, bool] = {}
        """What this process knows of a mark: no turn asks the store again."""
        self._log = get_log(__name__)

    async def begin(
        self,
        what: str,
        key: str,
        values: Mapping[str, object],
        *,
        since: datetime | None = None,
        pause: str | None = None,
    ) -> None:
        """Something is wrong, `since` then or now; told unless it has been. Never raises."""
        if self._known.get(what) is not True:
            self._known[what] = await self._once(what, key, values, since=since, pause=pause)

    async def end(self, what: str, key: str, values: Mapping[str, object]) -> None:
        """It is well; told where the opposite was told. `minutes` is added to the values. Never raises."""
        if self._known.get(what) is False:
            return
        try:
            since = await self._marks.clear_flag(what)
        except StoreError as error:
            self._log.log(level_of(error), "an alert could not be ended", what=what, reason=str(error))
            return
        self._known[what] = False
        if since is not None:
            minutes = max(round((self._clock() - since).total_seconds() / 60), 1)
            await self._chat.send(key, {**values, "minutes": minutes})

    async def note(self, what: str, key: str, values: Mapping[str, object]) -> None:
        """A line for the record, told silently unless it has been. Never raises."""
        if not self.is_noted(what):
            self._known[what] = await self._once(what, key, values, silent=True)

    def is_noted(self, what: str) -> bool:
        """As far as this process knows."""
        return self._known.get(what, False)

    async def _once(
        self,
        what: str,
        key: str,
        values: Mapping[str, object],
        *,
        since: datetime | None = None,
        pause: str | None = None,
        silent: bool = False,
    ) -> bool:
        """Whether it has been told by now, by whomever."""
        try:
            if not await self._marks.set_flag(what, since or self._clock()):
                return True
            if await self._chat.send(key, values, pause=pause, silent=silent):
                return True
            await self._marks.clear_flag(what)
        except StoreError as error:
            self._log.log(level_of(error), "an alert was not sent", what=what, reason=str(error))
        return False
