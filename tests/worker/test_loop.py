"""The worker's own part: what is due takes its step, a defect harms no other, and it can stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL, NOW, STILL, Clock, Script, ScriptedProvider, TasksAround, WorkerHarness, a_task
from structlog.testing import capture_logs

from bot.errors import StaleTask, StoreError
from bot.provider import Accepted, Succeeded
from bot.request import VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker import schedule

BOUND_S = 20.0
"""For what should take no time at all, on a machine that is busy with other things."""


class WatchedStore(TasksAround):
    """A store that tells when something was saved, and may be made to refuse."""

    def __init__(self, store: SQLiteStore) -> None:
        super().__init__(store)
        self.tasks = self
        self._saved = asyncio.Condition()
        self.refusals = 0
        self.claims = 0

    async def save(self, task: Task, attempt: Any = None, *, leased: bool = False) -> Task:
        saved = await self._store.tasks.save(task, attempt, leased=leased)
        async with self._saved:
            self._saved.notify_all()
        return saved

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        self.claims += 1
        if self.refusals:
            self.refusals -= 1
            raise StoreError("its disk is full")
        return await self._store.tasks.claim(now, lease_s, limit, slots)

    async def until(self, is_so: Callable[[Task], bool], task_id: str = "boat") -> Task:
        async with asyncio.timeout(BOUND_S), self._saved:
            while True:
                task = await self._store.tasks.get(task_id)
                if task is not None and is_so(task):
                    return task
                await self._saved.wait()


@pytest.fixture
def watched(store: SQLiteStore) -> WatchedStore:
    return WatchedStore(store)


@pytest.fixture
def full_provider(
    watched: WatchedStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> WorkerHarness:
    store: Any = watched
    return WorkerHarness(store, provider, clock, tmp_path, stop_limit_s=0.01)


@asynccontextmanager
async def at_work(harness: WorkerHarness) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """The worker runs; yields what stops it and waits for its end."""
    stopping = asyncio.Event()
    running = asyncio.create_task(harness.worker.run(stopping))

    async def stop() -> None:
        stopping.set()
        await asyncio.wait_for(asyncio.shield(running), BOUND_S)

    try:
        yield stop
    finally:
        await stop()


def is_closed(task: Task) -> bool:
    return task.delivered_at is not None


async def test_a_task_goes_all_the_way_by_itself(full_provider: WorkerHarness, watched: WatchedStore) -> None:
    provider = full_provider.provider
    provider.submits = Script(Accepted("job-1", Succeeded("https://videos.example/1", 3600.0)))
    await watched.add(a_task())
    async with at_work(full_provider):
        task = await watched.until(is_closed)
    assert (task.state, task.file_id) == (TaskState.SUCCEEDED, "file-1")
    assert full_provider.chat.names() == ["deliver"]


async def test_a_worker_at_rest_is_woken_by_what_comes(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    async with at_work(full_provider):
        await watched.add(a_task(state=TaskState.FAILED, error_code="expired"))
        full_provider.worker.wake()
        await watched.until(is_closed)
    assert full_provider.chat.names() == ["tell"]


async def test_a_freed_slot_is_taken_without_waiting(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    full_provider.provider.submits = Script(Accepted("job-1", Succeeded("https://videos.example/1", 3600.0)))
    for task_id in ("boat", "kite", "moon"):
        await watched.add(a_task(task_id))
    async with at_work(full_provider):
        for task_id in ("boat", "kite", "moon"):
            await watched.until(is_closed, task_id)
    assert full_provider.provider.submits.count == 3


@pytest.mark.parametrize(
    ("changes", "state", "code"),
    [
        ({"state": TaskState.DRAFT, "question": "card_draft"}, TaskState.CANCELLED, "draft_expired"),
        ({"state": TaskState.QUEUED, "detached": True}, TaskState.CANCELLED, "cancelled"),
        ({"state": TaskState.SUBMITTING}, TaskState.FAILED, "submit_unknown"),
        ({"state": TaskState.CANCELLED, "error_code": "dismissed"}, TaskState.CANCELLED, "dismissed"),
        ({"state": TaskState.FAILED, "error_code": "expired"}, TaskState.FAILED, "expired"),
    ],
)
async def test_a_task_without_a_job_ends_and_is_told(
    harness: WorkerHarness, changes: dict[str, Any], state: TaskState, code: str
) -> None:
    await harness.store.tasks.add(a_task(**changes))
    task = await harness.close_task()
    assert (task.state, task.error_code) == (state, code)
    assert harness.chat.names() == ["tell"]
    assert harness.provider.submits.count == 0


async def test_a_defect_in_one_step_is_logged_put_off_and_no_harm_to_others(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    def defect() -> None:
        raise ZeroDivisionError

    full_provider.chat.scripts["tell"] = Script(defect, "ok")
    await watched.add(a_task("first", state=TaskState.FAILED, error_code="expired"))
    await watched.add(
        a_task("second", state=TaskState.FAILED, error_code="expired", due_at=NOW + timedelta(seconds=1))
    )
    with capture_logs() as lines:
        async with at_work(full_provider):
            put_off = await watched.until(lambda task: task.attempts == 1, "first")
            full_provider.clock.advance(1)
            full_provider.worker.wake()
            await watched.until(is_closed, "second")
            assert put_off.due_at is not None
            full_provider.clock.now = put_off.due_at
            full_provider.worker.wake()
            await watched.until(is_closed, "first")
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["task"], line["exc_info"]) == ("a step failed", "first", True)


async def test_an_outcome_that_meets_a_defect_for_two_days_is_given_up(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    full_provider.chat.scripts["tell"] = Script(broken)
    task = a_task(state=TaskState.FAILED, error_code="expired", attempts=50)
    await watched.add(replace(task, failing_since=NOW - timedelta(days=2)))
    with capture_logs():
        async with at_work(full_provider):
            closed = await watched.until(is_closed)
    assert (closed.detached, closed.is_active) == (True, False)


async def test_a_defect_around_a_submit_never_puts_it_back(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    watched = WatchedStore(store)
    refusing: Any = watched
    harness = WorkerHarness(refusing, provider, clock, tmp_path, stop_limit_s=0.01)
    called = asyncio.Event()

    async def save(task: Task, attempt: Any = None, *, leased: bool = False) -> Task:
        if task.remote_id:
            called.set()
            raise StoreError("its disk is full")
        return await store.tasks.save(task, attempt, leased=leased)

    refusing.save = save
    await store.tasks.add(a_task())
    async with at_work(harness):
        await asyncio.wait_for(called.wait(), BOUND_S)
    task = await harness.get()
    assert (task.state, task.error_code) == (TaskState.FAILED, "submit_unknown"), "at once"
    await harness.close_task()
    assert provider.submits.count == 1
    assert (await harness.get()).error_code == "submit_unknown"


async def test_a_store_that_refuses_for_a_while_does_not_end_the_worker(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    watched.refusals = 2
    await watched.add(a_task(state=TaskState.FAILED, error_code="expired"))
    async with at_work(full_provider):
        while watched.claims < 3:
            full_provider.worker.wake()
            await asyncio.sleep(0)
        await watched.until(is_closed)


async def test_a_full_house_waits_for_room_instead_of_asking_again_and_again(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    free = asyncio.Event()
    all_in = asyncio.Event()

    async def told() -> str:
        if len(full_provider.chat.calls) == 200:
            all_in.set()
        await free.wait()
        return "ok"

    full_provider.chat.scripts["tell"] = Script(told)
    for number in range(210):
        await watched.add(a_task(f"task-{number:03}", state=TaskState.FAILED, error_code="expired"))
    async with at_work(full_provider):
        await asyncio.wait_for(all_in.wait(), BOUND_S)
        claims = watched.claims
        for _ in range(20):
            await asyncio.sleep(0)
        assert watched.claims == claims
        free.set()
        for number in range(210):
            await watched.until(is_closed, f"task-{number:03}")


async def test_polls_that_hang_hold_up_nobody_else(
    full_provider: WorkerHarness, watched: WatchedStore, provider: ScriptedProvider
) -> None:
    provider.polls = Script(asyncio.Event().wait)
    for number in range(150):
        await watched.add(a_task(f"task-{number:03}", state=TaskState.RUNNING, remote_id=f"job-{number}"))
    await watched.add(a_task("later", state=TaskState.FAILED, error_code="expired"))
    async with at_work(full_provider):
        await watched.until(is_closed, "later")
    assert provider.polls.count == 150


async def test_the_health_check_reads_when_the_worker_last_turned(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    full_provider.clock.advance(100)
    await watched.add(a_task(state=TaskState.FAILED, error_code="expired"))
    async with at_work(full_provider):
        await watched.until(is_closed)
    assert full_provider.worker.turned_at == NOW + timedelta(seconds=100)


# Stopping.


async def test_a_stop_waits_for_a_submit_in_flight_and_saves_its_id(
    full_provider: WorkerHarness, watched: WatchedStore
) -> None:
    called, answer, cut_short = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def poll() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut_short.set()

    async def submit() -> Accepted:
        called.set()
        await answer.wait()
        return Accepted("job-1")

    full_provider.provider.submits = Script(submit)
    full_provider.provider.polls = Script(poll)
    await watched.add(a_task())
    await watched.add(a_task("kite", state=TaskState.RUNNING, remote_id="job-0"))
    async with at_work(full_provider) as stop:
        await asyncio.wait_for(called.wait(), BOUND_S)
        stopped = asyncio.create_task(stop())
        await asyncio.wait_for(cut_short.wait(), BOUND_S)
        assert not stopped.done()
        answer.set()
        await stopped
    assert ((await full_provider.get()).state, (await full_provider.get()).remote_id) == (
        TaskState.RUNNING,
        "job-1",
    )


async def test_a_stop_claims_nothing_and_cuts_other_steps_short(
    full_provider: WorkerHarness,
    watched: WatchedStore,
    provider: ScriptedProvider,
    clock: Clock,
    tmp_path: Path,
) -> None:
    looking = asyncio.Event()

    async def poll() -> None:
        looking.set()
        await asyncio.Event().wait()

    provider.polls = Script(poll, Succeeded("https://videos.example/1", 3600.0))
    running = a_task(state=TaskState.RUNNING, remote_id="job-1", submitted_at=NOW)
    await watched.add(replace(running, keep_until=NOW + timedelta(hours=1)))
    async with at_work(full_provider) as stop:
        await asyncio.wait_for(looking.wait(), BOUND_S)
        claims = watched.claims
        await watched.add(a_task("later", state=TaskState.FAILED, error_code="expired"))
        await stop()
        assert watched.claims == claims
    await watched.release()  # as the application does when all has ended
    task = await full_provider.get()
    assert (task.state, task.attempts, task.due_at) == (TaskState.RUNNING, 0, NOW), "its lease is released"

    store: Any = watched
    second = WorkerHarness(store, provider, clock, tmp_path)
    await second.turn()
    assert (await second.get()).state is TaskState.SUCCEEDED
    assert (await second.get("later")).delivered_at == NOW


async def test_a_photo_on_its_way_at_a_stop_buys_nothing_and_is_fetched_again(
    full_provider: WorkerHarness,
    watched: WatchedStore,
    provider: ScriptedProvider,
    clock: Clock,
    tmp_path: Path,
) -> None:
    asked = asyncio.Event()

    async def photo() -> None:
        asked.set()
        await asyncio.Event().wait()

    full_provider.chat.scripts["photo"] = Script(photo)
    request = VideoRequest(model=A_MODEL.name, photos=("photo-1",))
    await watched.add(a_task(request=request))
    async with at_work(full_provider) as stop:
        await asyncio.wait_for(asked.wait(), BOUND_S)
        await stop()
    await watched.release()
    assert provider.submits.count == 0
    store: Any = watched
    second = WorkerHarness(store, provider, clock, tmp_path)
    await second.turn()
    assert ((await second.get()).state, provider.submits.count) == (TaskState.RUNNING, 1)


async def test_two_workers_never_take_the_same_task(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    provider.polls = Script(STILL)
    provider.concurrency = 100
    for number in range(30):
        await store.tasks.add(a_task(f"task-{number}"))
    houses = [WorkerHarness(store, provider, clock, tmp_path) for _ in range(3)]
    await asyncio.gather(*(harness.turn() for harness in houses))
    assert provider.submits.count == 30


async def test_a_lease_that_ran_out_gives_the_task_to_the_next_and_stops_the_late_writer(
    harness: WorkerHarness,
) -> None:
    await harness.store.tasks.add(a_task(state=TaskState.FAILED, error_code="expired"))
    (mine,) = await harness.store.tasks.claim(NOW, schedule.LEASE_S, 1, {})
    harness.clock.advance(schedule.LEASE_S + 1)
    (theirs,) = await harness.store.tasks.claim(harness.clock(), schedule.LEASE_S, 1, {})
    assert theirs.version > mine.version
    await harness.worker.step(theirs)
    closed = await harness.get()
    with pytest.raises(StaleTask):
        await harness.worker.step(mine)
    assert await harness.get() == closed
