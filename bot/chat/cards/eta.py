"""Estimates: what a card says about the time to come, from the bot's own measurements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.request import VideoModel
from bot.store.budget import Pause
from bot.task import Task, TaskState
from bot.text import say_duration
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
    pause: Pause | None = None
    """The pause that keeps it from being bought."""


UNKNOWN = Estimate()


async def no_pause(_: str) -> None:
    """Return None: no model is paused."""


class Estimator:
    """`at_once`: how many jobs a provider runs at once at present."""

    def __init__(
        self,
        count_ahead: Callable[[Task], Awaitable[int]],
        schedule: Schedule,
        models: Mapping[str, VideoModel],
        at_once: Callable[[str], Awaitable[int | None]],
        *,
        pause: Callable[[str], Awaitable[Pause | None]] = no_pause,
    ) -> None:
        self._count_ahead = count_ahead
        self._timing = schedule
        self._models = models
        self._at_once = at_once
        self._pause = pause

    async def of(self, task: Task) -> Estimate:
        ahead = await self._count_ahead(task) if task.state is TaskState.QUEUED else 0
        usual_s = self.usual_s(task)
        if task.state is TaskState.QUEUED and (pause := await self._pause(task.request.model)):
            return Estimate(ahead, None, usual_s, pause)
        slots = await self._at_once(task.provider) if ahead else None
        return Estimate(ahead, _turn_s(ahead, usual_s, slots), usual_s)

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
