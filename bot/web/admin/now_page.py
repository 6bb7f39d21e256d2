"""What is running now: the providers with their slots and problems, running jobs, and the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.store import AccountTrouble
from bot.store.budget import EVERYTHING
from bot.store.statistics import NO_MONEY, TaskCount, outcome_of
from bot.task import Task
from bot.web.admin.context import AdminContext
from bot.web.admin.needs import QueueState, find_needs, why_waiting
from bot.web.admin.offered_actions import ALL_MODELS

_MOST_SHOWN = 200
_RECENT = timedelta(hours=1)
_MOST_CALLS = 2000


@dataclass(frozen=True, slots=True)
class ProviderNow:
    name: str
    models: tuple[str, ...]
    taken: int
    limit: int | None
    """How many jobs it runs at the same time at present."""
    granted: int | None
    """How many it may run by the settings."""
    unknown: int
    """How many of the slots are held by orders of unknown end."""
    waiting: int
    trouble: AccountTrouble | None
    accepted: int
    """Submits of the last hour that it accepted."""
    refused: Counter[str]
    """Submits that it did not accept, by code."""


@dataclass(frozen=True, slots=True)
class RunningTask:
    task: Task
    usual_s: float | None
    share: float
    """Progress from 0 to 1, as the provider reports it or by the usual duration."""


@dataclass(frozen=True, slots=True)
class Today:
    asked: int
    made: int
    failed: int
    spent: Decimal


async def now_page(sources: AdminContext) -> dict[str, Any]:
    store, now = sources.store, sources.clock()
    taken = await store.statistics.in_slots(now, _MOST_SHOWN)
    making = [task for task in taken if not task.has_unknown_outcome]
    waiting = _placed(await store.statistics.queued(_MOST_SHOWN))
    unseen = await store.statistics.undelivered(_MOST_SHOWN)
    unknown = [task for task in taken if task.has_unknown_outcome]
    queue, providers = await read_queue_state(sources), await _providers(sources, now, unknown)
    limits = {one.name: one.limit for one in providers}
    midnight = datetime.combine(now.astimezone(sources.zone).date(), time(), sources.zone)
    needs = find_needs(
        queue,
        obstacles=await sources.health.obstacles(),
        unknown=unknown,
        slots=limits,
        undelivered=unseen,
    )
    shown = [*taken, *(task for _, task in waiting), *unseen]
    return {
        "needs": needs,
        "subjects": {task.card.chat_id for task in shown if task.card.chat_id < 0},
        "providers": providers,
        "making": [_running(sources, task, now) for task in sorted(making, key=_begun)],
        "waiting": [
            (place, task, why_waiting(task, place - 1, queue, limits.get(task.provider)))
            for place, task in waiting
        ],
        "waiting_count": await store.statistics.count_queued(),
        "unseen": unseen,
        "pauses": {pause.model: pause for pause in queue.pauses},
        "EVERYTHING": EVERYTHING,
        "day": f"{midnight:%Y-%m-%d}",
        "ALL_MODELS": ALL_MODELS,
        "today": _today(await store.statistics.task_counts([midnight, now + timedelta(seconds=1)])),
    }


async def read_queue_state(sources: AdminContext) -> QueueState:
    """Read what stands against new orders."""
    pauses = await sources.store.budget.pauses()
    return QueueState(
        pauses=pauses,
        troubles=await sources.store.providers.troubles(),
        down=sources.down(),
        fetches_down=sources.fetches_down(),
        names=await sources.names.of(pause.by for pause in pauses),
        now=sources.clock(),
    )


async def _providers(sources: AdminContext, now: datetime, unknown: Sequence[Task]) -> list[ProviderNow]:
    loads = {load.provider: load for load in await sources.store.statistics.provider_loads(now)}
    troubles = {trouble.provider: trouble for trouble in await sources.store.providers.troubles()}
    calls = await sources.store.statistics.submits(now - _RECENT, now + timedelta(seconds=1), _MOST_CALLS)
    return [
        ProviderNow(
            name=name,
            models=tuple(model.name for model in sources.models.values() if model.provider == name),
            taken=loads[name].taken if name in loads else 0,
            limit=await sources.at_once(name),
            granted=sources.granted.get(name),
            unknown=sum(task.provider == name for task in unknown),
            waiting=loads[name].waiting if name in loads else 0,
            trouble=troubles.get(name),
            accepted=sum(call.provider == name and call.answer == "ok" for call in calls),
            refused=Counter(call.answer for call in calls if call.provider == name and call.answer != "ok"),
        )
        for name in dict.fromkeys([*sources.granted, *loads])
    ]


def _placed(waiting: Sequence[Task]) -> list[tuple[int, Task]]:
    """Return the waiting tasks, each with its place in the queue of its provider."""
    places: Counter[str] = Counter()
    placed = []
    for task in waiting:
        places[task.provider] += 1
        placed.append((places[task.provider], task))
    return placed


def _running(sources: AdminContext, task: Task, now: datetime) -> RunningTask:
    usual_s = sources.usual_s(task)
    elapsed_s = (now - (task.submitted_at or now)).total_seconds()
    share = task.progress if task.progress is not None else elapsed_s / usual_s if usual_s else 0.0
    return RunningTask(task, usual_s, min(max(share, 0.0), 1.0))


def _begun(task: Task) -> datetime:
    return task.submitted_at or task.created_at


def _today(tallies: Sequence[TaskCount]) -> Today:
    by_outcome: Counter[str] = Counter()
    for tally in tallies:
        by_outcome[outcome_of(tally.state)] += tally.count
    spent = sum((tally.spent for tally in tallies), NO_MONEY)
    return Today(by_outcome.total(), by_outcome["made"], by_outcome["failed"], spent)
