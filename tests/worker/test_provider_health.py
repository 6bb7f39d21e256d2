"""Accounts in trouble: admins are told of an outage once, and once that it is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from fakes import A_MODEL, NOW, Clock, Script, ScriptedProvider, StoreParts, WorkerHarness, a_task

from bot.errors import AccountProblem, StoreError
from bot.provider import Accepted
from bot.store import AccountTrouble, Notice
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState
from bot.worker.provider_health import ProviderHealth

REFUSED = AccountProblem("account", "code 50400", trouble="not_activated")


async def test_an_outage_is_told_once_and_its_end_once(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(REFUSED, REFUSED, Accepted("job-1"), Accepted("job-2"), REFUSED)
    for name in ("one", "two", "three"):
        await harness.store.tasks.add(a_task(name))
        await harness.turn()
        harness.clock.advance(60)
    told = [Notice("trouble_not_activated", {"provider": "jimeng-pro"})]
    told += [Notice("trouble_over", {"provider": "jimeng-pro", "minutes": "2"})]
    assert harness.notices == told
    await harness.close_task("three")
    for name in ("four", "five"):
        await harness.store.tasks.add(a_task(name, due_at=harness.clock()))
        await harness.close_task(name)
    assert harness.notices == [*told, told[0]]


async def test_people_read_that_it_is_not_available(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(REFUSED)
    await harness.store.tasks.add(a_task())
    await harness.turn()
    task = await harness.get()
    assert (task.state, task.error_code, task.counts_toward_quota) == (TaskState.FAILED, "account", False)


async def test_a_poll_that_meets_a_refused_account_is_told_too_and_ends_nothing(
    harness: WorkerHarness,
) -> None:
    harness.provider.polls = Script(AccountProblem("account", "HTTP 401", trouble="key_refused"))
    await harness.store.tasks.add(a_task())
    await harness.turn_until(lambda task: harness.provider.polls.count == 1)
    assert harness.notices == [Notice("trouble_key_refused", {"provider": "cloud"})]
    assert (await harness.get()).state is TaskState.RUNNING


async def test_an_outage_outlives_a_restart(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock
) -> None:
    told: list[Notice] = []

    async def tell(notice: Notice) -> None:
        told.append(notice)

    await ProviderHealth(store, {}, tell, clock).account_refused(A_MODEL, REFUSED)
    await ProviderHealth(store, {}, tell, clock).account_refused(A_MODEL, REFUSED)
    assert len(told) == 1
    assert await store.providers.troubles() == [AccountTrouble("jimeng-pro", "not_activated", NOW)]
    await ProviderHealth(store, {}, tell, clock).account_works(A_MODEL)
    assert [notice.key for notice in told] == ["trouble_not_activated", "trouble_over"]


class FullDisk:
    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        raise StoreError("database or disk is full")

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        raise StoreError("database or disk is full")

    async def troubles(self) -> list[AccountTrouble]:
        raise StoreError("database or disk is full")


@pytest.mark.parametrize("call", ["refused", "worked"])
async def test_a_full_disk_keeps_no_task_from_its_way(clock: Clock, call: str) -> None:
    async def tell(_: Notice) -> None:
        raise AssertionError("nothing is known to have begun or ended")

    full_disk: Any = StoreParts(providers=FullDisk())
    health = ProviderHealth(full_disk, {}, tell, clock)
    await (health.account_refused(A_MODEL, REFUSED) if call == "refused" else health.account_works(A_MODEL))


async def test_one_product_that_is_not_activated_is_no_outage_of_the_others(harness: WorkerHarness) -> None:
    health = ProviderHealth(harness.store, {}, harness.tell_admins, harness.clock)
    other = replace(A_MODEL, name="jimeng-720p")
    for _ in range(3):
        await health.account_refused(A_MODEL, REFUSED)
        await health.account_works(other)
    assert harness.notices == [Notice("trouble_not_activated", {"provider": "jimeng-pro"})]


async def test_many_refusals_at_once_are_told_once(harness: WorkerHarness) -> None:
    health = ProviderHealth(harness.store, {}, harness.tell_admins, harness.clock)
    await asyncio.gather(*(health.account_refused(A_MODEL, REFUSED) for _ in range(10)))
    assert len(harness.notices) == 1


async def test_a_process_that_ends_while_it_tells_tells_again(store: SQLiteStore, clock: Clock) -> None:
    async def broken_off(_: Notice) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ProviderHealth(store, {}, broken_off, clock).account_refused(A_MODEL, REFUSED)
    assert await store.providers.troubles() == []
