"""What an operator may do with one task, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fakes import A_MODEL, KEPT, NOW, WorkerHarness, a_task, made

from bot.admin.retry import RetryRefused, retry
from bot.cli import task_actions, task_table
from bot.cli.task_actions import Refused
from bot.codes import FailureCode
from bot.store import Attempt, TaskFilter
from bot.store.audit import THE_MACHINE, AuditEntry
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState

HOUR = timedelta(hours=1)
FAILED: dict[str, Any] = {"state": TaskState.FAILED, "error_code": "prompt_refused", "delivered_at": NOW}
LOST = FAILED | {"error_code": FailureCode.SUBMIT_UNKNOWN, "submitted_at": NOW}


async def test_a_task_is_found_by_as_much_of_its_id_as_no_other_has(store: SQLiteStore) -> None:
    for name in ("abc1", "abd1", "ab"):
        await store.tasks.add(a_task(name))
    assert (await task_actions.find(store, "abc")).id == "abc1"
    assert (await task_actions.find(store, "ab")).id == "ab"
    for name, why in (("a", "Several tasks"), ("x", "No task"), ("", "No task")):
        with pytest.raises(Refused, match=why):
            await task_actions.find(store, name)


async def test_a_cancel_is_what_the_button_does(harness: WorkerHarness) -> None:
    task = await harness.store.tasks.add(a_task())
    hidden = await task_actions.cancel(harness.store, task, NOW)
    assert hidden.detached
    assert await task_actions.cancel(harness.store, hidden, NOW) == hidden
    ended = await harness.close_task()
    assert (ended.state, ended.error_code) == (TaskState.CANCELLED, "cancelled")
    with pytest.raises(Refused, match=r"^boat has ended: it cannot be stopped any more \(cancelled\)\.$"):
        await task_actions.cancel(harness.store, ended, NOW)


async def test_a_draft_is_dismissed(store: SQLiteStore) -> None:
    draft = await store.tasks.add(a_task(state=TaskState.DRAFT, question="card_draft"))
    assert (await task_actions.cancel(store, draft, NOW)).state is TaskState.CANCELLED


async def test_who_moves_a_task_at_the_same_moment_is_waited_for(harness: WorkerHarness) -> None:
    read = await harness.store.tasks.add(a_task())
    await harness.turn()
    stopped = await task_actions.cancel(harness.store, read, NOW)
    assert (stopped.state, stopped.detached) == (TaskState.RUNNING, True)


async def test_only_who_waits_is_put_first(store: SQLiteStore) -> None:
    await task_actions.put_first(store, await store.tasks.add(a_task()), NOW)
    assert await store.audit.entries(10) == [AuditEntry("first", "boat", 0, NOW)]
    with pytest.raises(Refused, match="does not wait for its turn: it is succeeded"):
        await task_actions.put_first(store, await store.tasks.add(made("kite")), NOW)


async def test_a_lost_job_goes_on_under_the_id_that_it_has(harness: WorkerHarness) -> None:
    lost = await harness.store.tasks.add(a_task(**LOST, due_at=None))
    found = await task_actions.attach(harness.store, lost, "job-1", A_MODEL, NOW)
    assert (found.state, found.remote_id, found.keep_until) == (TaskState.RUNNING, "job-1", KEPT)
    assert (await harness.close_task()).state is TaskState.SUCCEEDED
    assert harness.provider.submits.count == 0


@pytest.mark.parametrize(
    ("changes", "model", "why"),
    [
        (LOST | {"error_code": "prompt_refused"}, A_MODEL, "not a submit of unknown outcome"),
        ({}, A_MODEL, "not a submit of unknown outcome"),
        (LOST, None, "not set up here"),
        (LOST | {"submitted_at": NOW - 12 * HOUR}, A_MODEL, "does not know its job"),
    ],
)
async def test_an_id_that_would_lead_nowhere_is_refused(
    store: SQLiteStore, changes: dict[str, Any], model: Any, why: str
) -> None:
    task = await store.tasks.add(a_task(**changes))
    with pytest.raises(Refused, match=why):
        await task_actions.attach(store, task, "job-1", model, NOW)


async def test_an_id_of_another_task_is_refused(store: SQLiteStore) -> None:
    await store.tasks.add(made("kite"))
    lost = await store.tasks.add(a_task(**LOST))
    with pytest.raises(Refused, match="belongs to the task kite"):
        await task_actions.attach(store, lost, "job-1", A_MODEL, NOW)


async def test_asking_again_is_a_task_of_its_own_on_the_same_card(harness: WorkerHarness) -> None:
    failed = await harness.store.tasks.add(a_task(**FAILED, due_at=None, update_id=7))
    again = await retry(harness.store, failed, A_MODEL, Decimal("3.5"), by=THE_MACHINE, now=NOW + HOUR)
    assert again.id != failed.id
    assert (again.parent_id, again.card_id, again.request) == ("boat", 30, failed.request)
    assert (again.state, again.price, again.queued_at) == (TaskState.QUEUED, Decimal("3.5"), NOW + HOUR)
    assert again.update_id is None
    harness.clock.advance(3600)
    assert (await harness.close_task(again.id)).state is TaskState.SUCCEEDED
    assert await harness.get() == failed


async def test_two_yeses_to_one_question_buy_once(harness: WorkerHarness) -> None:
    failed = await harness.store.tasks.add(a_task(**FAILED, due_at=None))
    again = await retry(harness.store, failed, A_MODEL, None, by=0, now=NOW)
    with pytest.raises(RetryRefused, match=rf"already: it is {again.id}, queued\.$"):
        await retry(harness.store, failed, A_MODEL, None, by=0, now=NOW)
    assert (await harness.close_task(again.id)).state is TaskState.SUCCEEDED
    assert harness.provider.submits.count == 1


@pytest.mark.parametrize(
    ("changes", "model", "why"),
    [
        ({}, A_MODEL, "is queued: only what failed"),
        ({"state": TaskState.SUCCEEDED, "delivered_at": NOW}, A_MODEL, "is succeeded"),
        (FAILED | {"delivered_at": None}, A_MODEL, "its chat is being told"),
        (FAILED, None, "not set up here"),
        (FAILED, replace(A_MODEL, prompt_limit=3), "cannot do this request any more"),
    ],
)
async def test_what_cannot_be_asked_for_again_is_refused(
    store: SQLiteStore, changes: dict[str, Any], model: Any, why: str
) -> None:
    task = await store.tasks.add(a_task(**changes))
    with pytest.raises(RetryRefused, match=why):
        await retry(store, task, model, None, by=THE_MACHINE, now=NOW)
    assert len(await store.tasks.list_tasks(TaskFilter(), 10)) == 1


# On paper.


def drawn(what: Any) -> str:
    from rich.console import Console  # noqa: PLC0415

    console = Console(width=160, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_the_story_of_a_lost_one_says_what_to_do() -> None:
    attempt = Attempt(
        task_id="boat",
        provider="cloud",
        call="submit",
        at=NOW,
        took_s=60.0,
        answer=FailureCode.SUBMIT_UNKNOWN,
        detail="[bold]cut[/bold]",
    )
    story = drawn(task_table.draw_story(a_task(**LOST), [attempt] * 20, 0, NOW))
    assert "tasks attach boat REMOTE_ID" in story
    assert "8 more" in story
    assert "[bold]cut[/bold]" in story, "what a provider says is shown as it is"


def test_the_story_shows_the_order_however_many_looks_came_after_it() -> None:
    order = Attempt(task_id="boat", provider="cloud", call="submit", at=NOW, took_s=0.8, answer="ok")
    looks = [replace(order, call="poll", at=NOW + timedelta(seconds=n)) for n in range(1, 21)]
    story = drawn(task_table.draw_story(a_task(), [order, *looks], 0, NOW))
    assert "submit" in story
    assert "8 more" in story
    assert story.count("poll") == 12


def test_names_and_words_are_shown_as_they_are() -> None:
    task = a_task(user_name="[red]Ada[/red]", user_id=5)
    assert "[red]Ada[/red]" in drawn(task_table.draw_table([task], {"boat": 2}, NOW))
    assert "2 before it" in drawn(task_table.draw_table([task], {"boat": 2}, NOW))


def test_json_has_every_field_of_a_task() -> None:
    task = made(price=Decimal("0.10"), tried_models=("veo-3",), billed_tokens=108_900)
    fields = task_table.task_json(task)
    renamed = {"detached": "hidden", "tried_models": "passed_over", "polled_at": "looked_at"}
    assert fields.keys() == {renamed.get(name, name) for name in Task.__dataclass_fields__}
    assert fields["billed_tokens"] == 108_900
    assert (fields["price"], fields["state"], fields["passed_over"]) == ("0.10", "succeeded", ["veo-3"])
    assert fields["created_at"] == NOW.isoformat()
    assert task_table.write_json(fields)
