"""When to look again, and when to give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fakes import A_MODEL, FREE_MODEL, NOW, a_task
from hypothesis import given
from hypothesis import strategies as st

from bot import timing
from bot.task import TaskState
from bot.timing import Timing, gives_up_looking, gives_up_telling, retry_at, unclear_until

RUNNING = a_task(state=TaskState.RUNNING, submitted_at=NOW)


def wait_s(due_at: datetime) -> float:
    return (due_at - NOW).total_seconds()


def test_the_first_look_comes_after_half_of_the_usual_time() -> None:
    assert wait_s(Timing(0).first_look(A_MODEL, NOW)) == 50
    assert wait_s(Timing(30).first_look(A_MODEL, NOW)) == 30


def test_a_free_model_is_looked_at_every_second() -> None:
    assert wait_s(Timing(60).first_look(FREE_MODEL, NOW)) == 1
    assert wait_s(Timing(60).next_look(RUNNING, FREE_MODEL, NOW)) == 1


def test_no_look_is_further_away_than_the_operator_allows() -> None:
    slow = replace(A_MODEL, typical_s=3600.0)
    assert wait_s(Timing(0).next_look(RUNNING, slow, NOW)) == 360
    assert wait_s(Timing(60).next_look(RUNNING, slow, NOW)) == 60
    assert wait_s(Timing(60).look_again(replace(RUNNING, attempts=9), NOW)) == 60
    assert wait_s(Timing(0).look_again(replace(RUNNING, attempts=9), NOW)) > 200


def test_a_late_job_is_looked_at_rarely_whatever_the_bound() -> None:
    late = replace(RUNNING, late_at=NOW)
    assert wait_s(Timing(60).next_look(late, A_MODEL, NOW)) == 600
    assert wait_s(Timing(60).look_again(late, NOW)) == 600


def test_a_provider_that_says_when_to_ask_again_is_obeyed() -> None:
    assert wait_s(Timing(60).look_again(RUNNING, NOW, retry_after_s=900.0)) == 900
    assert wait_s(retry_at(0, NOW, 900.0)) == 900
    assert wait_s(retry_at(9, NOW, 1.0)) > 200


@pytest.mark.parametrize(("typical_s", "late_after_s"), [(10.0, 120.0), (100.0, 400.0)])
def test_a_job_is_late_after_four_times_its_usual_time_and_two_minutes_at_least(
    typical_s: float, late_after_s: float
) -> None:
    model = replace(A_MODEL, typical_s=typical_s)
    then = NOW + timedelta(seconds=late_after_s)
    assert not Timing().is_late(RUNNING, model, then)
    assert Timing().is_late(RUNNING, model, then + timedelta(seconds=1))
    assert not Timing().is_late(replace(RUNNING, late_at=NOW), model, then + timedelta(hours=1))


@given(st.integers(0, 1000))
def test_pauses_grow_to_five_minutes_and_no_further(attempts: int) -> None:
    waited = wait_s(retry_at(attempts, NOW))
    assert min(2 * 2 ** min(attempts, 10), 300) * 0.9 <= waited <= 330
    assert waited >= 1.8


def test_tasks_that_failed_together_do_not_return_together() -> None:
    assert len({retry_at(3, NOW) for _ in range(20)}) > 10


def minutes(*ago: float) -> list[datetime]:
    return [NOW - timedelta(minutes=one) for one in ago]


@pytest.mark.parametrize(
    ("faults", "gives_up"),
    [
        (minutes(15, 10, 5, 1, 0), True),
        (minutes(0, 1, 5, 10, 15), True),
        (minutes(14.9, 10, 5, 1, 0), False),
        (minutes(60, 30, 10, 0), False),
        (minutes(4, 3, 2, 1, 0.5, 0.3, 0), False),
        ([], False),
    ],
)
def test_a_fault_ends_a_task_after_five_looks_over_a_quarter_of_an_hour(
    faults: list[datetime], gives_up: bool
) -> None:
    assert gives_up_looking(faults, NOW) is gives_up


def test_a_chat_that_cannot_be_told_is_tried_for_two_days() -> None:
    task = a_task(state=TaskState.SUCCEEDED, failing_since=NOW)
    assert not gives_up_telling(a_task(state=TaskState.SUCCEEDED), NOW)
    assert not gives_up_telling(task, NOW + timedelta(hours=47))
    assert gives_up_telling(task, NOW + timedelta(hours=48))


def test_an_unclear_job_holds_its_slot_for_some_multiple_of_the_usual_time() -> None:
    assert wait_s(unclear_until(A_MODEL, NOW)) == 300
    assert wait_s(unclear_until(replace(A_MODEL, keeps_s=60.0), NOW)) == 60


def test_every_step_ends_within_its_lease() -> None:
    assert timing.FETCH_LIMIT_S + timing.UPLOAD_LIMIT_S < timing.LEASE_S
    assert timing.SUBMIT_LIMIT_S < timing.LEASE_S
    assert timing.LOOK_LIMIT_S < timing.LEASE_S
