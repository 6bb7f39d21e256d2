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
from bot.media.media_info import FitPhoto
from bot.provider import Accepted, Failed, PhotoLink, Succeeded
from bot.request import VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker import schedule

WITH_PHOTO = VideoRequest(model="jimeng-pro", prompt="the leaves move", photos=("photo-1",))


async def test_the_intent_is_saved_before_the_provider_is_called(house: WorkerHarness) -> None:
    seen: list[Task] = []

    async def answer() -> Accepted:
        seen.append(await house.get())
        return Accepted("job-1")

    house.provider.submits = Script(answer)
    await house.store.add(a_task())
    await house.turn()
    (before,) = seen
    assert (before.state, before.submitted_at, before.remote_id) == (TaskState.SUBMITTING, NOW, None)
    assert before.due_at == NOW + timedelta(seconds=schedule.LEASE_S)
    assert before.slot_until == NOW + timedelta(seconds=A_MODEL.keeps_s)
    assert [task.state for task in house.chat.shown] == [TaskState.SUBMITTING, TaskState.RUNNING]


async def test_an_accepted_task_runs_and_is_looked_at_in_time(house: WorkerHarness) -> None:
    house.provider.submits = Script(Accepted("job-1", detail="call 7"))
    await house.store.add(a_task())
    await house.turn()
    task = await house.get()
    assert (task.state, task.remote_id) == (TaskState.RUNNING, "job-1")
    assert task.due_at == house.timing.next_look(task, A_MODEL, NOW, others_wait=False)
    assert task.keep_until == NOW + timedelta(seconds=A_MODEL.keeps_s)
    (attempt,) = await house.store.attempts("boat")
    assert (attempt.call, attempt.answer, attempt.detail) == ("submit", "ok", "call 7")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Succeeded("https://videos.example/1", 60.0), TaskState.SUCCEEDED),
        (Failed("prompt_refused"), TaskState.FAILED),
    ],
)
async def test_an_answer_with_the_end_in_it_is_read_at_once(
    house: WorkerHarness, status: Succeeded | Failed, state: TaskState
) -> None:
    house.provider.submits = Script(Accepted("job-1", status))
    await house.store.add(a_task())
    await house.turn()
    task = await house.get()
    assert (task.state, task.remote_id) == (state, "job-1")
    assert house.provider.polls.count == 0


async def test_what_was_certainly_not_accepted_is_tried_again_later(house: WorkerHarness) -> None:
    house.provider.submits = Script(
        Unavailable("unreachable"), Unavailable("provider_fault", retry_after_s=120.0), Accepted("job-1")
    )
    await house.store.add(a_task())
    await house.turn()
    first = await house.get()
    assert (first.state, first.error_code, first.attempts) == (TaskState.QUEUED, "unreachable", 1)
    assert first.due_at is not None
    assert 1.8 <= (first.due_at - NOW).total_seconds() <= 2.2
    assert first.slot_until is None
    house.clock.advance(3)
    await house.turn()
    second = await house.get()
    assert second.due_at == house.clock() + timedelta(seconds=120)
    await house.turn()
    assert house.provider.submits.count == 2
    house.clock.advance(121)
    await house.turn()
    assert ((await house.get()).state, (await house.get()).attempts) == (TaskState.RUNNING, 0)
    assert [one.answer for one in await house.store.attempts("boat")] == [
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
    house: WorkerHarness, answer: object, code: str
) -> None:
    house.provider.submits = Script(answer)
    await house.store.add(a_task())
    task = await house.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, code)
    assert house.provider.submits.count == 1
    assert house.chat.names() == ["tell"]
    (attempt,) = await house.store.attempts("boat")
    assert (attempt.call, attempt.answer) == ("submit", code)


async def test_an_unclear_job_keeps_its_slot_for_a_while(house: WorkerHarness) -> None:
    house.provider.submits = Script(OutcomeUnknown("submit_unknown"), Accepted("job-2"))
    await house.store.add(a_task())
    await house.store.add(a_task("kite", due_at=NOW + timedelta(seconds=1)))
    await house.close_task()
    house.clock.now = NOW + timedelta(seconds=299)
    await house.turn()
    assert (await house.get("kite")).state is TaskState.QUEUED
    house.clock.advance(2)
    await house.turn()
    assert (await house.get("kite")).state is TaskState.RUNNING


async def test_an_account_that_is_refused_is_an_error_in_the_log(house: WorkerHarness) -> None:
    house.provider.submits = Script(AccountProblem("account", "code 50400"))
    await house.store.add(a_task())
    with capture_logs() as lines:
        await house.turn()
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["provider"], line["detail"]) == ("cloud", "code 50400")


async def test_a_crash_in_the_middle_counts_as_an_unknown_outcome(house: WorkerHarness) -> None:
    lease_end = NOW + timedelta(seconds=schedule.LEASE_S)
    await house.store.add(a_task().submitting(NOW, lease_end, lease_end))
    task = await house.close_task()
    assert (task.error_code, house.provider.submits.count) == ("submit_unknown", 0)


# Before anything is bought.


async def test_photos_come_before_the_intent_and_reach_the_provider(house: WorkerHarness) -> None:
    await house.store.add(a_task(request=WITH_PHOTO))
    await house.turn()
    assert house.provider.photos == [[b"a photo"]]


async def test_photos_are_in_memory_for_so_many_submits_at_once(house: WorkerHarness) -> None:
    held, free = 0, asyncio.Event()

    async def take() -> Accepted:
        nonlocal held
        held += 1
        await free.wait()
        return Accepted("job-1")

    house.provider.submits = Script(take)
    leased = NOW + timedelta(seconds=schedule.LEASE_S)
    tasks = [a_task(f"boat-{number}", request=WITH_PHOTO, due_at=leased) for number in range(20)]
    steps = [asyncio.create_task(house.worker.step(await house.store.add(task))) for task in tasks]
    async with asyncio.timeout(20):
        while held < 16:
            await asyncio.sleep(0)
        words = asyncio.create_task(house.worker.step(await house.store.add(a_task("words", due_at=leased))))
        while held < 17:
            await asyncio.sleep(0)
        assert [len(photos) for photos in house.provider.photos] == [1] * 16 + [0]
        free.set()
        await asyncio.gather(*steps, words)
    assert [(await house.get(task.id)).state for task in tasks] == [TaskState.RUNNING] * 20


async def test_a_photo_that_is_gone_ends_the_task_for_free(house: WorkerHarness) -> None:
    house.chat.scripts["photo"] = Script(MediaError("photo_gone"))
    await house.store.add(a_task(request=WITH_PHOTO))
    task = await house.close_task()
    assert (task.error_code, task.submitted_at, task.counts) == ("photo_gone", None, False)
    assert house.provider.submits.count == 0


async def test_a_chat_that_cannot_give_the_photo_yet_is_asked_again(house: WorkerHarness) -> None:
    house.chat.scripts["photo"] = Script(ChatBusy(40.0), CallUnclear("TimedOut"), CardGone("?"), A_PHOTO)
    await house.store.add(a_task(request=WITH_PHOTO))
    await house.turn()
    assert (await house.get()).due_at == NOW + timedelta(seconds=40)
    await house.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert house.provider.submits.count == 1


async def test_a_photo_that_cannot_be_had_for_two_days_ends_the_task_for_free(house: WorkerHarness) -> None:
    house.chat.scripts["photo"] = Script(CallUnclear("TimedOut"))
    await house.store.add(a_task(request=WITH_PHOTO))
    task = await house.turn_until(lambda task: task.state is TaskState.FAILED, most=1000)
    assert (task.error_code, task.counts, house.provider.submits.count) == ("photo_gone", False, 0)
    assert house.clock() - NOW >= timedelta(days=2)


@pytest.mark.parametrize(("chosen", "sent"), [(None, "9:16"), ("16:9", "16:9")])
async def test_a_ratio_that_was_left_open_is_the_photos(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path, chosen: str | None, sent: str
) -> None:
    model = replace(A_MODEL, ratio_with_photo=True)
    house = WorkerHarness(store, ScriptedProvider(clip, models=[model]), clock, tmp_path)
    house.chat.scripts["photo"] = Script(FitPhoto(b"tall", 900, 1500, "image/jpeg"))
    await house.store.add(a_task(request=WITH_PHOTO.model_copy(update={"ratio": chosen})))
    await house.turn()
    assert [request.ratio for request in house.provider.requests] == [sent]
    assert (await house.get()).request.ratio == sent


async def test_a_model_that_takes_links_gets_one_of_a_photo_that_was_read(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path
) -> None:
    house = WorkerHarness(
        store, ScriptedProvider(clip, models=[replace(A_MODEL, photo_as="link")]), clock, tmp_path
    )
    house.chat.scripts["photo"] = Script(A_PHOTO)
    await house.store.add(a_task(request=WITH_PHOTO))
    await house.turn()
    assert house.provider.photos == [[PhotoLink("https://bot.example/boat/0", 1200, 800)]]
    assert house.chat.scripts["photo"].count == 1


async def test_a_slow_photo_that_leaves_too_little_lease_puts_the_task_off(house: WorkerHarness) -> None:
    def slow() -> FitPhoto:
        house.clock.advance(schedule.LEASE_S - schedule.SUBMIT_LIMIT_S)
        return A_PHOTO

    house.chat.scripts["photo"] = Script(slow, A_PHOTO)
    await house.store.add(a_task(request=WITH_PHOTO))
    await house.turn()
    task = await house.get()
    assert (task.state, task.attempts, house.provider.submits.count) == (TaskState.QUEUED, 1, 0)
    await house.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert house.provider.submits.count == 1


async def test_a_model_that_was_taken_away_ends_the_task_for_free(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    house = WorkerHarness(store, provider, clock, tmp_path, models={})
    await store.add(a_task())
    task = await house.close_task()
    assert (task.error_code, provider.submits.count) == ("model_gone", 0)


# People who stop waiting.


async def test_a_queued_task_that_nobody_waits_for_is_cancelled_without_a_call(house: WorkerHarness) -> None:
    await house.store.add(a_task())
    await house.store.save((await house.get()).hide(NOW))
    task = await house.close_task()
    assert (task.state, task.error_code) == (TaskState.CANCELLED, "cancelled")
    assert house.provider.submits.count == 0


def stopping(house: WorkerHarness, answer: object) -> Callable[[], Awaitable[Any]]:
    """The person presses the button while the provider answers."""

    async def stop() -> Any:
        await house.store.save((await house.get()).hide(house.clock()))
        return await Script(answer).next()

    return stop


async def test_an_id_is_kept_although_its_person_stopped_waiting_meanwhile(house: WorkerHarness) -> None:
    house.provider.submits = Script(stopping(house, Accepted("job-1")))
    await house.store.add(a_task())
    await house.turn()
    task = await house.get()
    assert (task.state, task.remote_id, task.hidden) == (TaskState.RUNNING, "job-1", True)
    assert len(await house.store.attempts("boat")) == 1


async def test_a_refusal_is_kept_although_its_person_stopped_waiting_meanwhile(house: WorkerHarness) -> None:
    house.provider.submits = Script(stopping(house, Rejected("prompt_refused")))
    await house.store.add(a_task())
    await house.turn()
    task = await house.get()
    assert (task.state, task.error_code) == (TaskState.FAILED, "prompt_refused")
    await house.turn()
    assert house.chat.names() == ["tell"], "the card said that it was paid for"


async def test_what_was_not_accepted_and_is_not_waited_for_is_cancelled(house: WorkerHarness) -> None:
    house.provider.submits = Script(stopping(house, Unavailable("busy", retry_after_s=600.0)))
    await house.store.add(a_task())
    await house.turn()
    await house.turn()
    task = await house.get()
    assert (task.state, task.error_code, task.counts) == (TaskState.CANCELLED, "cancelled", False)


async def test_an_unknown_outcome_is_kept_although_its_person_stopped_waiting_meanwhile(
    house: WorkerHarness,
) -> None:
    house.provider.submits = Script(stopping(house, OutcomeUnknown("submit_unknown")))
    await house.store.add(a_task())
    await house.turn()
    assert (await house.get()).error_code == "submit_unknown"
    await house.turn()
    assert house.chat.names() == []


async def test_who_stops_waiting_in_the_last_moment_pays_nothing(house: WorkerHarness) -> None:
    async def stop() -> FitPhoto:
        await house.store.save((await house.get()).hide(house.clock()))
        return A_PHOTO

    house.chat.scripts["photo"] = Script(stop)
    await house.store.add(a_task(request=WITH_PHOTO))
    await house.turn()
    assert house.provider.submits.count == 0
    assert (await house.close_task()).state is TaskState.CANCELLED


async def test_an_id_that_comes_after_the_task_was_given_up_is_accepted(house: WorkerHarness) -> None:
    async def late() -> Accepted:
        house.clock.advance(schedule.LEASE_S + 1)
        (lost,) = await house.store.claim(house.clock(), schedule.LEASE_S, 1, house.slots)
        await house.worker.step(lost)
        assert (await house.get()).error_code == "submit_unknown"
        return Accepted("job-1")

    house.provider.submits = Script(late)
    await house.store.add(a_task())
    await house.turn()
    task = await house.get()
    assert (task.state, task.remote_id, task.error_code) == (TaskState.RUNNING, "job-1", None)


async def test_giving_up_a_submit_never_overwrites_an_id_that_came_just_before(house: WorkerHarness) -> None:
    lease_end = NOW + timedelta(seconds=schedule.LEASE_S)
    await house.store.add(a_task().submitting(NOW, lease_end, lease_end))
    house.clock.now = lease_end
    (lost,) = await house.store.claim(lease_end, schedule.LEASE_S, 1, {})
    await house.store.save((await house.get()).accepted("job-1", lease_end, lease_end))
    with pytest.raises(StaleTask):
        await house.worker.step(lost)
    assert ((await house.get()).state, (await house.get()).remote_id) == (TaskState.RUNNING, "job-1")


@pytest.mark.parametrize("code", ["provider_fault", "unreachable"])
async def test_a_provider_that_stays_down_is_not_asked_for_ever(house: WorkerHarness, code: str) -> None:
    house.provider.submits = Script(*[Unavailable(code, "code 50500")] * 100)
    await house.store.add(a_task())
    task = await house.close_task()
    assert (task.state, task.error_code, task.counts) == (TaskState.FAILED, "provider_fault", False)
    assert timedelta(hours=1) <= house.clock() - NOW <= timedelta(hours=2)
    assert house.provider.submits.count < 30


async def test_a_refused_account_is_written_down_before_anybody_is_told(house: WorkerHarness) -> None:
    house.provider.submits = Script(AccountProblem("account", "HTTP 402", trouble="no_balance"))
    seen: list[TaskState] = []

    async def tell(_: object) -> None:
        seen.append((await house.get()).state)

    house.on_notice = tell
    await house.store.add(a_task())
    await house.turn()
    assert seen == [TaskState.FAILED]
