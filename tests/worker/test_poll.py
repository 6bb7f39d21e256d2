"""Polls: a failing poll is not a failing job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL, NOW, STILL, Clock, Script, ScriptedProvider, WorkerHarness, a_task
from structlog.testing import capture_logs

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, StoreError, Unavailable
from bot.provider import Failed, StillRunning, Succeeded
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker.duration_model import Durations, observed

KEPT = NOW + timedelta(hours=12)


def running(task_id: str = "boat", **changes: Any) -> Task:
    task = a_task(
        task_id, state=TaskState.RUNNING, remote_id="job-1", submitted_at=NOW, keep_until=KEPT, due_at=NOW
    )
    return replace(task, **changes)


async def test_a_job_that_still_runs_is_polled_again_and_its_card_counts(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(StillRunning(0.4), StillRunning(0.3), StillRunning(None))
    await harness.store.tasks.add(running())
    seen: list[float | None] = []
    for _ in range(3):
        await harness.turn_until(lambda task: len(harness.chat.shown) > len(seen))
        seen.append((await harness.get()).progress)
    assert seen == [0.4, 0.4, 0.4]
    assert [task.progress for task in harness.chat.shown] == seen
    looked = [task.polled_at for task in harness.chat.shown]
    assert looked[0] == NOW
    assert looked[2] == harness.clock()
    assert (await harness.get()).running_at == NOW


async def test_a_finished_job_is_delivered_next(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Succeeded("https://videos.example/1", 3600.0))
    await harness.store.tasks.add(running())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.video_url) == (TaskState.SUCCEEDED, "https://videos.example/1")
    assert (task.due_at, task.finished_at, task.keep_until) == (NOW, NOW, KEPT)
    assert [one.answer for one in await harness.store.tasks.attempts("boat")] == ["ok"]


async def test_the_tokens_that_a_provider_billed_are_kept(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Succeeded("https://videos.example/1", 3600.0, billed_tokens=108_900))
    await harness.store.tasks.add(running())
    await harness.turn()
    assert (await harness.get()).billed_tokens == 108_900


async def test_a_failed_job_says_why(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Failed("video_refused", "code 50511"))
    await harness.store.tasks.add(running())
    task = await harness.close_task()
    assert (task.error_code, task.error_detail, task.counts_toward_quota) == (
        "video_refused",
        "code 50511",
        True,
    )
    assert harness.chat.names() == ["tell"]


async def test_a_job_that_is_not_known_yet_is_polled_again(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Failed("not_found"), Succeeded("https://videos.example/1", 3600.0))
    await harness.store.tasks.add(running())
    await harness.turn()
    assert (await harness.get()).state is TaskState.RUNNING
    await harness.turn_until(lambda task: task.state is TaskState.SUCCEEDED)


async def test_a_job_that_is_no_longer_known_has_failed(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Failed("not_found"))
    await harness.store.tasks.add(running(submitted_at=NOW - timedelta(minutes=3)))
    await harness.turn_until(lambda task: task.error_code == "not_found")
    polls = [one for one in await harness.store.tasks.attempts("boat") if one.answer == "not_found"]
    assert len(polls) >= 5
    assert polls[-1].at - polls[0].at >= timedelta(minutes=5)


@pytest.mark.parametrize("code", ["not_found", "no_video"])
async def test_answers_that_are_no_failure_end_no_paid_job_before_they_are_repeated_for_minutes(
    harness: WorkerHarness, code: str
) -> None:
    some = [Failed(code)] * 4
    harness.provider.polls = Script(*some, STILL, *some, Succeeded("https://videos.example/1", 3600.0))
    await harness.store.tasks.add(running(submitted_at=NOW - timedelta(minutes=30)))
    assert (await harness.close_task()).state is TaskState.SUCCEEDED


async def never() -> None:
    raise TimeoutError


def broken() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "answer",
    [
        Unavailable("unreachable"),
        Unavailable("busy"),
        Unavailable("no_slot"),
        AccountProblem("account"),
        OutcomeUnknown("submit_unknown"),
        Rejected("refused"),
        never,
        broken,
    ],
)
async def test_a_poll_that_tells_nothing_is_endured_until_the_provider_forgets_the_job(
    harness: WorkerHarness, answer: object
) -> None:
    harness.provider.polls = Script(answer)
    await harness.store.tasks.add(running(keep_until=NOW + timedelta(minutes=30)))
    task = await harness.turn_until(lambda task: task.state is not TaskState.RUNNING)
    assert (task.state, task.error_code) == (TaskState.FAILED, "expired")
    assert harness.clock() > NOW + timedelta(minutes=30)
    assert len(await harness.store.tasks.attempts("boat")) == harness.provider.polls.count


async def test_a_provider_that_asks_for_a_pause_gets_it(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Unavailable("busy", retry_after_s=500.0), STILL)
    await harness.store.tasks.add(running())
    await harness.turn()
    assert (await harness.get()).due_at == NOW + timedelta(seconds=500)


async def test_a_fault_ends_the_task_after_five_polls_over_a_quarter_of_an_hour(
    harness: WorkerHarness,
) -> None:
    harness.provider.polls = Script(Unavailable("provider_fault", "code 50500"))
    await harness.store.tasks.add(running())
    task = await harness.turn_until(lambda task: task.state is TaskState.FAILED)
    assert task.error_code == "provider_fault"
    assert harness.provider.polls.count >= 5
    assert timedelta(minutes=15) <= harness.clock() - NOW < timedelta(minutes=17)


async def test_faults_far_apart_need_to_be_five(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(store, provider, clock, tmp_path)
    provider.polls = Script(Unavailable("provider_fault", retry_after_s=3000.0))
    await store.tasks.add(running())
    task = await harness.turn_until(lambda task: task.state is TaskState.FAILED)
    assert task.error_code == "provider_fault"
    assert provider.polls.count == 5


async def test_an_outage_before_a_fault_does_not_count_against_the_job(harness: WorkerHarness) -> None:
    outage = [Unavailable("unreachable")] * 20
    harness.provider.polls = Script(
        *outage, *[Unavailable("provider_fault")] * 4, Succeeded("https://videos.example/1", 3600.0)
    )
    await harness.store.tasks.add(running())
    task = await harness.turn_until(lambda task: task.state is not TaskState.RUNNING)
    assert task.state is TaskState.SUCCEEDED


@pytest.mark.parametrize("other", [Unavailable("busy"), Unavailable("no_slot"), Unavailable("unreachable")])
async def test_nothing_but_a_fault_ends_the_task_however_many_faults_came_before(
    harness: WorkerHarness, other: ProviderError
) -> None:
    faults: list[object] = [Unavailable("provider_fault", retry_after_s=250.0)] * 4
    harness.provider.polls = Script(*faults, other, Succeeded("https://videos.example/1", 3600.0))
    await harness.store.tasks.add(running())
    task = await harness.turn_until(lambda task: task.state is not TaskState.RUNNING)
    assert task.state is TaskState.SUCCEEDED
    assert harness.clock() - NOW > timedelta(minutes=15)


async def test_a_good_poll_between_faults_begins_the_count_anew(harness: WorkerHarness) -> None:
    faults: list[object] = [Unavailable("provider_fault", retry_after_s=600.0)] * 4
    harness.provider.polls = Script(
        *faults, STILL, *faults, STILL, Succeeded("https://videos.example/1", 1.0)
    )
    await harness.store.tasks.add(running())
    task = await harness.turn_until(lambda task: task.state is not TaskState.RUNNING)
    assert task.state is TaskState.SUCCEEDED


async def test_a_late_job_is_told_of_once_and_then_polled_rarely(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL)
    await harness.store.tasks.add(running())
    late = await harness.turn_until(lambda task: task.late_at is not None)
    assert late.late_at is not None
    assert timedelta(seconds=250) < late.late_at - NOW < timedelta(seconds=350)
    assert late.due_at == late.late_at + timedelta(minutes=10)
    before = len(harness.chat.shown)
    await harness.turn_until(lambda task: len(harness.chat.shown) == before + 3)
    assert (await harness.get()).late_at == late.late_at


async def test_a_job_that_still_runs_when_its_keeping_time_is_over_has_expired(
    harness: WorkerHarness,
) -> None:
    harness.provider.polls = Script(STILL)
    await harness.store.tasks.add(running(keep_until=NOW, due_at=NOW + timedelta(seconds=1)))
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, "expired")


async def test_a_late_video_is_delivered_all_the_same(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(Succeeded("https://videos.example/1", 3600.0))
    await harness.store.tasks.add(running(late_at=NOW, due_at=KEPT + timedelta(hours=1)))
    assert (await harness.close_task()).state is TaskState.SUCCEEDED
    assert harness.chat.names() == ["deliver"]


async def test_a_hidden_job_is_watched_without_a_word(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL)
    await harness.store.tasks.add(running(detached=True))
    await harness.turn()
    assert harness.chat.shown == []
    assert (await harness.get()).slot_until == KEPT


async def test_a_model_that_was_taken_away_may_come_back_until_the_job_is_forgotten(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    await store.tasks.add(running())
    without = WorkerHarness(store, provider, clock, tmp_path, models={})
    await without.turn()
    assert (await without.get()).state is TaskState.RUNNING
    clock.advance(600)
    again = WorkerHarness(store, provider, clock, tmp_path, models={A_MODEL.name: A_MODEL})
    await again.turn()
    assert (await again.get()).state is TaskState.SUCCEEDED


async def test_an_outage_is_two_lines_in_the_log_however_many_polls_it_spoils(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(
        Unavailable("unreachable"), never, Unavailable("busy"), *[Unavailable("unreachable")] * 5, STILL
    )
    await harness.store.tasks.add(running())
    with capture_logs() as lines:
        await harness.turn_until(lambda task: len(harness.chat.shown) > 0)
    told = [line["event"] for line in lines if line["log_level"] != "debug"]
    assert told == ["polls fail", "the provider answers again"]


async def test_a_poll_that_never_ends_is_ended(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.schedule.POLL_LIMIT_S", 0.01)
    harness.provider.polls = Script(asyncio.Event().wait, STILL)
    await harness.store.tasks.add(running())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.attempts) == (TaskState.RUNNING, 1)


def test_every_error_of_a_poll_is_of_one_family() -> None:
    assert {Unavailable, Rejected, AccountProblem, OutcomeUnknown} == set(ProviderError.__subclasses__())


# What polls teach.

QUEUED = StillRunning(queued=True)
MADE = Succeeded("https://videos.example/1", 3600.0)
FINE, COARSE = "jimeng-pro 5s 1080p running", "jimeng-pro running"


def once(not_done_at_s: float, done_at_s: float | None) -> Durations:
    """What one such job leaves of what was known before, as it is stored."""
    return Durations.from_text(observed(Durations(A_MODEL.typical_s), not_done_at_s, done_at_s).to_text())


async def poll_at(harness: WorkerHarness, *at_s: float) -> None:
    """Polls at these seconds after the submit; the last answer is the end."""
    await harness.store.tasks.add(running())
    for moment_s in at_s:
        harness.clock.now = NOW + timedelta(seconds=moment_s)
        await harness.worker.step(await harness.get())


async def learned(harness: WorkerHarness) -> dict[str, Durations]:
    return {
        key: Durations.from_text(text) for key, text in (await harness.store.providers.durations()).items()
    }


async def test_a_finished_job_teaches_how_long_such_jobs_take(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL, MADE)
    await poll_at(harness, 40, 44)
    assert await learned(harness) == {FINE: once(40, 44), COARSE: once(40, 44)}
    assert once(40, 44).tasks == 1
    assert harness.schedule.usual_s(A_MODEL) == once(40, 44).usual_s() < 90, "and is counted on at once"


async def test_a_job_that_was_done_at_the_first_poll_teaches_that_too(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(MADE)
    await poll_at(harness, 30)
    assert (await learned(harness))[FINE] == once(0, 30)


async def test_a_poll_that_failed_says_nothing_of_when_the_job_was_done(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL, Unavailable("unreachable"), MADE)
    await poll_at(harness, 40, 60, 80)
    assert (await learned(harness))[FINE] == once(40, 80)


@pytest.mark.parametrize("end", [Failed("video_refused"), Unavailable("provider_fault", retry_after_s=800.0)])
async def test_a_job_that_failed_teaches_only_that_it_was_not_done_before(
    harness: WorkerHarness, end: object
) -> None:
    harness.provider.polls = Script(STILL, end)
    await harness.store.tasks.add(running())
    harness.clock.advance(200)
    await harness.worker.step(await harness.get())
    await harness.turn_until(lambda task: task.state is TaskState.FAILED)
    (fine, coarse) = (await learned(harness)).values()
    assert fine == coarse == once(200, None)
    assert fine.tasks == 0


async def test_a_job_that_expired_teaches_the_same(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL)
    await harness.store.tasks.add(
        running(polled_at=NOW + timedelta(seconds=300), running_at=NOW, keep_until=NOW)
    )
    harness.clock.advance(400)
    await harness.worker.step(await harness.get())
    assert (await harness.get()).error_code == "expired"
    assert (await learned(harness))[FINE].late_s() > Durations(A_MODEL.typical_s).late_s()


async def test_the_queue_of_a_provider_and_the_making_are_timed_apart(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(QUEUED, QUEUED, STILL, STILL, MADE)
    await poll_at(harness, 10, 20, 26, 60, 64)
    rows = await learned(harness)
    assert sorted(rows) == sorted([FINE, COARSE, "jimeng-pro 5s 1080p queued", "jimeng-pro queued"])
    assert rows["jimeng-pro queued"] == once(20, 26)
    assert rows[COARSE] == once(34, 38)


async def test_a_provider_without_a_queue_is_timed_from_the_submit(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL, STILL, MADE)
    await poll_at(harness, 30, 50, 60)
    assert (await learned(harness))[FINE] == once(50, 60)


async def test_a_damaged_row_is_learned_anew(harness: WorkerHarness) -> None:
    await harness.store.providers.learn([FINE], lambda _key, _text: "nonsense")
    harness.provider.polls = Script(MADE)
    await poll_at(harness, 30)
    assert (await learned(harness))[FINE].tasks == 1


async def test_a_failed_lesson_costs_no_video(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    class Forgetful:
        async def durations(self) -> dict[str, str]:
            return {}

        async def learn(self, keys: object, change: object) -> dict[str, str]:
            raise StoreError("its disk is full")

    forgetful: Any = Forgetful()
    harness = WorkerHarness(store, provider, clock, tmp_path, durations=forgetful)
    await store.tasks.add(running())
    with capture_logs() as lines:
        task = await harness.close_task()
    assert task.state is TaskState.SUCCEEDED
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "a duration could not be stored"
    ]


async def test_polls_come_closer_while_others_wait_for_the_slot(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(STILL)
    await poll_at(harness, 60)
    alone = await harness.get()
    await harness.store.tasks.add(a_task("next", due_at=NOW))
    await harness.worker.step(alone)
    crowded = await harness.get()
    assert alone.due_at is not None
    assert crowded.due_at is not None
    assert crowded.due_at < alone.due_at
