"""The queue watch: what goes before a waiting task, and why its queue stands still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from itertools import takewhile

from bot.store.budget import Pause
from bot.store.statistics import StatisticsStore
from bot.task import Task

_CACHED_FOR = timedelta(seconds=3)
"""Each card that waits asks for the queue whenever it is drawn."""
_MOST_READ = 300
"""Tasks of each kind; what comes after them is taken to be like them."""


class Blockage(StrEnum):
    """Why nobody's turn comes at present."""

    PAUSED = auto()
    HOURLY_LIMIT = auto()
    DISK = auto()
    DOWN = auto()
    """The provider does not answer."""
    LOST_ANSWERS = auto()
    """Every slot is held by a job of unknown outcome, or by one that is late."""
    LATE_JOBS = auto()
    """Every slot is held by a job that takes longer than nearly all others."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queue before one task."""

    slots: int | None = None
    """How many jobs its provider runs at once; None if nothing bounds them."""
    jobs: Sequence[Task] = ()
    """Those under way and those that are served before it, as far as they were read."""
    blockage: Blockage | None = None
    free_at: datetime | None = None
    """When a slot that is held by a job of unknown outcome is given up."""


class QueueWatch:
    """One per process. `slots` returns how many jobs a provider runs at once, `pause` the pause that blocks a
    model, `down` the providers that do not answer."""

    def __init__(
        self,
        statistics: StatisticsStore,
        *,
        slots: Callable[[str], Awaitable[int | None]],
        pause: Callable[[str], Awaitable[Pause | None]],
        down: Callable[[], Mapping[str, datetime]],
        clock: Callable[[], datetime],
    ) -> None:
        self._statistics = statistics
        self._slots = slots
        self._pause = pause
        self._down = down
        self._clock = clock
        self._read_at: datetime | None = None
        self._in_slots: list[Task] = []
        self._waiting: list[Task] = []

    async def before(self, task: Task) -> QueueState:
        """Return the state of the queue in which a task waits."""
        if pause := await self._pause(task.request.model):
            return QueueState(blockage=_of_pause(pause))
        if task.provider in self._down():
            return QueueState(blockage=Blockage.DOWN)
        await self._read()
        slots = await self._slots(task.provider)
        in_slots = [one for one in self._in_slots if one.provider == task.provider]
        if slots is not None and (blocked := blocked_by_jobs(in_slots, slots)):
            return blocked
        waiting = (one for one in self._waiting if one.provider == task.provider)
        ahead = takewhile(lambda one: one.id != task.id, waiting)
        return QueueState(slots, [*(one for one in in_slots if not one.has_unknown_outcome), *ahead])

    async def _read(self) -> None:
        now = self._clock()
        if self._read_at is not None and timedelta() <= now - self._read_at < _CACHED_FOR:
            return
        self._read_at = now
        self._in_slots = await self._statistics.in_slots(now, _MOST_READ)
        self._waiting = await self._statistics.queued(_MOST_READ)


def blocked_by_jobs(in_slots: Sequence[Task], slots: int) -> QueueState | None:
    """Return the state of a queue if nobody knows when a slot will become free; else None."""
    lost = [task.slot_until for task in in_slots if task.has_unknown_outcome and task.slot_until]
    late = [task for task in in_slots if task.late_at is not None and not task.has_unknown_outcome]
    if not slots or len(lost) + len(late) < slots:
        return None
    if not lost:
        return QueueState(slots, blockage=Blockage.LATE_JOBS)
    return QueueState(slots, blockage=Blockage.LOST_ANSWERS, free_at=min(lost))


def _of_pause(pause: Pause) -> Blockage:
    if pause.is_of_disk:
        return Blockage.DISK
    return Blockage.HOURLY_LIMIT if pause.is_hourly_limit else Blockage.PAUSED
