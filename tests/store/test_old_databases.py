"""Databases that an older version wrote: each opens, is brought up to date, and its tasks go on.

The files in `databases/` are the tables of that version with a few rows of each, as that version stored them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from postgres_server import PostgresServer

from bot.errors import StartError
from bot.store import AccountTrouble, ChatRecord, ChatSettings, Notice, Pause, Person, SlotLimit, Store
from bot.store.audit import THE_BOT, AuditEntry, setting
from bot.store.budget import EVERYTHING
from bot.stores.postgres import PostgresStore
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.connection.file import SCHEMA_VERSION
from bot.task import Task, TaskState

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR_S = 3600.0
DATABASES = Path(__file__).parent / "databases"
Opener = Callable[[], Awaitable[Store]]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def write_postgres(url: str, version: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute((DATABASES / f"postgres-{version}.sql").read_text(encoding="utf-8"))
    await connection.close()


@pytest.fixture
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The store over a database of the engine and version in the test's parameter."""
    engine, version = request.param.split("-")
    store: Store
    if engine == "sqlite":
        path = tmp_path / "bot.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((DATABASES / f"sqlite-{version}.sql").read_text(encoding="utf-8"))
        store = await SQLiteStore.open(path, clock=lambda: NOW)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        await write_postgres(url := await server.new_database(), version)
        store = await PostgresStore.open(url, clock=lambda: NOW)
    yield store
    await store.close()


EVERY = pytest.mark.parametrize("opened", ["sqlite-0.1", "sqlite-0.2", "postgres-0.2"], indirect=True)
EVERY_02 = pytest.mark.parametrize("opened", ["sqlite-0.2", "postgres-0.2"], indirect=True)


async def stored(store: Store, task_id: str) -> Task:
    task = await store.tasks.get(task_id)
    assert task is not None
    return task


@EVERY
async def test_the_tasks_of_an_older_version_are_there_and_count_as_before(opened: Store) -> None:
    running = await stored(opened, "running")
    assert (running.remote_id, running.price, running.progress) == ("job-1", Decimal("3.50"), 0.25)
    assert running.billed_tokens is None
    assert running.deleted_at is None
    assert (running.expected_s, running.bar_floor) == (None, 0.0)
    assert (running.detached, running.tried_models) == (False, ())
    assert (await stored(opened, "hidden")).detached
    assert (await stored(opened, "draft")).request.prompt == "纸船"
    assert await opened.tasks.find(update_id=7) == running
    assert [task.id for task in await opened.tasks.history(4, 4, 9)] == ["made"]
    assert await opened.tasks.count_open(user_id=4) == 1, "the detached one is not waited for"
    assert await opened.tasks.count_since(NOW, user_id=4) == 4
    assert await opened.budget.spent_since(NOW) == Decimal("7.10")
    assert [attempt.detail for attempt in await opened.tasks.attempts("running")] == ["纸"]


@EVERY
async def test_who_waits_when_queue_tags_are_new_keeps_the_order_among_their_own(opened: Store) -> None:
    order = list[str]()
    while len(order) < 4:
        claimed = await opened.tasks.claim(NOW, HOUR_S, 1, {"cloud": 0})
        order += [task.id for task in claimed if task.provider == "busy"]
    # In 0.1 whoever waited longest was first; 0.2 gave its turns as they came.
    assert order[1] == "b1"
    assert set(order) == {"a1", "a2", "a3", "b1"}


@EVERY
async def test_the_tasks_of_an_older_version_go_on_to_their_end(opened: Store) -> None:
    claimed = {task.id: task for task in await opened.tasks.claim(after(10), HOUR_S, 99, {})}
    done = await opened.tasks.save(claimed["running"].succeeded("https://x.example/1", after(99), after(10)))
    done = await opened.tasks.save(done.delivered(after(11), "file-9"))
    assert (await stored(opened, "running")).state is TaskState.SUCCEEDED
    assert [task.id for task in await opened.tasks.history(4, 4, 9)] == ["made", "running"]
    stopped = await opened.tasks.update("a1", lambda task: task.hide(after(12)))
    assert stopped is not None
    assert stopped.detached
    assert [task.id for task in await opened.tasks.open_tasks(user_id=1)] == ["a2", "a3"]
    assert await opened.tasks.update("draft", lambda task: task.dropped("dismissed", after(12))) is not None
    assert (await stored(opened, "hidden")).slot_until == after(43200)


@EVERY
async def test_updates_people_and_chats_of_an_older_version_are_known(opened: Store) -> None:
    assert [update.body for update in await opened.updates.claim(NOW, HOUR_S, 9)] == ['{"text": "纸船"}']
    assert await opened.updates.count() == 2
    assert await opened.people.person(7) == Person(7, "admin", "zh", NOW)
    assert (await opened.people.chat(-5)).told_at == NOW


@EVERY_02
async def test_all_else_that_0_2_stored_is_there(opened: Store) -> None:
    assert (await stored(opened, "second")).tried_models == ("veo-3",)
    assert (await stored(opened, "running")).polled_at == after(1)
    assert await opened.people.person(8) == Person(8, companies=frozenset({"Ada"}), crop_preview=False)
    assert await opened.people.chat(-6) == ChatRecord(-6, NOW, ChatSettings(model="veo-3", quiet=True), -4)
    assert await opened.people.recipe("token") is not None
    assert await opened.people.take_notices(7) == [Notice("trouble_over", {"minutes": "5"})]
    assert await opened.providers.troubles() == [AccountTrouble("elsewhere", "no_balance", NOW)]
    assert await opened.providers.durations() == {"key": "learned"}
    assert await opened.providers.slot_limits() == [SlotLimit("cloud", 2, 1, NOW, after(60))]
    assert await opened.tokens.find("link", "digest", NOW) is not None
    assert not await opened.maintenance.set_flag("told", NOW)
    assert await opened.maintenance.record_heartbeat(after(1)) == NOW


@EVERY_02
async def test_what_admins_decided_stays_in_force_and_all_of_it_is_in_the_audit_log(opened: Store) -> None:
    # Stored after EUR by a clock that had been set back: it is in force all the same.
    usd = setting(THE_BOT, "CURRENCY", "USD", 8, after(15))
    allowed = setting(20, "role", "allowed", 7, after(20))
    assert await opened.audit.in_force(THE_BOT) == [usd]
    assert await opened.audit.in_force_by_name("role") == [allowed]
    assert await opened.budget.pauses() == [Pause("veo-3", 7, after(50))]
    log = await opened.audit.entries(99)
    assert log[:5] == [
        AuditEntry("pause", "veo-3", 7, after(50)),
        AuditEntry("resume", EVERYTHING, 7, after(45), value="0"),
        AuditEntry("pause", EVERYTHING, THE_BOT, after(40)),
        setting(THE_BOT, "DAILY_BUDGET", None, 7, after(31)),
        setting(THE_BOT, "DAILY_BUDGET", "300", 7, after(30)),
    ]
    assert log[-1] == AuditEntry("cancel", "made", 7, after(12))
    assert len(log) == 9
    assert usd in log


@EVERY_02
async def test_a_pause_that_0_2_stored_blocks_buying_until_it_is_ended(opened: Store) -> None:
    task = await stored(opened, "a1")
    veo = task.request.model_copy(update={"model": "veo-3"})
    task = await opened.tasks.add(Task(**fields(task) | {"id": "film", "request": veo, "version": 0}))
    intent = task.submitting(after(60), after(120), after(HOUR_S))
    assert await opened.budget.buy(intent, NOW, None, ()) == Pause("veo-3", 7, after(50))
    assert not await opened.budget.pause(Pause("veo-3", 9, after(70)))
    assert await opened.budget.resume("veo-3", 9, after(70)) == Pause("veo-3", 7, after(50))
    assert isinstance(await opened.budget.buy(intent, NOW, None, ()), Task)


@EVERY_02
async def test_what_was_bought_before_the_guards_pause_was_ended_in_0_2_is_not_counted_again(
    opened: Store,
) -> None:
    intent = (await stored(opened, "a1")).submitting(after(60), after(120), after(HOUR_S))
    # Three tasks were handed over at NOW, and the purchase guard's pause was ended 45 seconds later.
    assert isinstance(await opened.budget.buy(intent, after(-HOUR_S), 1, ()), Task)


async def test_sqlite_is_copied_before_it_is_migrated_and_the_copy_is_gone_after_a_week(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATABASES / "sqlite-0.2.sql").read_text(encoding="utf-8"))
        before = list(connection.iterdump())
    store = await SQLiteStore.open(path, clock=lambda: NOW)
    copy = tmp_path / f"bot.db.before-{SCHEMA_VERSION}"
    with closing(sqlite3.connect(copy)) as connection:
        assert list(connection.iterdump()) == before
    assert copy.stat().st_mode & 0o077 == 0
    await store.maintenance.prune_rest(NOW, 10)
    assert copy.exists()
    last_week = copy.stat().st_mtime - 8 * 24 * HOUR_S
    os.utime(copy, (last_week, last_week))
    await store.maintenance.prune_rest(NOW, 10)
    assert not copy.exists()
    await store.close()
    await (await SQLiteStore.open(path)).close()
    await (await SQLiteStore.open(tmp_path / "new.db")).close()
    assert list(tmp_path.glob("*.before-*")) == [], "nothing was migrated"


async def test_sqlite_is_not_migrated_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATABASES / "sqlite-0.2.sql").read_text(encoding="utf-8"))
        before = list(connection.iterdump())
    (tmp_path / f"bot.db.before-{SCHEMA_VERSION}").mkdir()
    with pytest.raises(StartError, match="is not migrated without a copy"):
        await SQLiteStore.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before


async def test_postgresql_is_not_migrated_under_an_older_process(postgres: PostgresServer) -> None:
    await write_postgres(url := await postgres.new_database(), "0.2")
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO processes VALUES ('older', clock_timestamp() + interval '15 s')")
    with pytest.raises(StartError, match="stop it first"):
        await PostgresStore.open(url)
    assert await connection.fetchval("SELECT max(version) FROM schema_version") == 4
    await connection.execute("DELETE FROM processes")
    await connection.close()
    await (await PostgresStore.open(url)).close()


def fields(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in Task.__dataclass_fields__}
