"""When to poll which job, when to poll again, and when to give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from fakes import A_MODEL, FREE_MODEL, NOW, a_task
from hypothesis import given
from hypothesis import strategies as st

from bot.request import VideoModel, VideoRequest, settle
from bot.task import Task, TaskState
from bot.worker import schedule
from bot.worker.duration_model import Durations, observed
from bot.worker.schedule import (
    Clock,
    Schedule,
    clock_of,
    duration_keys,
    gives_up_polling,
    gives_up_telling,
    lesson,
    retry_at,
    unclear_until,
)

RUNNING = a_task(state=TaskState.RUNNING, submitted_at=NOW)
SLOW = replace(A_MODEL, typical_s=3600.0)
NARROW = VideoRequest(model="jimeng-pro", prompt="a kite", seconds=10)


def wait_s(due_at: datetime) -> float:
    return (due_at - NOW).total_seconds()


def next_s(
    schedule: Schedule, task: Task = RUNNING, model: VideoModel = A_MODEL, others_wait: bool = False
) -> float:
    return wait_s(schedule.next_poll(task, model, NOW, others_wait=others_wait))


def polls_s(schedule: Schedule, others_wait: bool = False) -> list[float]:
    """When a job of which nothing is known but that it runs is polled in its first hour."""
    polls = [0.0]
    while polls[-1] < 3600:
        now = NOW + timedelta(seconds=polls[-1])
        due_at = schedule.next_poll(RUNNING, A_MODEL, now, others_wait=others_wait)
        polls.append(wait_s(due_at))
    return polls[1:]


def learned(
    duration_s: float, request: VideoRequest = NARROW, jobs: int = 30, clock: Clock = "running"
) -> dict[str, str]:
    """Rows that so many jobs of about this duration leave under their own key, and under their model's."""
    state = Durations(100.0)
    for job in range(jobs):
        took_s = duration_s * (0.9 + 0.2 * job / jobs)
        state = observed(state, 0.99 * took_s, 1.01 * took_s)
    return dict.fromkeys(duration_keys(A_MODEL, request, clock), state.to_text())


def test_the_first_poll_comes_before_half_of_all_are_done_and_the_next_ones_closer() -> None:
    polls = [poll for poll in polls_s(Schedule(0)) if poll < 300]
    gaps = [then - before for before, then in pairwise(polls)]
    assert 20 < polls[0] < 100
    assert max(gaps) < 0.6 * polls[0]


def test_polls_are_twice_as_many_while_others_wait_for_the_slot() -> None:
    schedule = Schedule(0)
    few, many = (sum(poll < 150 for poll in polls_s(schedule, others_wait)) for others_wait in (False, True))
    assert many >= 1.7 * few


def test_a_job_is_polled_when_others_like_it_were_done() -> None:
    schedule = Schedule(0)
    before = polls_s(schedule)
    schedule.remember(learned(300.0))
    after = polls_s(schedule)
    assert 200 < after[0] < 300
    assert before[0] < 100, "the plan that stood before is made anew"


def test_a_free_model_is_polled_every_second() -> None:
    assert next_s(Schedule(60), a_task(state=TaskState.SUBMITTING, submitted_at=NOW), FREE_MODEL) == 1
    assert next_s(Schedule(60), RUNNING, FREE_MODEL) == 1


def test_no_poll_is_further_away_than_the_operator_allows() -> None:
    assert next_s(Schedule(0), model=SLOW) > 600
    assert next_s(Schedule(60), model=SLOW) == 60
    assert wait_s(Schedule(60).poll_again(replace(RUNNING, attempts=9), NOW)) == 60
    assert wait_s(Schedule(0).poll_again(replace(RUNNING, attempts=9), NOW)) > 200


@given(st.floats(0, 1e6), st.booleans(), st.sampled_from([0.0, 0.2, 60.0]))
def test_every_poll_has_a_time_to_come(elapsed_s: float, queued: bool, poll_max_s: float) -> None:
    task = RUNNING.polled(None, NOW, queued=queued)
    now = NOW + timedelta(seconds=elapsed_s)
    assert Schedule(poll_max_s).next_poll(task, A_MODEL, now, others_wait=True) > now


def test_a_late_job_is_polled_rarely_whatever_the_bound() -> None:
    late = replace(RUNNING, late_at=NOW)
    assert next_s(Schedule(60), late) == 600
    assert wait_s(Schedule(60).poll_again(late, NOW)) == 600


def test_a_provider_that_says_when_to_ask_again_is_obeyed() -> None:
    assert wait_s(Schedule(60).poll_again(RUNNING, NOW, retry_after_s=900.0)) == 900
    assert wait_s(retry_at(0, NOW, 900.0)) == 900
    assert wait_s(retry_at(9, NOW, 1.0)) > 200


def late_after_s(schedule: Schedule, model: VideoModel = A_MODEL, task: Task = RUNNING) -> float:
    """At which second it is late first."""
    return next(s for s in range(10_000) if schedule.is_late(task, model, NOW + timedelta(seconds=s)))


def test_a_job_is_late_when_nearly_all_others_were_done_and_after_two_minutes_at_least() -> None:
    assert 200 < late_after_s(Schedule()) < 400
    quick = replace(A_MODEL, typical_s=10.0)
    assert late_after_s(Schedule(), quick) == 121
    schedule = Schedule()
    schedule.remember(learned(1000.0))
    assert late_after_s(schedule) > 1050
    told = replace(RUNNING, late_at=NOW)
    assert not schedule.is_late(told, A_MODEL, NOW + timedelta(days=1)), "it is said once"


def test_a_queue_and_the_making_have_a_clock_each() -> None:
    then, later = NOW + timedelta(seconds=50), NOW + timedelta(seconds=80)
    assert clock_of(RUNNING) == ("running", NOW)
    queued = RUNNING.polled(None, then, queued=True)
    assert clock_of(queued) == ("queued", NOW)
    assert clock_of(queued.polled(None, later)) == ("running", later)
    assert clock_of(queued.polled(None, later).polled(None, later, queued=True)) == ("running", later)
    assert clock_of(RUNNING.polled(None, then)) == ("running", NOW), "no queue was seen"


def test_a_long_queue_makes_no_job_late_that_has_only_begun() -> None:
    schedule = Schedule()
    long_queue = NOW + timedelta(seconds=5000)
    begun = RUNNING.polled(None, NOW, queued=True).polled(None, long_queue)
    assert schedule.is_late(RUNNING, A_MODEL, long_queue)
    assert not schedule.is_late(begun, A_MODEL, long_queue + timedelta(seconds=10))


def test_few_videos_of_a_kind_say_less_than_all_of_their_model() -> None:
    schedule = Schedule()
    coarse = duration_keys(A_MODEL, NARROW, "running")[1]
    schedule.remember(learned(50.0) | {coarse: learned(200.0)[coarse]})
    assert schedule.usual_s(A_MODEL, NARROW) == pytest.approx(50, rel=0.1)
    assert schedule.usual_s(A_MODEL) == pytest.approx(200, rel=0.1)
    fine = duration_keys(A_MODEL, NARROW, "running")[0]
    schedule.remember({fine: learned(50.0, jobs=9)[fine]})
    assert schedule.usual_s(A_MODEL, NARROW) == pytest.approx(400, rel=0.1), "twice as long as the usual ones"


SIZES = replace(A_MODEL, resolutions=("720p", "1080p", "1280x960", "4k"))


@pytest.mark.parametrize(
    ("seconds", "resolution", "usual_s"),
    [
        (None, None, 100),
        (5, "720p", 100),
        (10, "720p", 200),
        (5, "1080p", 150),
        (10, "1080p", 300),
        (10, "4k", 600),
    ],
)
def test_before_anything_was_seen_the_usual_time_grows_with_length_and_resolution(
    seconds: int | None, resolution: str | None, usual_s: float
) -> None:
    asked = VideoRequest(model="jimeng-pro", seconds=seconds, resolution=resolution)
    assert Schedule().usual_s(SIZES, asked) == pytest.approx(usual_s, rel=0.03)


def test_jobs_of_one_size_tell_about_other_sizes_until_ten_of_those_were_seen() -> None:
    schedule, rows = Schedule(), dict[str, str]()

    def see(seconds: int, took_s: float, jobs: int) -> None:
        asked = VideoRequest(model="jimeng-pro", seconds=seconds)
        change = lesson(A_MODEL, asked, "running", 0.95 * took_s, 1.05 * took_s)
        for _ in range(jobs):
            rows.update({key: change(key, rows.get(key)) for key in duration_keys(A_MODEL, asked, "running")})
        schedule.remember(rows)

    def usual_s(seconds: int) -> float:
        return schedule.usual_s(A_MODEL, VideoRequest(model="jimeng-pro", seconds=seconds))

    see(10, 90.0, 30)
    assert usual_s(10) == pytest.approx(90, rel=0.07), "measured"
    assert usual_s(5) == pytest.approx(45, rel=0.07), "half of that"
    assert schedule.usual_s(A_MODEL) == pytest.approx(45, rel=0.07), "of the usual size"
    see(5, 70.0, 9)
    assert 45 < usual_s(5) < 77
    see(5, 70.0, 1)
    assert usual_s(5) == pytest.approx(70, rel=0.07), "measured by itself"
    assert usual_s(10) == pytest.approx(90, rel=0.07)


def test_a_queue_of_the_provider_does_not_depend_on_the_size() -> None:
    asked = VideoRequest(model="jimeng-pro", seconds=10)
    task = replace(RUNNING, request=asked, polled_at=NOW)
    assert Schedule().usual_now_s(task, A_MODEL) == pytest.approx(100, rel=0.03)


def test_a_long_video_is_late_later() -> None:
    long_video = replace(RUNNING, request=VideoRequest(model="jimeng-pro", seconds=10))
    after = NOW + timedelta(seconds=400)
    assert Schedule().is_late(RUNNING, A_MODEL, after)
    assert not Schedule().is_late(long_video, A_MODEL, after)


def test_a_request_that_leaves_all_open_is_one_for_the_defaults() -> None:
    open_ = VideoRequest(model="jimeng-pro", prompt="a kite")
    assert duration_keys(A_MODEL, open_, "running") == duration_keys(
        A_MODEL, settle(open_, A_MODEL), "running"
    )
    assert duration_keys(A_MODEL, open_, "running") != duration_keys(A_MODEL, NARROW, "running")
    assert duration_keys(replace(A_MODEL, resolutions=()), open_, "queued")[0] == "jimeng-pro 5s any queued"


def test_what_is_usual_is_the_models_own_word_until_something_was_seen() -> None:
    assert Schedule().usual_s(A_MODEL) == pytest.approx(100, rel=0.02)


def test_a_queue_that_most_stand_in_belongs_to_what_is_usual() -> None:
    schedule = Schedule()
    schedule.remember(learned(60.0, jobs=40) | learned(300.0, jobs=15, clock="queued"))
    assert schedule.usual_s(A_MODEL, NARROW) == pytest.approx(60, rel=0.1)
    schedule.remember(learned(300.0, jobs=25, clock="queued"))
    assert schedule.usual_s(A_MODEL, NARROW) == pytest.approx(360, rel=0.1)
    assert schedule.usual_now_s(replace(RUNNING, request=NARROW), A_MODEL) == pytest.approx(60, rel=0.1)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"typical_s": 3}'])
def test_a_damaged_row_is_as_good_as_none(text: str) -> None:
    schedule = Schedule()
    schedule.remember(dict.fromkeys(duration_keys(A_MODEL, NARROW, "running"), text))
    assert schedule.usual_s(A_MODEL, NARROW) == pytest.approx(200, rel=0.02)


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
def test_a_fault_ends_a_task_after_five_polls_over_a_quarter_of_an_hour(
    faults: list[datetime], gives_up: bool
) -> None:
    assert gives_up_polling("provider_fault", faults, NOW) is gives_up


def test_a_chat_that_cannot_be_told_is_tried_for_two_days() -> None:
    task = a_task(state=TaskState.SUCCEEDED, failing_since=NOW)
    assert not gives_up_telling(a_task(state=TaskState.SUCCEEDED), NOW)
    assert not gives_up_telling(task, NOW + timedelta(hours=47))
    assert gives_up_telling(task, NOW + timedelta(hours=48))


def test_an_unclear_job_holds_its_slot_for_some_multiple_of_the_usual_time() -> None:
    assert wait_s(unclear_until(A_MODEL, NOW)) == 300
    assert wait_s(unclear_until(replace(A_MODEL, keeps_s=60.0), NOW)) == 60


def test_every_step_ends_within_its_lease_or_renews_it() -> None:
    assert schedule.DELIVERY_LEASE_S + schedule.UPLOAD_SLOT_LIMIT_S < schedule.LEASE_S
    assert schedule.RENEW_LEASE_S < schedule.DELIVERY_LEASE_S
    assert schedule.SUBMIT_LIMIT_S < schedule.LEASE_S
    assert schedule.POLL_LIMIT_S < schedule.LEASE_S


def test_a_job_of_cheaper_hours_is_polled_rarely_and_late_only_after_them() -> None:
    model = replace(A_MODEL, off_peak=True)
    request = RUNNING.request.model_copy(update={"off_peak": True})
    job = replace(RUNNING, request=request)
    assert next_s(Schedule(), job, model) == 600
    assert not Schedule().is_late(job, model, NOW + timedelta(hours=47))
    assert Schedule().is_late(job, model, NOW + timedelta(hours=49))
