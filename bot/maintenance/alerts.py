"""Alerts: tell the operators' chat once when something goes wrong and once when it is over.

A flag in the store, which all processes share, says what has been told. It is set before the chat is told, so
nothing is told twice; if the chat cannot be told the flag is cleared, and the next check tries again.
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
        """Write a phrase to the operators' chat; return False if that failed. Never raises.

        `pause`: the provider or model that a button of the message pauses.
        """


class Alerts:
    def __init__(self, flags: MaintenanceStore, chat: AlertChat, clock: Callable[[], datetime]) -> None:
        self._flags = flags
        self._chat = chat
        self._clock = clock
        self._known: dict[str, bool] = {}
        """Which flags are set, as far as this process knows: no check asks the store again."""
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
        """Tell that something is wrong, `since` then or now, unless that has been told. Never raises."""
        if self._known.get(what) is not True:
            self._known[what] = await self._tell_once(what, key, values, since=since, pause=pause)

    async def end(self, what: str, key: str, values: Mapping[str, object]) -> None:
        """Tell that it is over, if its begin was told; `minutes` is added to the values. Never raises."""
        if self._known.get(what) is False:
            return
        try:
            since = await self._flags.clear_flag(what)
        except StoreError as error:
            self._log.log(level_of(error), "an alert could not be ended", what=what, reason=str(error))
            return
        self._known[what] = False
        if since is not None:
            minutes = max(round((self._clock() - since).total_seconds() / 60), 1)
            await self._chat.send(key, {**values, "minutes": minutes})

    async def note(self, what: str, key: str, values: Mapping[str, object]) -> None:
        """Write a silent message, unless it has been written. Never raises."""
        if not self.is_noted(what):
            self._known[what] = await self._tell_once(what, key, values, silent=True)

    def is_noted(self, what: str) -> bool:
        """Return True if it has been written, as far as this process knows."""
        return self._known.get(what, False)

    async def _tell_once(
        self,
        what: str,
        key: str,
        values: Mapping[str, object],
        *,
        since: datetime | None = None,
        pause: str | None = None,
        silent: bool = False,
    ) -> bool:
        """Tell it if no process has; return True if it has been told by now."""
        try:
            if not await self._flags.set_flag(what, since or self._clock()):
                return True
            if await self._chat.send(key, values, pause=pause, silent=silent):
                return True
            await self._flags.clear_flag(what)
        except StoreError as error:
            self._log.log(level_of(error), "an alert was not sent", what=what, reason=str(error))
        return False
