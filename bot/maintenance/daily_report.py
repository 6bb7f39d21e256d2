"""The daily report: yesterday's figures, written silently to the operators' chat each morning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.errors import StoreError
from bot.local_time import day_of
from bot.log import get_log, level_of
from bot.maintenance.alerts import Alerts
from bot.store import Store
from bot.store.statistics import NO_MONEY
from bot.task import TaskState

_HOUR = 8
"""In TIMEZONE."""
_MOST_PEOPLE = 1_000_000


class DailyReport:
    def __init__(self, store: Store, alerts: Alerts, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._alerts = alerts
        self._zone = zone
        self._clock = clock
        self._log = get_log(__name__)

    async def send_if_due(self) -> None:
        """Send the report, once a day. Never raises."""
        midnight = day_of(self._clock() - timedelta(hours=_HOUR), self._zone)
        yesterday = day_of(midnight - timedelta(hours=12), self._zone)
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
