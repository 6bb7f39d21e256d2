"""What an operator may do with one task, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fakes import A_MODEL, KEPT, NOW, Clock, Script, WorkerHarness, a_task, admin_actions, made

from bot.admin.actions import ActionRefused, AdminActions
from bot.cli.context import find_task
from bot.codes import FailureCode
from bot.prices import read_prices
from bot.store import TaskFilter
from bot.store.audit import THE_MACHINE, AuditEntry
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState

HOUR = timedelta(hours=1)
FAILED: dict[str, Any] = {"state": TaskState.FAILED, "error_code": "prompt_refused", "delivered_at": NOW}
LOST = FAILED | {"error_code": FailureCode.SUBMIT_UNKNOWN, "submitted_at": NOW}


async def test_a_task_is_found_by_as_much_of_its_id_as_no_other_has(store: SQLiteStore) -> None:
    for name in ("abc1", "abd1", "ab"):
        await store.tasks.add(a_task(name))
    assert (await find_task(store, "abc")).id == "abc1"
    assert (await find_task(store, "ab")).id == "ab"
    for name, why in (("a", "Several tasks"), ("x", "No task"), ("", "No task")):
        with pytest.raises(ActionRefused, match=why):
            await find_task(store, name)


async def test_a_cancel_is_what_the_button_does(harness: WorkerHarness) -> None:
    task = await harness.store.tasks.add(a_task())
    hidden = await harness.actions.cancel(task.id, THE_MACHINE)
    assert hidden.detached
    assert await harness.actions.cancel(hidden.id, THE_MACHINE) == hidden
    ended = await harness.close_task()
    assert (ended.state, ended.error_code) == (TaskState.CANCELLED, "cancelled")
    with pytest.raises(
        ActionRefused, match=r"^boat has ended: it cannot be stopped any more \(cancelled\)\.$"
    ):
        await harness.actions.cancel(ended.id, THE_MACHINE)


async def test_an_admin_who_cancels_is_named_and_the_job_is_stopped(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(made("kite", user_id=501, user_name="Olga"))
    task = await harness.store.tasks.add(a_task())
    await harness.turn()
    await harness.store.tasks.update(task.id, lambda row: row.hide(harness.clock()))  # its chat is gone
    hidden = await harness.actions.cancel(task.id, 501)
    assert (hidden.cancelled_by, hidden.cancelled_by_name) == (501, "Olga")
    harness.provider.cancels = Script(True)
    assert (await harness.close_task()).state is TaskState.CANCELLED
    assert harness.provider.cancelled == ["job-1"]


async def test_a_ban_is_who_cancelled_what_waits(harness: WorkerHarness) -> None:
    task = await harness.store.tasks.add(a_task())
    await harness.actions.decide(task.user_id, "banned", 501)
    banned = await harness.get()
    assert (banned.is_cancelled, banned.cancelled_by) == (True, 501)


async def test_a_draft_is_dismissed(store: SQLiteStore, clock: Clock) -> None:
    draft = await store.tasks.add(a_task(state=TaskState.DRAFT, question="card_draft"))
    assert (await admin_actions(store, clock, {}).cancel(draft.id, THE_MACHINE)).state is TaskState.CANCELLED


async def test_who_moves_a_task_at_the_same_moment_is_waited_for(harness: WorkerHarness) -> None:
    read = await harness.store.tasks.add(a_task())
    await harness.turn()
    stopped = await harness.actions.cancel(read.id, THE_MACHINE)
    assert (stopped.state, stopped.detached) == (TaskState.RUNNING, True)


async def test_only_who_waits_is_put_first(store: SQLiteStore, clock: Clock) -> None:
    actions = admin_actions(store, clock, {})
    await actions.prioritise((await store.tasks.add(a_task())).id, THE_MACHINE)
    assert await store.audit.entries(10) == [AuditEntry("first", "boat", 0, NOW)]
    with pytest.raises(ActionRefused, match="does not wait for its turn: it is succeeded"):
        await actions.prioritise((await store.tasks.add(made("kite"))).id, THE_MACHINE)


async def test_a_lost_job_goes_on_under_the_id_that_it_has(harness: WorkerHarness) -> None:
    lost = await harness.store.tasks.add(a_task(**LOST, due_at=None))
    found = await harness.actions.attach(lost.id, "job-1", THE_MACHINE)
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
    store: SQLiteStore, clock: Clock, changes: dict[str, Any], model: Any, why: str
) -> None:
    task = await store.tasks.add(a_task(**changes))
    with pytest.raises(ActionRefused, match=why):
        await admin_actions(store, clock, {A_MODEL.name: model} if model else {}).attach(
            task.id, "job-1", THE_MACHINE
        )


async def test_an_id_of_another_task_is_refused(store: SQLiteStore, clock: Clock) -> None:
    await store.tasks.add(made("kite"))
    lost = await store.tasks.add(a_task(**LOST))
    with pytest.raises(ActionRefused, match="belongs to the task kite"):
        await admin_actions(store, clock, {A_MODEL.name: A_MODEL}).attach(lost.id, "job-1", THE_MACHINE)


async def test_a_job_that_was_not_made_frees_its_slot_and_counts_for_nothing(harness: WorkerHarness) -> None:
    lost = await harness.store.tasks.add(a_task(**LOST, due_at=None, keep_until=KEPT))
    assert (lost.slot_until, lost.counts_toward_quota) == (KEPT, True)
    settled = await harness.actions.free_slot(lost.id, 501)
    assert (settled.slot_until, settled.counts_toward_quota) == (None, False)
    assert await harness.store.audit.entries(10) == [AuditEntry("not_made", "boat", 501, NOW)]
    with pytest.raises(ActionRefused, match="is not a submit of unknown outcome"):
        await harness.actions.free_slot(lost.id, 501)


async def test_an_admin_of_the_settings_cannot_be_removed_and_a_claimed_one_is(
    store: SQLiteStore, clock: Clock
) -> None:
    actions = AdminActions(store, {}, quote=lambda _: None, configured_admins={502}, clock=clock)
    await store.maintenance.set_flag("claim", NOW)
    await store.people.claim_admin("claim", 501)
    for user_id, why in ((502, "named in ADMIN_USERS"), (503, "503 is not an admin")):
        with pytest.raises(ActionRefused, match=why):
            await actions.remove_admin(user_id, THE_MACHINE)
    await actions.remove_admin(501, 502)
    assert await store.people.admins() == []
    assert await store.audit.entries(10) == [AuditEntry("remove_admin", "501", 502, NOW)]


async def test_asking_again_is_a_task_of_its_own_on_the_same_card(harness: WorkerHarness) -> None:
    failed = await harness.store.tasks.add(a_task(**FAILED, due_at=None, update_id=7))
    harness.clock.advance(3600)
    actions = admin_actions(
        harness.store, harness.clock, {A_MODEL.name: A_MODEL}, prices=read_prices("jimeng-pro=3.5")
    )
    again = await actions.retry(failed.id, THE_MACHINE)
    assert again.id != failed.id
    assert (again.parent_id, again.card.card_id, again.request) == ("boat", 30, failed.request)
    assert (again.state, again.price, again.queued_at) == (TaskState.QUEUED, Decimal("3.5"), NOW + HOUR)
    assert again.update_id is None
    assert (await harness.close_task(again.id)).state is TaskState.SUCCEEDED
    assert await harness.get() == failed


async def test_two_yeses_to_one_question_buy_once(harness: WorkerHarness) -> None:
    failed = await harness.store.tasks.add(a_task(**FAILED, due_at=None))
    again = await harness.actions.retry(failed.id, THE_MACHINE)
    with pytest.raises(ActionRefused, match=rf"already: it is {again.id}, queued\.$"):
        await harness.actions.retry(failed.id, THE_MACHINE)
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
    store: SQLiteStore, clock: Clock, changes: dict[str, Any], model: Any, why: str
) -> None:
    task = await store.tasks.add(a_task(**changes))
    with pytest.raises(ActionRefused, match=why):
        await admin_actions(store, clock, {A_MODEL.name: model} if model else {}).retry(task.id, THE_MACHINE)
    assert len(await store.tasks.list_tasks(TaskFilter(), 10)) == 1
