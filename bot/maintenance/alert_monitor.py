"""The night watch: what the operator's chat is told while nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.maintenance.alerts import AlertChat, Alerts
from bot.maintenance.disk_space import size_and_room
from bot.maintenance.outages import Outages
from bot.store import Store
from bot.store.statistics import NO_MONEY
from bot.task import TaskState

_EVERY_S = 15.0
_NOTICED = timedelta(minutes=1)
"""A shorter absence is not worth a message."""
_LINE_HOUR = 8
"""In TIMEZONE: yesterday's figures, when people look at their phones."""
_FREE_BYTES = 1_000_000_000
_FREE_PART = 0.1
"""Little room is less than both, and enough again half as much more."""
_MOST_PEOPLE = 1_000_000


class AlertMonitor:
    """`run` watches until cancelled. Nothing here raises: whatever fails is tried again."""

    def __init__(
        self,
        store: Store,
        *,
        alerts: Alerts,
        chat: AlertChat,
        outages: Outages,
        data_dir: Path,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        disk: Callable[[Path], tuple[int, int]] = size_and_room,
    ) -> None:
        self._store = store
        self._alerts = alerts
        self._chat = chat
        self._outages = outages
        self._data_dir = data_dir
        self._zone = zone
        self._clock = clock
        self._disk = disk
        self._told_of_database = False
        self._log = get_log(__name__)

    async def run(self, away: timedelta, every_s: float = _EVERY_S) -> None:
        """`away`: how long nobody was there before this start."""
        await self.report_restart(away)
        while True:
            await self.check()
            await asyncio.sleep(every_s)

    async def report_restart(self, away: timedelta) -> None:
        if away < _NOTICED:
            return
        try:
            resumed = await self._store.tasks.count_open()
        except StoreError as error:
            self._log.log(level_of(error), "the return was not reported", reason=str(error))
            return
        await self._chat.send("alert_back", {"away": away, "count": resumed}, silent=True)

    async def check(self) -> None:
        await self._watch_database()
        await self._watch_providers()
        await self._watch_disk()
        await self._tell_yesterday()

    async def tell_backup(self, reason: str | None) -> None:
        """As `bot.maintenance.cleanup.Keeping` wants it."""
        if reason is None:
            await self._alerts.end("backup", "alert_backup_over", {})
        else:
            await self._alerts.begin("backup", "alert_backup", {})

    async def _watch_providers(self) -> None:
        now = self._clock()
        for provider, since in self._outages.down().items():
            minutes = max(round((now - since).total_seconds() / 60), 1)
            values = {"provider": provider, "minutes": minutes}
            await self._alerts.begin(f"down {provider}", "alert_down", values, since=since, pause=provider)
        for provider in self._outages.answering():
            await self._alerts.end(f"down {provider}", "alert_down_over", {"provider": provider})

    async def _watch_database(self) -> None:
        """Told without a mark: it would have to be written into this very database."""
        refuses = bool(self._store.maintenance.write_outage())
        if refuses != self._told_of_database:
            key = "alert_database" if refuses else "alert_database_over"
            if await self._chat.send(key, {}):
                self._told_of_database = refuses

    async def _watch_disk(self) -> None:
        size, free = self._disk(self._data_dir)
        little = min(_FREE_BYTES, _FREE_PART * size)
        values = {"free": f"{free / 1e9:.1f}"}
        if free < little:
            await self._alerts.begin("disk", "alert_disk", values)
        elif free > 1.5 * little:
            await self._alerts.end("disk", "alert_disk_over", values)

    async def _tell_yesterday(self) -> None:
        midnight = _midnight(self._clock() - timedelta(hours=_LINE_HOUR), self._zone)
        yesterday = _midnight(midnight - timedelta(hours=12), self._zone)
        what = f"day {yesterday.date().isoformat()}"
        if self._alerts.is_noted(what):
            return
        try:
            values = await self._figures(yesterday, midnight)
        except StoreError as error:
            self._log.log(level_of(error), "the daily report was not sent", reason=str(error))
            return
        await self._alerts.note(what, "alert_day", {"day": yesterday.date().isoformat(), **values})

    async def _figures(self, since: datetime, until: datetime) -> Mapping[str, object]:
        tallies = await self._store.statistics.task_counts([since, until])
        people = await self._store.statistics.user_usage(since, until, _MOST_PEOPLE)
        return {
            "videos": sum(one.count for one in tallies if one.state is TaskState.SUCCEEDED),
            "failed": sum(one.count for one in tallies if one.state is TaskState.FAILED),
            "people": len(people),
            "spent": sum((one.spent for one in tallies), NO_MONEY),
        }


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The last one before it, there."""
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
