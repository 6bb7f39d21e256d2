"""The outlook: what a card may say of the time to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from fakes import A_MODEL, FREE_MODEL, NOW, a_task

from bot.chat.cards.eta import Estimator, about
from bot.request import VideoRequest
from bot.task import Task, TaskState
from bot.worker.duration_model import Durations, keys, observed
from bot.worker.queue_watch import QueueState
from bot.worker.schedule import Schedule


def estimator(ahead: int = 0, slots: int = 1, jobs: Sequence[Task] = (), **usual_s: float) -> Estimator:
    """With jobs seen that took so long: `running` in the making, `queued` before that."""
    timing = Schedule()
    for clock, took_s in usual_s.items():
        state = Durations(A_MODEL.typical_s)
        for job in range(40):
            exact_s = took_s * (0.98 + job / 1000)
            state = observed(state, 0.995 * exact_s, 1.005 * exact_s)
        timing.remember(dict.fromkeys(keys("jimeng-pro", 5, "1080p", clock), state.to_text()))

    async def count_ahead(_: Task) -> int:
        return ahead

    async def before(task: Task) -> QueueState:
        return QueueState(slots if task.provider == "cloud" else None, jobs)

    models = {one.name: one for one in (A_MODEL, FREE_MODEL)}
    return Estimator(count_ahead, timing, models, before)


@pytest.mark.parametrize(("ahead", "slots", "turn_s"), [(1, 1, 360), (3, 1, 840), (3, 4, 210), (8, 2, 1020)])
async def test_the_turn_comes_when_so_many_slots_have_become_free(
    ahead: int, slots: int, turn_s: float
) -> None:
    estimate = await estimator(ahead, slots, running=240.0).of(a_task())
    assert estimate.ahead == ahead
    assert estimate.turn_s == pytest.approx(turn_s, rel=0.03)


async def test_the_turn_depends_on_the_jobs_before_and_not_on_the_one_that_waits() -> None:
    long_ones = [a_task(request=VideoRequest(model="jimeng-pro", seconds=10))] * 3
    gone = a_task(request=VideoRequest(model="gone"))
    asked = a_task(request=VideoRequest(model="jimeng-pro", seconds=5))
    estimate = await estimator(2, 1, [*long_ones, gone], running=60.0).of(asked)
    assert estimate.turn_s == pytest.approx(2.5 * 120, rel=0.05)
    assert estimate.usual_s == pytest.approx(60, rel=0.05)
    mixed = await estimator(2, 1, [long_ones[0], asked], running=60.0).of(asked)
    assert mixed.turn_s == pytest.approx(2.5 * 90, rel=0.05)


async def test_who_is_next_is_told_no_time_and_so_is_everybody_where_slots_are_unknown() -> None:
    assert (await estimator(0).of(a_task())).turn_s is None
    assert (await estimator(3).of(a_task(provider="elsewhere"))).turn_s is None


async def test_nobody_is_counted_before_a_job_that_runs() -> None:
    estimate = await estimator(3).of(a_task(state=TaskState.RUNNING, submitted_at=NOW))
    assert (estimate.ahead, estimate.turn_s) == (0, None)


@pytest.mark.parametrize(
    ("changes", "usual_s"),
    [
        ({"state": TaskState.DRAFT}, 300),
        ({"state": TaskState.QUEUED}, 300),
        ({"state": TaskState.RUNNING}, 240),
        ({"state": TaskState.RUNNING, "polled_at": NOW}, 60),
        ({"state": TaskState.RUNNING, "polled_at": NOW, "running_at": NOW + timedelta(1)}, 240),
    ],
)
async def test_what_is_usual_belongs_to_what_is_under_way(changes: dict[str, Any], usual_s: float) -> None:
    seen = estimator(running=240.0, queued=60.0)
    assert seen.usual_s(a_task(submitted_at=NOW, **changes)) == pytest.approx(usual_s, rel=0.03)


async def test_a_model_that_was_taken_away_has_no_outlook() -> None:
    gone = a_task(request=a_task().request.model_copy(update={"model": "veo-3"}))
    assert (await estimator(2).of(gone)).turn_s is None
    assert estimator().usual_s(gone) is None


def test_every_model_has_a_usual_time_from_the_first_day() -> None:
    usual_s = estimator(running=240.0).usual_of_models_s()
    assert usual_s["jimeng-pro"] == pytest.approx(240, rel=0.03)
    assert usual_s["preview"] == pytest.approx(10, rel=0.03)


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [
        (0.2, "1 s"),
        (7.4, "7 s"),
        (22, "20 s"),
        (97.6, "1 min 40 s"),
        (235, "4 min"),
        (250, "4 min 15 s"),
        (601, "10 min"),
        (7490, "2 h 5 min"),
    ],
)
def test_a_time_is_said_as_people_would(duration_s: float, said: str) -> None:
    assert about("en", duration_s) == said
