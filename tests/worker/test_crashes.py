"""Crashes and a database that refuses: nothing is paid twice, no id is lost without a word."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes import STILL, Clock, RecordingChat, Script, ScriptedProvider, TasksAround, WorkerHarness, a_task
from structlog.testing import capture_logs

from bot.errors import CardGone, StaleTask, StoreError
from bot.provider import Accepted, Succeeded
from bot.request import VideoRequest
from bot.store import Attempt
from bot.store.budget import Pause
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.worker import schedule

T = TypeVar("T")
WITH_PHOTO = VideoRequest(model="jimeng-pro", prompt="the leaves move", photos=("photo-1",))


class FaultyStore(TasksAround):
    """A store whose `save` meets `faults`, a function called with each task before it is saved."""

    def __init__(self, store: SQLiteStore, fault: Callable[[Task], None]) -> None:
        super().__init__(store)
        self._fault = fault
        self.tasks = self

    async def save(self, task: Task, attempt: Attempt | None = None, *, leased: bool = False) -> Task:
        self._fault(task)
        return await self._store.tasks.save(task, attempt, leased=leased)


def gone(task: Task) -> None:
    if task.remote_id:
        raise StaleTask(task.id)


def full(task: Task) -> None:
    if task.remote_id:
        raise StoreError("its disk is full")


@pytest.mark.parametrize("fault", [gone, full])
async def test_an_id_that_cannot_be_saved_is_logged(
    harness: WorkerHarness,
    store: SQLiteStore,
    provider: ScriptedProvider,
    clock: Clock,
    tmp_path: Path,
    fault: Callable[[Task], None],
) -> None:
    faulty: Any = FaultyStore(store, fault)
    harness = WorkerHarness(faulty, provider, clock, tmp_path)
    await store.tasks.add(a_task())
    (task,) = await store.tasks.claim(clock(), schedule.LEASE_S, 1, {})
    if fault is gone:
        faulty.get = nothing
    with capture_logs() as lines, pytest.raises((StaleTask, StoreError)):
        await harness.worker.step(task)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["task"], line["remote_id"]) == ("boat", "job-1")


async def test_an_id_outlasts_a_disk_that_is_full_for_a_while(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    refusals = iter((True, True))

    def full_at_first(task: Task) -> None:
        if task.remote_id and next(refusals, False):
            raise StoreError("its disk is full")

    faulty: Any = FaultyStore(store, full_at_first)
    harness = WorkerHarness(faulty, provider, clock, tmp_path, save_pauses_s=(0.0, 0.0))
    await store.tasks.add(a_task())
    (task,) = await store.tasks.claim(clock(), schedule.LEASE_S, 1, {})
    await harness.worker.step(task)
    kept = await harness.get()
    assert (kept.state, kept.remote_id) == (TaskState.RUNNING, "job-1")


async def nothing(task_id: str) -> None:
    return None


class Died(BaseException):
    """The process ends here."""


class DyingStore(TasksAround):
    """Ends the process before or after the save of this number."""

    def __init__(self, store: SQLiteStore, at: int, *, after: bool) -> None:
        super().__init__(store)
        self.tasks = self.budget = self
        self._left = at
        self._after = after

    async def save(self, task: Task, attempt: Attempt | None = None, *, leased: bool = False) -> Task:
        return await self._around(self._store.tasks.save(task, attempt, leased=leased))

    async def buy(self, task: Task, *limits: Any) -> Task | Pause:
        """The save of the intent."""
        return await self._around(self._store.budget.buy(task, *limits))

    async def _around(self, save: Coroutine[Any, Any, T]) -> T:
        self._left -= 1
        if self._left == 0 and not self._after:
            save.close()
            raise Died
        saved = await save
        if self._left == 0:
            raise Died
        return saved


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
async def test_a_crash_at_any_save_never_pays_twice_nor_shows_two_videos(
    provider: ScriptedProvider, clock: Clock, tmp_path: Path, at: int, after: bool
) -> None:
    provider.submits = Script(Accepted("job-1"), Accepted("job-2"))
    provider.polls = Script(STILL, Succeeded("https://videos.example/1", 3600.0))
    chat = RecordingChat()
    chat.scripts["deliver"] = Script(CardGone("deleted"))
    first = await SQLiteStore.open(tmp_path / "crash.db", clock)
    await first.tasks.add(a_task(request=WITH_PHOTO))
    dying: Any = DyingStore(first, at, after=after)
    died = False
    try:
        await WorkerHarness(dying, provider, clock, tmp_path, chat).close_task()
    except Died:
        died = True
    await first.close()

    second = await SQLiteStore.open(tmp_path / "crash.db", clock)
    task = await WorkerHarness(second, provider, clock, tmp_path, chat).close_task()
    await second.close()

    assert died is (at < 8), "this life has seven saves"
    assert provider.submits.count <= 1
    assert chat.names().count("send") <= 1
    if task.state is TaskState.FAILED:
        assert task.error_code == "submit_unknown"
        assert at <= 2, "only a crash around the call leaves anything unclear"
    else:
        assert task.state is TaskState.SUCCEEDED
        assert "send" in chat.names() or "offer" in chat.names()


async def test_the_next_worker_goes_on_at_once_where_a_crash_left_off(
    provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    first = await SQLiteStore.open(tmp_path / "crash.db", clock)
    await first.tasks.add(a_task())
    dying: Any = DyingStore(first, 1, after=True)
    with pytest.raises(Died):
        await WorkerHarness(dying, provider, clock, tmp_path).turn()
    await first.close()
    second = await SQLiteStore.open(tmp_path / "crash.db", clock)
    harness = WorkerHarness(second, provider, clock, tmp_path)
    await harness.turn()
    assert (await harness.get()).error_code == "submit_unknown"
    assert harness.provider.submits.count == 0
    await second.close()
