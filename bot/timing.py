"""When to look again: at a job, after a failure, at a lease's end, and when to give up. Pure figures.

A simple schedule: nothing before half of the usual time, then at a steady pace, then rarely once it is late.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.request import VideoModel
from bot.task import Task

LEASE_S = 300.0
"""How long a claim lasts: longer than any one step may take."""
SUBMIT_LIMIT_S = 60.0
"""A photo of 4.7 MB over a slow line, and the provider's own thinking."""
LOOK_LIMIT_S = 30.0
FETCH_LIMIT_S = 120.0
UPLOAD_LIMIT_S = 150.0
TURN_LIMIT_S = 20.0
"""To wait for a turn: with fetching and uploading it stays below a lease."""
UPDATE_LEASE_S = 120.0
STORE_PAUSE_S = 5.0
"""After the database refused: its disk is full, or another program holds it."""
UPDATE_ATTEMPTS = 5
"""Then an update is parked, so that its chat goes on."""
UPDATE_ATTEMPTS_IN_OUTAGE = 20
"""The same where Telegram does not answer: with the pauses of `retry_at` that is over an hour."""
DRAFT_PRIVATE = timedelta(hours=24)
DRAFT_GROUP = timedelta(hours=1)

_FAULT_LOOKS = 5
_FAULT_FOR = timedelta(minutes=15)
_TELLING_FOR = timedelta(days=2)
_RARE_S = 600.0
_YOUNG = timedelta(minutes=2)
_UNCLEAR_FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Timing:
    """A free model is on this machine, and a look at it costs nothing: it is looked at every second.

    `poll_max_s` bounds every wait for the next look but a late job's; 0 is no bound."""

    poll_max_s: float = 60.0

    def first_look(self, model: VideoModel, now: datetime) -> datetime:
        return now + timedelta(seconds=1.0 if model.free else self._bounded(model.typical_s / 2))

    def next_look(self, task: Task, model: VideoModel, now: datetime) -> datetime:
        """A tenth of the usual time later, at least a second; rarely once it is late."""
        if task.late_at is not None:
            return now + timedelta(seconds=_RARE_S)
        return now + timedelta(seconds=self._bounded(max(1.0, model.typical_s / 10)))

    def look_again(self, task: Task, now: datetime, retry_after_s: float | None = None) -> datetime:
        """After a look that told nothing: a growing pause, bounded as every look's is, but for what the
        provider asks for."""
        if task.late_at is not None:
            return now + timedelta(seconds=max(_RARE_S, retry_after_s or 0.0))
        later = retry_at(task.attempts, now)
        bound = now + timedelta(seconds=self._bounded((later - now).total_seconds()))
        return max(bound, now + timedelta(seconds=retry_after_s or 0.0))

    def is_late(self, task: Task, model: VideoModel, now: datetime) -> bool:
        """Longer than nearly all others take: four times the usual, at least two minutes."""
        started = task.submitted_at or now
        return task.late_at is None and (now - started).total_seconds() > max(120.0, 4 * model.typical_s)

    def _bounded(self, wait_s: float) -> float:
        return min(wait_s, self.poll_max_s) if self.poll_max_s else wait_s


def retry_at(attempts: int, now: datetime, retry_after_s: float | None = None) -> datetime:
    """Backoff after `attempts` failures in a row: 2 s doubled up to 5 min, spread by a fifth so that tasks
    that failed together do not return together. What the other side asks for is obeyed."""
    wait_s = min(2.0 * 2 ** min(attempts, 10), 300.0) * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
    return now + timedelta(seconds=max(wait_s, retry_after_s or 0.0))


def gives_up_looking(faults: Sequence[datetime], now: datetime) -> bool:
    """Whether faults that the provider itself reports end the task: five looks in a row, over at least 15
    minutes. `faults` says when each of them began, the last one included. Nothing else that a look meets
    ends a task."""
    return len(faults) >= _FAULT_LOOKS and now - min(faults) >= _FAULT_FOR


def gives_up_telling(task: Task, now: datetime) -> bool:
    """Whether a chat that could not be told for so long is left alone."""
    return task.failing_since is not None and now - task.failing_since >= _TELLING_FOR


def is_young(task: Task, now: datetime) -> bool:
    """Whether the job may be too new for every machine of its provider to know it."""
    return task.submitted_at is not None and now - task.submitted_at < _YOUNG


def unclear_until(model: VideoModel, now: datetime) -> datetime:
    """How long a submit of unknown outcome may occupy its slot: some multiple of the usual time."""
    return now + timedelta(seconds=min(model.keeps_s, _UNCLEAR_FACTOR * model.typical_s))
