"""Metrics for Prometheus. Labels are failure codes, models and providers; never an id or a name.

Counters and histograms are those of this process, to be added up over all processes. Gauges whose help says
"by the database" are the same in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import prometheus_client as prometheus
from prometheus_client import Counter, Gauge, Histogram

from bot.local_time import day_of
from bot.maintenance.disk_space import size_and_free
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Attempt, Store
from bot.task import Task, TaskState
from bot.worker.provider_health import ProviderHealth

_WAITS_S = (5, 15, 30, 60, 120, 180, 300, 600, 1200, 3600, 14400)
_CALLS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DELIVERIES_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600)


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
            "requests", "Requests whose chat knows the end: video, kept, or why not.", "model", "outcome"
        )
        self._queue_s = histogram(
            "queue_seconds", "From the request until its provider took it.", _WAITS_S, "provider"
        )
        self._wait_s = histogram("wait_seconds", "From the request to the finished video.", _WAITS_S, "model")
        self._delivery_s = histogram(
            "delivery_seconds", "From the finished video until its chat had it.", _DELIVERIES_S
        )
        self._jobs = counter("jobs", "Jobs at providers that have come to an end.", "model")
        self._polls = counter("looks", "Looks at jobs; divided by jobs they are looks per task.", "model")
        self._calls = counter("provider_calls", "Calls, by what came of them.", "provider", "call", "answer")
        self._call_s = histogram("provider_call_seconds", "How long they took.", _CALLS_S, "provider", "call")
        self._telegram = counter("telegram_answers", "Answers of Telegram by HTTP status.", "status")
        self._up = gauge("provider_up", "0 while it is down, hands out nothing or refuses the account.", "provider")
        self._taken = gauge("slots_taken", "By the database.", "provider")
        self._limit = gauge("slots", "How many jobs the account may run at once.", "provider")
        self._in_use = gauge("slots_in_use", "How many it has shown to take, by the database.", "provider")
        self._waiting = gauge("waiting_tasks", "Those that wait for a slot, by the database.", "provider")
        self._oldest_s = gauge(
            "oldest_waiting_seconds", "How long the first of them has, by the database.", "provider"
        )
        self._open_updates = gauge("open_updates", "Messages that are not handled yet, by the database.")
        self._spent = gauge("spent_today", "In CURRENCY, since 00:00 in TIMEZONE, by the database.", "model")
        self._free = gauge("data_free_bytes", "Room on the disk of DATA_DIR.")
        self._backup_at = gauge("last_backup_timestamp_seconds", "When the newest copy was made; 0 is never.")

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
            in_use = await self._health.slots_in_use(provider)
            self._in_use.labels(provider).set(limit if in_use is None else in_use)
            self._taken.labels(provider).set(load.taken if load else 0)
            self._waiting.labels(provider).set(load.waiting if load else 0)
            self._oldest_s.labels(provider).set((now - since).total_seconds() if since else 0)
            is_up = provider not in refused and not self._health.is_silent(provider)
            self._up.labels(provider).set(is_up)
        self._open_updates.set(await self._store.updates.count())
        midnight = day_of(now, self._settings.zone)
        spent = dict.fromkeys(self._models, 0.0)
        for tally in await self._store.statistics.task_counts([midnight, now + timedelta(seconds=1)]):
            if tally.model in spent:
                spent[tally.model] += float(tally.spent)
        for model, amount in spent.items():
            self._spent.labels(model).set(amount)

    def _model(self, task: Task) -> str:
        """Return the label of the task's model; `gone` for models that are no longer set up."""
        return task.request.model if task.request.model in self._models else "gone"


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
