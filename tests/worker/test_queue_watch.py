"""Why a queue stands still, and what goes before a task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import NOW, Clock, a_task

from bot.codes import FailureCode
from bot.store.audit import THE_BOT, THE_DISK
from bot.store.budget import EVERYTHING, Pause
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker.queue_watch import Blockage, QueueWatch, blocked_by_jobs

LATER = NOW + timedelta(minutes=5)


def job(number: int = 0, **changes: Any) -> Task:
    return a_task(id=f"job-{number}", state=TaskState.RUNNING, submitted_at=NOW, keep_until=LATER, **changes)


def lost(number: int = 0, keep_until: datetime = LATER) -> Task:
    return a_task(
        id=f"lost-{number}",
        state=TaskState.FAILED,
        error_code=FailureCode.SUBMIT_UNKNOWN,
        keep_until=keep_until,
    )


@pytest.mark.parametrize(
    ("in_slots", "slots", "blockage"),
    [
        ([], 1, None),
        ([job()], 1, None),
        ([lost()], 2, None),
        ([lost(), job(1)], 2, None),
        ([lost()], 1, Blockage.LOST_ANSWERS),
        ([lost(), lost(1)], 2, Blockage.LOST_ANSWERS),
        ([lost(), job(1, late_at=NOW)], 2, Blockage.LOST_ANSWERS),
        ([job(late_at=NOW), job(1, late_at=NOW)], 2, Blockage.LATE_JOBS),
        ([job(late_at=NOW), job(1)], 2, None),
        ([lost()], 0, None),
    ],
)
def test_a_queue_is_blocked_if_the_end_of_every_job_is_unknown(
    in_slots: list[Task], slots: int, blockage: Blockage | None
) -> None:
    state = blocked_by_jobs(in_slots, slots)
    assert (state.blockage if state else None) == blockage


def test_the_first_lost_answer_that_is_given_up_frees_a_slot() -> None:
    state = blocked_by_jobs([lost(), lost(1, NOW + timedelta(minutes=2))], 2)
    assert state is not None
    assert state.free_at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("by", "blockage"),
    [(7, Blockage.PAUSED), (THE_BOT, Blockage.HOURLY_LIMIT), (THE_DISK, Blockage.DISK)],
)
async def test_a_pause_is_told_first(store: SQLiteStore, clock: Clock, by: int, blockage: Blockage) -> None:
    await store.tasks.add(lost())
    state = await a_watch(store, clock, pause=Pause(EVERYTHING, by, NOW), down=["cloud"]).before(a_task())
    assert state.blockage == blockage


async def test_a_provider_that_does_not_answer_blocks_its_own_queue_alone(
    store: SQLiteStore, clock: Clock
) -> None:
    watch = a_watch(store, clock, down=["cloud"])
    assert (await watch.before(a_task())).blockage is Blockage.DOWN
    assert (await watch.before(a_task(provider="elsewhere"))).blockage is None


async def test_what_goes_before_is_what_runs_there_and_what_is_served_first(
    store: SQLiteStore, clock: Clock
) -> None:
    await store.tasks.add(job())
    await store.tasks.add(job(1, provider="elsewhere"))
    for number in range(3):
        waiting = a_task(id=f"wait-{number}", user_id=number, update_id=number, due_at=NOW)
        await store.tasks.add(waiting)
    state = await a_watch(store, clock).before(waiting)
    assert (state.slots, [one.id for one in state.jobs]) == (1, ["job-0", "wait-0", "wait-1"])


async def test_numbers_come_back_when_the_lost_answer_is_given_up(store: SQLiteStore, clock: Clock) -> None:
    await store.tasks.add(lost())
    watch = a_watch(store, clock)
    assert (await watch.before(a_task())).blockage is Blockage.LOST_ANSWERS
    clock.now += timedelta(seconds=301)
    assert (await watch.before(a_task())).blockage is None


def a_watch(
    store: SQLiteStore,
    clock: Callable[[], datetime],
    pause: Pause | None = None,
    down: list[str] | None = None,
) -> QueueWatch:
    async def slots(_: str) -> int:
        return 1

    async def pause_of(_: str) -> Pause | None:
        return pause

    return QueueWatch(
        store.statistics,
        slots=slots,
        pause=pause_of,
        down=lambda: dict.fromkeys(down or [], NOW),
        clock=clock,
    )
