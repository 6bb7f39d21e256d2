"""Cancelling a job that is at its provider: lost by no crash, charged by no mistake."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fakes import NOW, STILL, Clock, RecordingChat, Script, ScriptedProvider, WorkerHarness, a_task

from bot.admin.billing import charged
from bot.errors import OutcomeUnknown, Unavailable
from bot.provider import Accepted, Failed, Succeeded
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker import schedule

MADE = Succeeded("https://videos.example/1", 3600.0)


async def running(harness: WorkerHarness) -> Task:
    """A task whose job has been polled once and is not done."""
    harness.provider.polls = Script(STILL)
    await harness.store.tasks.add(a_task(price=Decimal("2.50")))
    return await harness.turn_until(lambda task: task.polled_at is not None)


async def press(harness: WorkerHarness) -> None:
    await harness.store.tasks.update("boat", lambda task: task.hide(harness.clock(), 20, "Ada"))


async def cancels(harness: WorkerHarness) -> list[str]:
    return [one.answer for one in await harness.store.tasks.attempts("boat") if one.call == "cancel"]


async def spent(harness: WorkerHarness) -> Decimal:
    return await harness.store.budget.spent_since(NOW)


async def test_a_job_that_its_provider_stops_is_cancelled_costs_nothing_and_frees_its_slot(
    harness: WorkerHarness,
) -> None:
    await running(harness)
    assert await spent(harness) == Decimal("2.50")
    harness.provider.cancels = Script(True)
    await press(harness)
    await harness.turn()
    stopped = await harness.get()
    assert (stopped.state, stopped.slot_until, stopped.counts_toward_quota) == (
        TaskState.CANCELLED,
        None,
        False,
    )
    assert await spent(harness) == 0
    assert (await harness.close_task()).error_code == "cancelled"
    assert harness.chat.names() == ["tell"], "the card says that nothing was charged"
    assert await cancels(harness) == ["ok"]
    (submit,) = await harness.store.statistics.submits(NOW, schedule.retry_at(10, harness.clock()), 9)
    assert charged(submit) == "no"


async def test_a_job_that_goes_on_is_asked_to_stop_once_and_counts(harness: WorkerHarness) -> None:
    await running(harness)
    await press(harness)
    await harness.turn()
    assert (await harness.get()).state is TaskState.RUNNING
    harness.provider.polls = Script(MADE)
    closed = await harness.close_task()
    assert (closed.state, closed.is_cancelled, closed.counts_toward_quota) == (
        TaskState.SUCCEEDED,
        True,
        True,
    )
    assert harness.provider.cancelled == ["job-1"]
    assert await cancels(harness) == ["not_stopped"]
    assert await spent(harness) == Decimal("2.50")
    assert harness.chat.names() == ["tell"], "at the latest now its card says that nobody waits"


@pytest.mark.parametrize(
    "error",
    [
        *(Unavailable("unreachable", ""), Unavailable("busy", ""), OutcomeUnknown("submit_unknown", "")),
        *(TimeoutError(), ValueError("a defect")),
    ],
)
async def test_an_unanswered_cancellation_is_repeated_and_the_job_polled_after_some(
    harness: WorkerHarness, error: Exception
) -> None:
    await running(harness)
    harness.provider.cancels = Script(error)
    await press(harness)
    harness.provider.polls = Script(MADE)
    closed = await harness.close_task()
    assert closed.state is TaskState.SUCCEEDED
    assert len(harness.provider.cancelled) == 5


async def test_an_answer_after_an_unanswered_cancellation_counts(harness: WorkerHarness) -> None:
    await running(harness)
    harness.provider.cancels = Script(Unavailable("unreachable", ""), True)
    await press(harness)
    assert (await harness.close_task()).state is TaskState.CANCELLED
    assert await cancels(harness) == ["unreachable", "ok"]


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("dies", ["before the call", "in the call", "after the call"])
async def test_a_crash_between_the_press_and_its_effect_loses_nothing(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path, dies: str
) -> None:
    harness = WorkerHarness(store, provider, clock, tmp_path)
    await running(harness)
    await press(harness)
    if dies == "in the call":
        provider.cancels = Script(Died(), True)
        with pytest.raises(Died):
            await harness.turn()
    elif dies == "after the call":
        provider.cancels = Script(True)
        (task,) = await store.tasks.claim(clock(), schedule.LEASE_S, 1, {})
        assert await provider.cancel(task.remote_id or "", provider.models[0])
    else:
        provider.cancels = Script(True)
        await store.tasks.claim(clock(), schedule.LEASE_S, 1, {})
    await store.tasks.release()  # as the next start does
    restarted = WorkerHarness(store, provider, clock, tmp_path, chat=RecordingChat())
    closed = await restarted.close_task()
    assert (closed.state, closed.cancelled_by, closed.cancelled_by_name) == (TaskState.CANCELLED, 20, "Ada")
    assert await spent(restarted) == 0


async def test_what_is_cancelled_while_it_is_handed_over_is_stopped_as_soon_as_it_has_an_id(
    harness: WorkerHarness,
) -> None:
    async def pressed_meanwhile() -> Accepted:
        await press(harness)
        return Accepted("job-1")

    harness.provider.submits = Script(pressed_meanwhile)
    harness.provider.cancels = Script(True)
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.due_at) == (TaskState.RUNNING, harness.clock())
    await harness.turn()
    assert (await harness.get()).state is TaskState.CANCELLED


async def test_a_job_whose_chat_is_gone_is_nobodys_to_cancel(harness: WorkerHarness) -> None:
    await running(harness)
    await harness.store.tasks.update("boat", lambda task: task.hide(harness.clock()))
    harness.provider.polls = Script(MADE)
    closed = await harness.close_task()
    assert (closed.is_cancelled, harness.provider.cancelled) == (False, [])


async def test_a_cancelled_job_that_fails_at_its_provider_counts_as_cancelled(harness: WorkerHarness) -> None:
    await running(harness)
    await press(harness)
    harness.provider.polls = Script(Failed("video_refused"))
    closed = await harness.close_task()
    assert (closed.state, closed.is_cancelled) == (TaskState.FAILED, True)


async def test_a_second_press_leaves_the_first_in_the_record(harness: WorkerHarness) -> None:
    await running(harness)
    await press(harness)
    again = await harness.store.tasks.update("boat", lambda task: task.hide(harness.clock(), 21, "Bo"))
    assert again is not None
    assert (again.cancelled_by, again.cancelled_by_name) == (20, "Ada")
