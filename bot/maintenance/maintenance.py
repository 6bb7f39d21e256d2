"""Maintenance: everything that runs beside the worker and the chat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from bot.admin.live_settings import LiveSettings
from bot.errors import StoreError
from bot.maintenance.alert_monitor import AlertMonitor, Storage
from bot.maintenance.alerts import AlertChat, Alerts
from bot.maintenance.backup import Backup, BackupFolder, ReportBackup
from bot.maintenance.cleanup import Cleanup
from bot.maintenance.daily_report import DailyReport
from bot.maintenance.heartbeat import Heartbeat
from bot.media.video_cache import VideoCache
from bot.request import VideoModel
from bot.settings import Settings, proxy_for_heartbeat
from bot.store import Attempt, MaintenanceStore, ProviderStore, Store
from bot.task import Task
from bot.worker.provider_health import ProviderHealth
from bot.worker.schedule import Schedule, is_link_young

_CLEANUP_FIRST_S = 60.0
"""After a start there is more important work."""
_CLEANUP_EVERY_S = 600.0
_ALERTS_EVERY_S = 15.0
_DURATIONS_EVERY_S = 60.0
_SETTINGS_EVERY_S = 20.0
_HEARTBEAT_EVERY_S = 20.0


class Maintenance:
    """`task_saved` and `telegram_answered` may be called from the first moment on, `run` once."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        health: ProviderHealth,
        models: Mapping[str, VideoModel],
        schedule: Schedule,
        video_cache: VideoCache,
        live_settings: LiveSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._health = health
        self._schedule = schedule
        self._video_cache = video_cache
        self._live_settings = live_settings
        self._clock = clock
        self._heartbeat_proxy = proxy_for_heartbeat(settings)
        self.metrics = None
        if settings.private_port is not None:
            # Without a private port nobody reads them: that saves 13 ms and 0.5 MB.
            from bot.maintenance.metrics import Metrics  # noqa: PLC0415

            self.metrics = Metrics(settings, store, health, models, clock)

    def task_saved(self, task: Task, attempt: Attempt | None) -> None:
        """Count a saved task, and the call that led to it: for `TaskJournal`."""
        if attempt is not None:
            self._health.record(attempt, is_link_young=is_link_young(task, attempt.at))
        if self.metrics is not None:
            self.metrics.task_saved(task, attempt)

    def telegram_answered(self, status: int) -> None:
        """Count an answer of Telegram."""
        if self.metrics is not None:
            self.metrics.telegram_answered(status)

    async def run(
        self,
        away: timedelta,
        operators: AlertChat | None,
        is_ready: Callable[[], Awaitable[bool]],
        *,
        storage: Storage | None = None,
    ) -> None:
        """Run until cancelled. `away`: how long the bot was not running; `operators` are told of alerts.
        `storage`: the storage chat, if there is one."""
        parts = [
            self._read_settings(),
            read_durations(self._store.providers, self._schedule),
            record_heartbeat(self._store.maintenance, self._clock),
        ]
        report_backup: ReportBackup = _report_to_nobody
        if operators is not None:
            alerts = Alerts(self._store.maintenance, operators, self._clock)
            monitor = AlertMonitor(
                self._store,
                alerts=alerts,
                chat=operators,
                health=self._health,
                data_dir=self._settings.data_dir,
                storage=storage,
                clock=self._clock,
            )
            report_backup = monitor.report_backup
            report = DailyReport(self._store, alerts, self._settings.zone, self._clock)
            parts.append(self._watch(monitor, report, away))
        parts.append(self._clean_up(report_backup))
        if self._settings.heartbeat_url is not None:
            url, proxy = self._settings.heartbeat_url, self._heartbeat_proxy
            parts.append(Heartbeat(url, is_ready, proxy).run())
        await asyncio.gather(*parts)

    async def _watch(self, monitor: AlertMonitor, report: DailyReport, away: timedelta) -> None:
        await monitor.report_restart(away)
        while True:
            await monitor.check()
            await report.send_if_due()
            await asyncio.sleep(_ALERTS_EVERY_S)

    async def _clean_up(self, report_backup: ReportBackup) -> None:
        cleanup = Cleanup(self._store, self._settings.keep_days, self._video_cache.discard, self._clock)
        folder = BackupFolder.from_settings(self._settings)
        backup = Backup(self._store, folder, report_backup, self._clock) if folder else None
        await asyncio.sleep(_CLEANUP_FIRST_S)
        while True:
            await cleanup.run_if_due()
            if backup is not None:
                await backup.run_if_due()
            await asyncio.sleep(_CLEANUP_EVERY_S)

    async def _read_settings(self) -> None:
        """Read what admins have changed through another process, until cancelled."""
        while True:
            await asyncio.sleep(_SETTINGS_EVERY_S)
            with suppress(StoreError):
                await self._live_settings.read()


async def read_durations(
    store: ProviderStore, schedule: Schedule, every_s: float = _DURATIONS_EVERY_S
) -> None:
    """Read what other processes have learned about durations, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        with suppress(StoreError):
            schedule.remember(await store.durations())


async def record_heartbeat(
    store: MaintenanceStore, clock: Callable[[], datetime], every_s: float = _HEARTBEAT_EVERY_S
) -> None:
    """Record that the bot is running, until cancelled: the next start reads how long it was not."""
    try:
        while True:
            with suppress(StoreError):
                await store.record_heartbeat(clock())
            await asyncio.sleep(every_s)
    finally:
        with suppress(StoreError):
            await store.record_heartbeat(clock())


async def _report_to_nobody(_: str | None) -> None:
    """Report to nobody: the log has it."""
