"""Metrics for Prometheus. Labels are failure codes, models and providers; never an id or a name.

Counters and histograms are those of this process, to be added up over all processes. Gauges whose help says
"from the database" are the same in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import prometheus_client as prometheus
from prometheus_client import Counter, Gauge, Histogram

from bot.codes import FETCHABLE, FailureCode
from bot.local_time import day_of
from bot.maintenance.disk_space import size_and_free
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Attempt, Store
from bot.store.leases import POLLING_LEASE
from bot.task import Task, TaskState
from bot.worker.provider_health import ProviderHealth

_WAITS_S = (5, 15, 30, 60, 120, 180, 300, 600, 1200, 3600, 14400)
_CALLS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DELIVERIES_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600)
_CALL = ("provider", "call")
_GONE = "gone"
"""The label of models that are no longer set up."""
PAID_WITHOUT_VIDEO = FETCHABLE | {FailureCode.SUBMIT_UNKNOWN, FailureCode.EXPIRED}
"""Outcomes that may have cost money. Their series begin at 0, so that an alert sees the first one."""


class Metrics:
    """`task_saved` and `telegram_answered` count; `render` adds what the database knows."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        health: ProviderHealth,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
    ) -> None:
        # A second line for each counter, which nothing reads.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._settings = settings
        self._store = store
        self._health = health
        self._models = models
        self._clock = clock
        self._registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self._registry)

        def counter(name: str, help_: str, *labels: str) -> Counter:
            return prometheus.Counter(f"dreamreel_{name}", help_, labels, registry=self._registry)

        def histogram(name: str, help_: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
            return prometheus.Histogram(
                f"dreamreel_{name}", help_, labels, registry=self._registry, buckets=bounds
            )

        def gauge(name: str, help_: str, *labels: str) -> Gauge:
            return prometheus.Gauge(f"dreamreel_{name}", help_, labels, registry=self._registry)

        self._requests = counter(
            "requests",
            "Requests that ended, by outcome: video, kept, cancelled, or a failure code.",
            "model",
            "outcome",
        )
        self._queue_s = histogram(
            "queue_seconds", "Time from a request until its provider accepted it.", _WAITS_S, "provider"
        )
        self._wait_s = histogram(
            "wait_seconds", "Time from a request to the finished video.", _WAITS_S, "model"
        )
        self._delivery_s = histogram(
            "delivery_seconds", "Time from a finished video until it was shown in its chat.", _DELIVERIES_S
        )
        self._jobs = counter("jobs", "Jobs at providers that have ended.", "model")
        self._polls = counter("polls", "Polls of jobs at providers.", "model")
        self._calls = counter(
            "provider_calls", "Calls to providers, by answer: ok, or a failure code.", *_CALL, "answer"
        )
        self._call_s = histogram("provider_call_seconds", "Duration of calls to providers.", _CALLS_S, *_CALL)
        self._telegram = counter("telegram_answers", "Responses of Telegram, by HTTP status.", "status")
        self._up = gauge(
            "provider_up", "1 if the provider answers, delivers and accepts the account, else 0.", "provider"
        )
        self._limit = gauge("slots", "Jobs that the settings allow at the same time.", "provider")
        self._usable = gauge(
            "slots_usable", "Jobs that the provider accepts at the same time, from the database.", "provider"
        )
        self._in_use = gauge("slots_in_use", "Slots that are occupied, from the database.", "provider")
        self._waiting = gauge(
            "waiting_tasks", "Tasks that their provider has not accepted yet, from the database.", "provider"
        )
        self._oldest_s = gauge(
            "oldest_waiting_seconds", "Age of the oldest of these tasks, from the database.", "provider"
        )
        self._open_updates = gauge("open_updates", "Messages that are not handled yet, from the database.")
        self._spent = gauge(
            "spent_today", "Money spent since 00:00 in TIMEZONE, in CURRENCY, from the database.", "model"
        )
        self._free = gauge("data_free_bytes", "Free space on the disk of DATA_DIR.")
        self._writable = gauge("database_writable", "1 if the database takes writes, otherwise 0.")
        self._processes = gauge("processes", "Live processes of the bot, from the database.")
        self._is_poller = gauge("telegram_poller", "1 if this process polls Telegram, otherwise 0.")
        self._backup_at = None
        if settings.backups is not None:
            # No series if the bot makes no backups, so that no alert about their age can fire.
            self._backup_at = gauge(
                "last_backup_timestamp_seconds", "When the newest nightly backup was made; 0 is never."
            )
        build = gauge("build_info", "Always 1; the labels say what runs.", "version")
        build.labels(version("dreamreel")).set(1)
        for model in (*models, _GONE):
            for outcome in ("video", *sorted(PAID_WITHOUT_VIDEO)):
                self._requests.labels(model, outcome)

    def task_saved(self, task: Task, attempt: Attempt | None) -> None:
        """Count a saved task, and the call that led to it."""
        if attempt is not None:
            self._count_call(task, attempt)
        if task.delivered_at is not None and task.queued_at is not None:
            self._count_end(task)

    def telegram_answered(self, status: int) -> None:
        """Count an answer of Telegram."""
        self._telegram.labels(str(status)).inc()

    async def render(self) -> tuple[bytes, str]:
        """Return the page and its content type. Raises StoreError."""
        now = self._clock()
        await self._read_database(now)
        self._free.set(size_and_free(self._settings.data_dir)[1])
        if self._backup_at is not None:
            self._backup_at.set(_newest(self._settings.backups))
        return prometheus.generate_latest(self._registry), prometheus.CONTENT_TYPE_LATEST

    def _count_call(self, task: Task, attempt: Attempt) -> None:
        provider, call = attempt.provider, attempt.call
        self._calls.labels(provider, call, attempt.answer).inc()
        self._call_s.labels(provider, call).observe(attempt.took_s)
        if call == "poll":
            self._polls.labels(self._model(task)).inc()
        if call == "submit" and attempt.answer == "ok" and task.queued_at is not None:
            self._queue_s.labels(provider).observe((attempt.at - task.queued_at).total_seconds())

    def _count_end(self, task: Task) -> None:
        assert task.delivered_at is not None  # noqa: S101 - `task_saved` has checked it
        model = self._model(task)
        self._requests.labels(model, _outcome(task)).inc()
        if task.remote_id is not None:
            self._jobs.labels(model).inc()
        if task.state is TaskState.SUCCEEDED and task.queued_at and task.finished_at:
            self._wait_s.labels(model).observe((task.finished_at - task.queued_at).total_seconds())
            if not task.detached:
                self._delivery_s.observe((task.delivered_at - task.finished_at).total_seconds())

    async def _read_database(self, now: datetime) -> None:
        loads = {load.provider: load for load in await self._store.statistics.provider_loads(now)}
        refused = {trouble.provider for trouble in await self._store.providers.troubles()}
        for provider, limit in self._health.granted.items():
            load = loads.get(provider)
            since = load.waiting_since if load else None
            self._limit.labels(provider).set(limit)
            usable = await self._health.usable_slots(provider)
            self._usable.labels(provider).set(limit if usable is None else usable)
            self._in_use.labels(provider).set(load.taken if load else 0)
            self._waiting.labels(provider).set(load.waiting if load else 0)
            self._oldest_s.labels(provider).set((now - since).total_seconds() if since else 0)
            is_up = provider not in refused and not self._health.is_silent(provider)
            self._up.labels(provider).set(is_up)
        self._open_updates.set(await self._store.updates.count())
        self._writable.set(not self._store.maintenance.write_outage())
        leases = self._store.leases
        self._processes.set(await leases.count_processes())
        polls = self._settings.telegram_mode == "polling"
        self._is_poller.set(polls and await leases.holds_lease(POLLING_LEASE))
        midnight = day_of(now, self._settings.zone)
        spent = dict.fromkeys(self._models, 0.0)
        for tally in await self._store.statistics.task_counts([midnight, now + timedelta(seconds=1)]):
            if tally.model in spent:
                spent[tally.model] += float(tally.spent)
        for model, amount in spent.items():
            self._spent.labels(model).set(amount)

    def _model(self, task: Task) -> str:
        """Return the label of the task's model; `gone` for models that are no longer set up."""
        return task.request.model if task.request.model in self._models else _GONE


def _outcome(task: Task) -> str:
    if task.is_cancelled:
        return "cancelled"
    match task.state:
        case TaskState.SUCCEEDED:
            return "kept" if task.detached else "video"
        case _:
            return task.error_code or "unknown"


def _newest(folder: Path | None) -> float:
    copies = folder.glob("dreamreel-*.db") if folder else ()
    return max((copy.stat().st_mtime for copy in copies), default=0.0)
