"""The purchase guard: nothing is bought while it blocks, nothing is lost, and an admin is asked once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import (
    A_MODEL,
    A_PHOTO,
    FREE_MODEL,
    Clock,
    Script,
    ScriptedProvider,
    WorkerHarness,
    a_purchase_guard,
    a_task,
)

from bot.errors import AccountProblem
from bot.provider import Accepted
from bot.request import VideoRequest
from bot.settings import IsolatedSettings
from bot.store import Notice
from bot.store.audit import THE_BOT
from bot.store.budget import EVERYTHING, Pause
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState

ADMIN = 501
SECOND = replace(A_MODEL, name="second", provider="second")


@pytest.fixture
def harness(store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path) -> WorkerHarness:
    providers = [
        ScriptedProvider(clip),
        ScriptedProvider(clip, "second", [SECOND]),
        ScriptedProvider(clip, "preview", [FREE_MODEL]),
    ]
    for provider in providers:
        provider.concurrency = 10
        provider.submits = Script(*(Accepted(f"{provider.name}-{number}") for number in range(40)))
    return WorkerHarness(store, providers, clock, tmp_path, failover=True)


async def test_while_everything_is_paused_what_waits_is_not_even_claimed(harness: WorkerHarness) -> None:
    await harness.actions.pause(EVERYTHING, ADMIN)
    task = await harness.store.tasks.add(a_task())
    assert await harness.turn() == 0
    assert await harness.get() == task
    await harness.actions.resume(EVERYTHING, ADMIN)
    await harness.turn()
    assert (await harness.get()).state is TaskState.RUNNING


async def test_the_worker_takes_up_nothing_that_waits_while_everything_is_paused(
    harness: WorkerHarness,
) -> None:
    await harness.actions.pause(EVERYTHING, ADMIN)
    waits = await harness.store.tasks.add(a_task())
    dismissed = await harness.store.tasks.add(
        a_task("dismissed", state=TaskState.CANCELLED, error_code="cancelled")
    )
    stopping = asyncio.Event()
    run = asyncio.create_task(harness.worker.run(stopping))
    async with asyncio.timeout(40):
        while (await harness.get(dismissed.id)).delivered_at is None:
            await asyncio.sleep(0)
    stopping.set()
    await run
    assert await harness.get() == waits


async def test_who_stops_waiting_is_let_go_during_a_pause_and_what_runs_goes_on(
    harness: WorkerHarness,
) -> None:
    running = await harness.store.tasks.add(a_task("running"))
    await harness.turn()
    await harness.actions.pause(EVERYTHING, ADMIN)
    task = await harness.store.tasks.add(a_task())
    await harness.store.tasks.save(task.hide(harness.clock()))
    assert (await harness.close_task()).state is TaskState.CANCELLED
    assert (await harness.close_task(running.id)).state is TaskState.SUCCEEDED


async def test_a_model_that_is_paused_holds_its_own_tasks_and_no_others(harness: WorkerHarness) -> None:
    await harness.actions.pause("second", ADMIN)
    held = await harness.store.tasks.add(
        a_task("held", provider="second", request=VideoRequest(model="second", prompt="a boat"))
    )
    await harness.store.tasks.add(a_task())
    await harness.turn()
    waiting = await harness.get("held")
    assert (waiting.state, waiting.attempts, waiting.queued_at) == (TaskState.QUEUED, 0, held.queued_at)
    assert (await harness.get()).state is TaskState.RUNNING
    assert harness.chat.shown[-1] in (waiting, await harness.get())
    await harness.actions.resume("second", ADMIN)
    await harness.turn()
    assert (await harness.get("held")).state is TaskState.RUNNING


async def test_a_pause_that_comes_at_the_last_moment_still_counts(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(
        a_task(request=VideoRequest(model="jimeng-pro", prompt="a boat", photos=("p",)))
    )

    async def paused_by_another_process() -> object:
        await harness.store.budget.pause(Pause(EVERYTHING, ADMIN, harness.clock()))
        return A_PHOTO

    harness.chat.scripts["photo"] = Script(paused_by_another_process)
    await harness.turn()
    assert (await harness.get()).state is TaskState.QUEUED
    assert harness.provider.submits.count == 0


async def test_one_more_than_an_hour_may_have_puts_the_brake_on_and_asks_once(harness: WorkerHarness) -> None:
    harness.settings = IsolatedSettings(submits_per_hour=3)
    for number in range(6):
        await harness.store.tasks.add(a_task(f"task-{number}"))
    await harness.turn()
    await harness.turn()
    states = [(await harness.get(f"task-{number}")).state for number in range(6)]
    assert sorted(states) == [TaskState.QUEUED] * 3 + [TaskState.RUNNING] * 3
    (purchase_guard,) = await harness.purchase_guard.pauses()
    assert harness.notices == [Notice("brake_reached", {"count": "3", "pause": purchase_guard.mark})]
    assert (purchase_guard.model, purchase_guard.by) == (EVERYTHING, THE_BOT)


async def test_go_on_lets_as_many_through_again(harness: WorkerHarness) -> None:
    harness.settings = IsolatedSettings(submits_per_hour=2)
    for number in range(6):
        await harness.store.tasks.add(a_task(f"task-{number}"))
    for bought in (2, 4, 6):
        harness.clock.advance(1)
        await harness.turn()
        assert harness.provider.submits.count == bought
        await harness.actions.resume(EVERYTHING, ADMIN)
    assert [notice.key for notice in harness.notices] == ["brake_reached"] * 2


async def test_the_hours_figure_is_exact_however_many_buy_at_once(store: SQLiteStore, clock: Clock) -> None:
    told: list[Notice] = []

    async def tell(notice: Notice) -> None:
        told.append(notice)

    settings = IsolatedSettings(submits_per_hour=7)
    processes = [a_purchase_guard(store, clock, lambda: settings, tell_admins=tell) for _ in range(3)]
    intents = []
    for number in range(30):
        task = await store.tasks.add(a_task(f"task-{number}"))
        intents.append(task.submitting(clock(), clock(), clock()))
    tried = await asyncio.gather(
        *(processes[number % 3].buy(intent) for number, intent in enumerate(intents))
    )
    assert sum(isinstance(one, Task) for one in tried) == 7
    assert len(told) == 1


async def test_what_is_free_is_never_braked(harness: WorkerHarness) -> None:
    harness.settings = IsolatedSettings(submits_per_hour=0)
    await harness.store.tasks.add(
        a_task(provider="preview", request=VideoRequest(model="preview", prompt="a boat"))
    )
    await harness.turn()
    assert (await harness.get()).state is TaskState.RUNNING


async def test_an_hour_without_limit_has_no_brake(harness: WorkerHarness) -> None:
    harness.settings = IsolatedSettings.model_validate({"submits_per_hour": "unlimited"})
    for number in range(6):
        await harness.store.tasks.add(a_task(f"task-{number}"))
    await harness.turn()
    assert (harness.provider.submits.count, harness.notices) == (6, [])


async def test_failover_goes_to_no_model_that_is_paused(harness: WorkerHarness) -> None:
    await harness.actions.pause("second", ADMIN)
    harness.provider.submits = Script(AccountProblem("account", "HTTP 402", trouble="no_balance"))
    await harness.store.tasks.add(a_task())
    await harness.turn()
    assert (await harness.get()).state is TaskState.FAILED


async def test_a_new_start_asks_again_where_the_brake_is_on(
    harness: WorkerHarness, store: SQLiteStore
) -> None:
    await harness.purchase_guard.remind()
    assert harness.notices == []
    await store.budget.pause(Pause(EVERYTHING, THE_BOT, harness.clock()))
    harness.clock.advance(2)
    await harness.purchase_guard.remind()
    assert [notice.key for notice in harness.notices] == ["brake_reached"]


async def test_a_new_start_reminds_of_a_disk_that_takes_no_videos_in_its_own_words(
    harness: WorkerHarness,
) -> None:
    await harness.purchase_guard.disk_refused("no space left")
    await harness.purchase_guard.disk_refused("no space left")
    await harness.purchase_guard.remind()
    (pause,) = await harness.purchase_guard.pauses()
    assert harness.notices == [Notice("brake_disk", {"pause": pause.mark})] * 2


@pytest.mark.parametrize("by", [ADMIN, THE_BOT])
async def test_a_full_disk_is_told_although_something_else_has_paused(
    harness: WorkerHarness, store: SQLiteStore, by: int
) -> None:
    await store.budget.pause(Pause(EVERYTHING, by, harness.clock()))
    for _ in range(3):
        await harness.purchase_guard.disk_refused("no space left")
    assert [notice.key for notice in harness.notices] == ["brake_disk"]
    assert [pause.by for pause in await store.budget.pauses()] == [by]


async def test_going_on_after_a_full_disk_starts_no_new_hour(harness: WorkerHarness) -> None:
    harness.settings = IsolatedSettings(submits_per_hour=2)
    for number in range(4):
        await harness.store.tasks.add(a_task(f"task-{number}"))
    await harness.turn()
    await harness.actions.resume(EVERYTHING, ADMIN)
    harness.clock.advance(1)
    await harness.purchase_guard.disk_refused("no space left")
    assert [pause.is_of_disk for pause in await harness.purchase_guard.pauses()] == [True]
    await harness.turn()
    assert harness.provider.submits.count == 2
    harness.clock.advance(1)
    await harness.actions.resume(EVERYTHING, ADMIN)
    await harness.turn()
    assert harness.provider.submits.count == 4
    await harness.store.tasks.add(a_task("one-more", due_at=harness.clock()))
    await harness.turn()
    assert harness.provider.submits.count == 4, "the hour has had its two"


async def test_resume_of_everything_leaves_the_pauses_of_single_models(harness: WorkerHarness) -> None:
    for model in (EVERYTHING, "second"):
        assert await harness.actions.pause(model, ADMIN)
    assert not await harness.actions.pause("second", 502)
    assert await harness.actions.resume("jimeng-pro", ADMIN) == []
    assert [pause.model for pause in await harness.actions.resume(EVERYTHING, 502)] == [EVERYTHING]
    assert [pause.model for pause in await harness.purchase_guard.pauses()] == ["second"]
    assert [pause.model for pause in await harness.actions.resume("second", 502)] == ["second"]
    log = await harness.store.audit.entries(5)
    assert {(entry.action, entry.target, entry.by) for entry in log} == {
        ("pause", EVERYTHING, ADMIN),
        ("pause", "second", ADMIN),
        ("resume", EVERYTHING, 502),
        ("resume", "second", 502),
    }
