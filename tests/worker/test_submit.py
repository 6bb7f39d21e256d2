"""The one place where money is spent: every answer, every crash and every person who stops waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL, A_PHOTO, NOW, Clock, Script, ScriptedProvider, WorkerHarness, a_task
from structlog.testing import capture_logs

from bot.errors import (
    AccountProblem,
    CallUnclear,
    CardGone,
    ChatBusy,
    MediaError,
    OutcomeUnknown,
    Rejected,
    StaleTask,
    Unavailable,
)
from bot.log import redactor
from bot.media.media_info import FitPhoto
from bot.provider import Accepted, Failed, PhotoLink, Succeeded
from bot.request import VideoRequest, check_request, shown
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker import schedule
from bot.worker.journal import TaskJournal

WITH_PHOTO = VideoRequest(model="jimeng-pro", prompt="the leaves move", photos=("photo-1",))


async def test_the_intent_is_saved_before_the_provider_is_called(harness: WorkerHarness) -> None:
    seen: list[Task] = []

    async def answer() -> Accepted:
        seen.append(await harness.get())
        return Accepted("job-1")

    harness.provider.submits = Script(answer)
    await harness.store.tasks.add(a_task())
    await harness.turn()
    (before,) = seen
    assert (before.state, before.submitted_at, before.remote_id) == (TaskState.SUBMITTING, NOW, None)
    assert before.due_at == NOW + timedelta(seconds=schedule.LEASE_S)
    assert before.slot_until == NOW + timedelta(seconds=A_MODEL.keeps_s)
    assert [task.state for task in harness.chat.shown] == [TaskState.SUBMITTING, TaskState.RUNNING]


async def test_an_accepted_task_runs_and_is_polled_in_time(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(Accepted("job-1", detail="call 7"))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.remote_id) == (TaskState.RUNNING, "job-1")
    assert task.due_at == harness.schedule.next_poll(task, A_MODEL, NOW, others_wait=False)
    assert task.keep_until == NOW + timedelta(seconds=A_MODEL.keeps_s)
    (attempt,) = await harness.store.tasks.attempts("boat")
    assert (attempt.call, attempt.answer, attempt.detail) == ("submit", "ok", "call 7")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Succeeded("https://videos.example/1", 60.0), TaskState.SUCCEEDED),
        (Failed("prompt_refused"), TaskState.FAILED),
    ],
)
async def test_an_answer_with_the_end_in_it_is_read_at_once(
    harness: WorkerHarness, status: Succeeded | Failed, state: TaskState
) -> None:
    harness.provider.submits = Script(Accepted("job-1", status))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.remote_id) == (state, "job-1")
    assert harness.provider.polls.count == 0


async def test_what_was_certainly_not_accepted_is_tried_again_later(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(
        Unavailable("unreachable"), Unavailable("provider_fault", retry_after_s=120.0), Accepted("job-1")
    )
    await harness.store.tasks.add(a_task())
    await harness.turn()
    first = await harness.get()
    assert (first.state, first.error_code, first.attempts) == (TaskState.QUEUED, "unreachable", 1)
    assert first.due_at is not None
    assert 1.8 <= (first.due_at - NOW).total_seconds() <= 2.2
    assert first.slot_until is None
    harness.clock.advance(3)
    await harness.turn()
    second = await harness.get()
    assert second.due_at == harness.clock() + timedelta(seconds=120)
    await harness.turn()
    assert harness.provider.submits.count == 2
    harness.clock.advance(121)
    await harness.turn()
    assert ((await harness.get()).state, (await harness.get()).attempts) == (TaskState.RUNNING, 0)
    assert [one.answer for one in await harness.store.tasks.attempts("boat")] == [
        "unreachable",
        "provider_fault",
        "ok",
    ]


async def cut_off() -> None:
    raise TimeoutError


def broken() -> None:
    raise ZeroDivisionError("a defect of an adapter")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Rejected("prompt_refused", "code 50412"), "prompt_refused"),
        (Rejected("refused", "code 50999"), "refused"),
        (AccountProblem("account", "code 50400"), "account"),
        (OutcomeUnknown("submit_unknown", "HTTP 502"), "submit_unknown"),
        (cut_off, "submit_unknown"),
        (broken, "submit_unknown"),
    ],
)
async def test_every_other_answer_ends_the_task_and_is_never_repeated(
    harness: WorkerHarness, answer: object, code: str
) -> None:
    harness.provider.submits = Script(answer)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, code)
    assert harness.provider.submits.count == 1
    assert harness.chat.names() == ["tell"]
    (attempt,) = await harness.store.tasks.attempts("boat")
    assert (attempt.call, attempt.answer) == ("submit", code)


async def test_an_unclear_job_keeps_its_slot_for_a_while(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(OutcomeUnknown("submit_unknown"), Accepted("job-2"))
    await harness.store.tasks.add(a_task())
    await harness.store.tasks.add(a_task("kite", due_at=NOW + timedelta(seconds=1)))
    await harness.close_task()
    harness.clock.now = NOW + timedelta(seconds=299)
    await harness.turn()
    assert (await harness.get("kite")).state is TaskState.QUEUED
    harness.clock.advance(2)
    await harness.turn()
    assert (await harness.get("kite")).state is TaskState.RUNNING


async def test_an_account_that_is_refused_is_an_error_in_the_log(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(AccountProblem("account", "code 50400"))
    await harness.store.tasks.add(a_task())
    with capture_logs() as lines:
        await harness.turn()
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["provider"], line["detail"]) == ("cloud", "code 50400")


async def test_a_crash_in_the_middle_counts_as_an_unknown_outcome(harness: WorkerHarness) -> None:
    lease_end = NOW + timedelta(seconds=schedule.LEASE_S)
    await harness.store.tasks.add(a_task().submitting(NOW, lease_end, lease_end))
    task = await harness.close_task()
    assert (task.error_code, harness.provider.submits.count) == ("submit_unknown", 0)


# Before anything is bought.


async def test_photos_come_before_the_intent_and_reach_the_provider(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    await harness.turn()
    assert harness.provider.photos == [[b"a photo"]]


async def test_photos_are_in_memory_for_so_many_persons_at_once(harness: WorkerHarness) -> None:
    held, free = 0, asyncio.Event()

    async def take() -> Accepted:
        nonlocal held
        held += 1
        await free.wait()
        return Accepted("job-1")

    harness.provider.submits = Script(take)
    leased = NOW + timedelta(seconds=schedule.LEASE_S)
    tasks = [
        a_task(f"boat-{number}", request=WITH_PHOTO, due_at=leased, user_id=number // 2)
        for number in range(20)
    ]
    steps = [asyncio.create_task(harness.worker.step(await harness.store.tasks.add(task))) for task in tasks]
    async with asyncio.timeout(20):
        while held < 6:
            await asyncio.sleep(0)
        words = asyncio.create_task(
            harness.worker.step(await harness.store.tasks.add(a_task("words", due_at=leased)))
        )
        while held < 7:
            await asyncio.sleep(0)
        assert [len(photos) for photos in harness.provider.photos] == [1] * 6 + [0]
        free.set()
        await asyncio.gather(*steps, words)
    assert [(await harness.get(task.id)).state for task in tasks] == [TaskState.RUNNING] * 20


async def test_a_photo_that_is_gone_ends_the_task_for_free(harness: WorkerHarness) -> None:
    harness.chat.scripts["photo"] = Script(MediaError("photo_gone"))
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    task = await harness.close_task()
    assert (task.error_code, task.submitted_at, task.counts_toward_quota) == ("photo_gone", None, False)
    assert harness.provider.submits.count == 0


async def test_a_chat_that_cannot_give_the_photo_yet_is_asked_again(harness: WorkerHarness) -> None:
    harness.chat.scripts["photo"] = Script(ChatBusy(40.0), CallUnclear("TimedOut"), CardGone("?"), A_PHOTO)
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    await harness.turn()
    assert (await harness.get()).due_at == NOW + timedelta(seconds=40)
    await harness.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert harness.provider.submits.count == 1


async def test_a_photo_that_cannot_be_had_for_two_days_ends_the_task_for_free(harness: WorkerHarness) -> None:
    harness.chat.scripts["photo"] = Script(CallUnclear("TimedOut"))
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    task = await harness.turn_until(lambda task: task.state is TaskState.FAILED, most=1000)
    assert (task.error_code, task.counts_toward_quota, harness.provider.submits.count) == (
        "photo_gone",
        False,
        0,
    )
    assert harness.clock() - NOW >= timedelta(days=2)


@pytest.mark.parametrize(("chosen", "sent"), [(None, "9:16"), ("16:9", "16:9")])
async def test_a_ratio_that_was_left_open_is_the_photos(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path, chosen: str | None, sent: str
) -> None:
    model = replace(A_MODEL, ratio_with_photo=True)
    harness = WorkerHarness(store, ScriptedProvider(clip, models=[model]), clock, tmp_path)
    harness.chat.scripts["photo"] = Script(FitPhoto(b"tall", 900, 1500, "image/jpeg"))
    await harness.store.tasks.add(a_task(request=WITH_PHOTO.model_copy(update={"ratio": chosen})))
    await harness.turn()
    assert [request.ratio for request in harness.provider.requests] == [sent]
    assert (await harness.get()).request.ratio == sent


async def test_a_model_that_takes_links_gets_one_of_a_photo_that_was_read(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(
        store, ScriptedProvider(clip, models=[replace(A_MODEL, photo_as="link")]), clock, tmp_path
    )
    harness.chat.scripts["photo"] = Script(A_PHOTO)
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    await harness.turn()
    assert harness.provider.photos == [[PhotoLink("https://bot.example/boat/0", 1200, 800)]]
    assert harness.chat.scripts["photo"].count == 1


async def test_a_slow_photo_that_leaves_too_little_lease_puts_the_task_off(harness: WorkerHarness) -> None:
    def slow() -> FitPhoto:
        harness.clock.advance(schedule.LEASE_S - schedule.SUBMIT_LIMIT_S)
        return A_PHOTO

    harness.chat.scripts["photo"] = Script(slow, A_PHOTO)
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.attempts, harness.provider.submits.count) == (TaskState.QUEUED, 1, 0)
    await harness.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert harness.provider.submits.count == 1


async def test_a_model_that_was_taken_away_ends_the_task_for_free(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(store, provider, clock, tmp_path, models={})
    await store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.error_code, provider.submits.count) == ("model_gone", 0)


# People who stop waiting.


async def test_a_queued_task_that_nobody_waits_for_is_cancelled_without_a_call(
    harness: WorkerHarness,
) -> None:
    await harness.store.tasks.add(a_task())
    await harness.store.tasks.save((await harness.get()).hide(NOW))
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.CANCELLED, "cancelled")
    assert harness.provider.submits.count == 0


def stopping(harness: WorkerHarness, answer: object) -> Callable[[], Awaitable[Any]]:
    """The person presses the button while the provider answers."""

    async def stop() -> Any:
        await harness.store.tasks.save((await harness.get()).hide(harness.clock()))
        return await Script(answer).next()

    return stop


async def test_an_id_is_kept_although_its_person_stopped_waiting_meanwhile(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(stopping(harness, Accepted("job-1")))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.remote_id, task.detached) == (TaskState.RUNNING, "job-1", True)
    assert len(await harness.store.tasks.attempts("boat")) == 1


async def test_a_refusal_is_kept_although_its_person_stopped_waiting_meanwhile(
    harness: WorkerHarness,
) -> None:
    harness.provider.submits = Script(stopping(harness, Rejected("prompt_refused")))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.error_code) == (TaskState.FAILED, "prompt_refused")
    await harness.turn()
    assert harness.chat.names() == ["tell"], "the card said that it was paid for"


async def test_what_was_not_accepted_and_is_not_waited_for_is_cancelled(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(stopping(harness, Unavailable("busy", retry_after_s=600.0)))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.error_code, task.counts_toward_quota) == (
        TaskState.CANCELLED,
        "cancelled",
        False,
    )


async def test_an_unknown_outcome_is_kept_although_its_person_stopped_waiting_meanwhile(
    harness: WorkerHarness,
) -> None:
    harness.provider.submits = Script(stopping(harness, OutcomeUnknown("submit_unknown")))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    assert (await harness.get()).error_code == "submit_unknown"
    await harness.turn()
    assert harness.chat.names() == []


async def test_who_stops_waiting_in_the_last_moment_pays_nothing(harness: WorkerHarness) -> None:
    async def stop() -> FitPhoto:
        await harness.store.tasks.save((await harness.get()).hide(harness.clock()))
        return A_PHOTO

    harness.chat.scripts["photo"] = Script(stop)
    await harness.store.tasks.add(a_task(request=WITH_PHOTO))
    await harness.turn()
    assert harness.provider.submits.count == 0
    assert (await harness.close_task()).state is TaskState.CANCELLED


async def test_an_id_that_comes_after_the_task_was_given_up_is_accepted(harness: WorkerHarness) -> None:
    async def late() -> Accepted:
        harness.clock.advance(schedule.LEASE_S + 1)
        (lost,) = await harness.store.tasks.claim(harness.clock(), schedule.LEASE_S, 1, harness.slots)
        await harness.worker.step(lost)
        assert (await harness.get()).error_code == "submit_unknown"
        return Accepted("job-1")

    harness.provider.submits = Script(late)
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.remote_id, task.error_code) == (TaskState.RUNNING, "job-1", None)


async def test_giving_up_a_submit_never_overwrites_an_id_that_came_just_before(
    harness: WorkerHarness,
) -> None:
    lease_end = NOW + timedelta(seconds=schedule.LEASE_S)
    await harness.store.tasks.add(a_task().submitting(NOW, lease_end, lease_end))
    harness.clock.now = lease_end
    (lost,) = await harness.store.tasks.claim(lease_end, schedule.LEASE_S, 1, {})
    await harness.store.tasks.save((await harness.get()).accepted("job-1", lease_end, lease_end))
    with pytest.raises(StaleTask):
        await harness.worker.step(lost)
    assert ((await harness.get()).state, (await harness.get()).remote_id) == (TaskState.RUNNING, "job-1")


@pytest.mark.parametrize("code", ["provider_fault", "unreachable"])
async def test_a_provider_that_stays_down_is_not_asked_for_ever(harness: WorkerHarness, code: str) -> None:
    harness.provider.submits = Script(*[Unavailable(code, "code 50500")] * 100)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code, task.counts_toward_quota) == (
        TaskState.FAILED,
        "provider_fault",
        False,
    )
    assert timedelta(hours=1) <= harness.clock() - NOW <= timedelta(hours=2)
    assert harness.provider.submits.count < 30


async def test_a_refused_account_is_written_down_before_anybody_is_told(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(AccountProblem("account", "HTTP 402", trouble="no_balance"))
    seen: list[TaskState] = []

    async def tell(_: object) -> None:
        seen.append((await harness.get()).state)

    harness.on_notice = tell
    await harness.store.tasks.add(a_task())
    await harness.turn()
    assert seen == [TaskState.FAILED]


async def test_a_model_that_is_not_sold_any_more_costs_nothing_and_is_hidden(
    harness: WorkerHarness,
) -> None:
    refusal = AccountProblem("model_gone", "HTTP 404", trouble="model_gone")
    harness.provider.submits = Script(refusal)
    for task_id in ("boat", "kite"):
        await harness.store.tasks.add(a_task(task_id))
        await harness.close_task(task_id)
    tasks = [await harness.get(task_id) for task_id in ("boat", "kite")]
    assert [task.error_code for task in tasks] == ["model_gone", "model_gone"]
    assert harness.provider.submits.count == 1
    assert [notice.key for notice in harness.notices] == ["trouble_model_gone"]
    models = harness.worker.submitter._deps.models
    assert shown(models) == []
    [problem] = check_request(tasks[0].request, models["jimeng-pro"])
    assert problem.code == "model_not_sold"


async def test_no_secret_in_an_answer_is_stored(harness: WorkerHarness) -> None:
    journal = TaskJournal(
        harness.store.tasks, harness.clock, lambda _, __: None, redactor(["a-secret-key-of-ours"])
    )
    task = await harness.store.tasks.add(a_task(state=TaskState.SUBMITTING))
    error = OutcomeUnknown("submit_unknown", "task a-secret-key-of-ours")
    attempt = journal.attempt(task, "submit", harness.clock(), error)
    await journal.update(task, lambda row: row.failed(error.code, error.detail, harness.clock()), attempt)
    [stored] = await harness.store.tasks.attempts(task.id)
    saved = await harness.get()
    assert "a-secret-key" not in f"{stored.detail} {saved.error_detail}"
    assert saved.error_detail == stored.detail == "task [hidden]"
