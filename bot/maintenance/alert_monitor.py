"""The alert monitor: watch providers, disk and backups, and tell the operators' chat what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.maintenance.alerts import AlertChat, Alerts
from bot.maintenance.disk_space import size_and_free
from bot.store import Store
from bot.worker.provider_health import ProviderHealth

_NOTICED = timedelta(minutes=1)
"""A shorter absence is not worth a message."""
_FREE_BYTES = 1_000_000_000
_FREE_SHARE = 0.1
"""The disk is full with less than both; the alert ends at half as much more."""


class Storage(Protocol):
    @property
    def fails(self) -> bool | None:
        """Return whether no video could be put there when this process last tried; None if it has not."""


class AlertMonitor:
    """Nothing here raises: a check that fails is repeated with the next one."""

    def __init__(
        self,
        store: Store,
        *,
        alerts: Alerts,
        chat: AlertChat,
        health: ProviderHealth,
        data_dir: Path,
        clock: Callable[[], datetime],
        storage: Storage | None = None,
        disk: Callable[[Path], tuple[int, int]] = size_and_free,
    ) -> None:
        self._store = store
        self._alerts = alerts
        self._chat = chat
        self._health = health
        self._data_dir = data_dir
        self._clock = clock
        self._storage = storage
        self._disk = disk
        self._told_of_database = False
        self._log = get_log(__name__)

    async def report_restart(self, away: timedelta) -> None:
        """Say that the bot is back after `away`, and how many tasks it goes on with."""
        if away < _NOTICED:
            return
        try:
            resumed = await self._store.tasks.count_open()
        except StoreError as error:
            self._log.log(level_of(error), "the return was not reported", reason=str(error))
            return
        await self._chat.send("alert_back", {"away": away, "count": resumed}, silent=True)

    async def report_backup(self, reason: str | None) -> None:
        """Begin the alert of a backup that failed for `reason`; end it if that is None."""
        if reason is None:
            await self._alerts.end("backup", "alert_backup_over", {})
        else:
            await self._alerts.begin("backup", "alert_backup", {})

    async def check(self) -> None:
        """Begin and end the alerts of the database, of providers, of the disk and of the storage chat."""
        await self._check_database()
        await self._check_providers()
        await self._check_disk()
        await self._check_storage()

    async def _check_providers(self) -> None:
        health = self._health
        await self._tell_outages("down", "alert_down", health.down(), health.answering())
        await self._tell_outages("fetches", "alert_fetches", health.fetches_down(), health.fetching())

    async def _tell_outages(
        self, what: str, key: str, down: Mapping[str, datetime], well: Collection[str]
    ) -> None:
        now = self._clock()
        for provider, since in down.items():
            minutes = max(round((now - since).total_seconds() / 60), 1)
            values = {"provider": provider, "minutes": minutes}
            await self._alerts.begin(f"{what} {provider}", key, values, since=since, pause=provider)
        for provider in well:
            await self._alerts.end(f"{what} {provider}", f"{key}_over", {"provider": provider})

    async def _check_database(self) -> None:
        """Tell it without a flag, which would have to be written into this very database."""
        refuses = bool(self._store.maintenance.write_outage())
        if refuses != self._told_of_database:
            key = "alert_database" if refuses else "alert_database_over"
            if await self._chat.send(key, {}):
                self._told_of_database = refuses

    async def _check_storage(self) -> None:
        fails = None if self._storage is None else self._storage.fails
        if fails:
            await self._alerts.begin("storage", "alert_storage", {})
        elif fails is not None:
            await self._alerts.end("storage", "alert_storage_over", {})

    async def _check_disk(self) -> None:
        size, free = self._disk(self._data_dir)
        least = min(_FREE_BYTES, _FREE_SHARE * size)
        values = {"free": f"{free / 1e9:.1f}"}
        if free < least:
            await self._alerts.begin("disk", "alert_disk", values)
        elif free > 1.5 * least:
            await self._alerts.end("disk", "alert_disk_over", values)
