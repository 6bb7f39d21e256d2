"""Estimates: what a card says about the time to come, from the bot's own measurements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.text import say_duration
from bot.worker.queue_watch import Blockage, QueueState
from bot.worker.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Estimate:
    """The waiting time of a task; None if it is unknown."""

    ahead: int = 0
    """How many tasks are served before it."""
    turn_s: float | None = None
    """How long until its turn, if others are served before it."""
    usual_s: float | None = None
    """How long such a video usually takes; of a job, what its provider is doing now (`clock_of`)."""
    blockage: Blockage | None = None
    """Why its turn does not come, so that its place in the queue says nothing."""
    free_at: datetime | None = None
    """When the blockage ends at the latest."""


UNKNOWN = Estimate()


class Estimator:
    """`before` returns the state of the queue before a task."""

    def __init__(
        self,
        count_ahead: Callable[[Task], Awaitable[int]],
        schedule: Schedule,
        models: Mapping[str, VideoModel],
        before: Callable[[Task], Awaitable[QueueState]],
    ) -> None:
        self._count_ahead = count_ahead
        self._timing = schedule
        self._models = models
        self._before = before

    async def of(self, task: Task) -> Estimate:
        usual_s = self.usual_s(task)
        if task.state is not TaskState.QUEUED:
            return Estimate(usual_s=usual_s)
        ahead, queue = await self._count_ahead(task), await self._before(task)
        if queue.blockage is not None:
            return Estimate(ahead, None, usual_s, queue.blockage, queue.free_at)
        return Estimate(ahead, _turn_s(ahead, self._usual_job_s(queue.jobs) or usual_s, queue.slots), usual_s)

    def _usual_job_s(self, jobs: Sequence[Task]) -> float | None:
        """Return how long those jobs take on average: they are longer or shorter than the one that waits."""
        models = [(self._models.get(job.request.model), job.request) for job in jobs]
        known = [self._timing.usual_s(m, r) for m, r in models if m]
        return sum(known) / len(known) if known else None

    def usual_s(self, task: Task) -> float | None:
        """Return how long such a task usually takes; None if its model is unknown."""
        model = self._models.get(task.request.model)
        if model is None:
            return None
        if task.state in (TaskState.DRAFT, TaskState.QUEUED):
            return self._timing.usual_s(model, task.request)
        return self._timing.usual_now_s(task, model)

    def usual_of_models_s(self) -> dict[str, float]:
        """Return how long videos of each model usually take."""
        return {name: self._timing.usual_s(model) for name, model in self._models.items()}


def about(language: str, duration_s: float) -> str:
    """Say a duration as people would: `12 s`, `1 min 40 s`, `4 min 15 s`, `12 min`."""
    step_s = 1 if duration_s < 20 else 5 if duration_s < 120 else 15
    return say_duration(language, max(step_s * round(duration_s / step_s), 1))


def _turn_s(ahead: int, usual_s: float | None, slots: int | None) -> float | None:
    """Return the time until the task's turn. Slots become free one after the other; a task that is next waits
    half of that time."""
    if not ahead or not slots or usual_s is None:
        return None
    return usual_s * (ahead + 0.5) / slots
