"""The chores: all that runs beside the worker and the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from bot.admin.live_settings import LiveSettings
from bot.errors import StoreError
from bot.maintenance.alert_monitor import AlertMonitor
from bot.maintenance.alerts import AlertChat, Alerts
from bot.maintenance.cleanup import Backups, Keeping
from bot.maintenance.heartbeat import Heartbeat
from bot.maintenance.metrics import Metrics
from bot.maintenance.outages import Outages
from bot.media.video_cache import VideoCache
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Attempt, MaintenanceStore, ProviderStore, Store
from bot.task import Task
from bot.worker.schedule import Schedule

_DURATIONS_EVERY_S = 60.0
_RULES_EVERY_S = 20.0
_BEAT_EVERY_S = 20.0


class Maintenance:
    """`saw` and `telegram_answered` may be called from the first moment on, `run` once."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        models: Mapping[str, VideoModel],
        slots: Mapping[str, int],
        at_once: Callable[[str], Awaitable[int | None]],
        schedule: Schedule,
        video_cache: VideoCache,
        rules: LiveSettings,
        is_ready: Callable[[], Awaitable[bool]],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._schedule = schedule
        self._video_cache = video_cache
        self._rules = rules
        self._is_ready = is_ready
        self._clock = clock
        self._outages = Outages()
        self.metrics = None
        """None where no private port would show them."""
        if settings.private_port is not None:
            self.metrics = Metrics(
                store,
                models=models,
                slots=slots,
                at_once=at_once,
                outages=self._outages,
                zone=settings.zone,
                data_dir=settings.data_dir,
                backups=settings.backups,
                clock=clock,
            )

    def saw(self, task: Task, attempt: Attempt | None) -> None:
        """As `bot.worker.journal.Ledger` tells it."""
        if attempt is not None:
            self._outages.saw(attempt)
        if self.metrics is not None:
            self.metrics.saw(task, attempt)

    def telegram_answered(self, status: int) -> None:
        if self.metrics is not None:
            self.metrics.telegram_answered(status)

    async def run(self, away: timedelta, operators: AlertChat | None) -> None:
        """Until cancelled. `away`: how long nobody was there before; `operators`: who hears of the night."""
        watch = self._night_watch(operators) if operators is not None else None
        parts = [
            self._keeping(watch).run(),
            read_durations(self._store.providers, self._schedule),
            read_rules(self._rules),
            show_life(self._store.maintenance, self._clock),
        ]
        if watch is not None:
            parts.append(watch.run(away))
        if self._settings.heartbeat_url is not None:
            parts.append(Heartbeat(self._settings.heartbeat_url, self._is_ready).run())
        await asyncio.gather(*parts)

    def _night_watch(self, operators: AlertChat) -> AlertMonitor:
        return AlertMonitor(
            self._store,
            alerts=Alerts(self._store.maintenance, operators, self._clock),
            chat=operators,
            outages=self._outages,
            data_dir=self._settings.data_dir,
            zone=self._settings.zone,
            clock=self._clock,
        )

    def _keeping(self, watch: AlertMonitor | None) -> Keeping:
        folder, hour = self._settings.backups, self._settings.backup_hour
        return Keeping(
            self._store,
            keep_days=self._settings.keep_days,
            backups=None if folder is None or hour is None else Backups(folder, hour, self._settings.zone),
            discard=self._video_cache.discard,
            tell_backup=_tell_nobody if watch is None else watch.tell_backup,
            clock=self._clock,
        )


async def read_durations(
    store: ProviderStore, schedule: Schedule, every_s: float = _DURATIONS_EVERY_S
) -> None:
    """Take over what other processes have learned, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        with suppress(StoreError):
            schedule.remember(await store.durations())


async def read_rules(rules: LiveSettings, every_s: float = _RULES_EVERY_S) -> None:
    """Take over what admins have changed through another process, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        with suppress(StoreError):
            await rules.read()


async def show_life(
    store: MaintenanceStore, clock: Callable[[], datetime], every_s: float = _BEAT_EVERY_S
) -> None:
    """So that the next start knows how long nobody was there, until cancelled."""
    try:
        while True:
            with suppress(StoreError):
                await store.record_heartbeat(clock())
            await asyncio.sleep(every_s)
    finally:
        with suppress(StoreError):
            await store.record_heartbeat(clock())


async def _tell_nobody(_: str | None) -> None:
    """The log has it."""
