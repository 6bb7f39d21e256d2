"""What is SQLite's own: group commit, one owner, a file that survives, and clear words when it does not."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes import changed_task

from bot.errors import SettingsError, StaleTask, StartError, StoreError
from bot.request import VideoRequest
from bot.store import Attempt, Person, Store, StoredUpdate
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.backup import back_up
from bot.stores.sqlite.connection.file import SCHEMA_VERSION
from bot.stores.sqlite.schema import migrate, migrations
from bot.stores.sqlite.tasks import VIDEOS
from bot.stores.values import TASK_COLUMNS
from bot.task import CardRef, Task, TaskState

_: type[Store] = SQLiteStore

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
T = TypeVar("T")


def a_task(task_id: str = "boat", **changes: Any) -> Task:
    return replace(
        Task(
            id=task_id,
            card=CardRef(chat_id=10),
            user_id=20,
            language="en",
            provider="volcengine",
            request=VideoRequest(model="jimeng-pro", prompt="a paper boat"),
            state=TaskState.QUEUED,
            created_at=NOW,
            queued_at=NOW,
            due_at=NOW,
        ),
        **changes,
    )


def an_attempt(task_id: str, detail: str = "") -> Attempt:
    return Attempt(task_id=task_id, provider="p", call="poll", at=NOW, took_s=0.1, answer="ok", detail=detail)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "dreamreel.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(path, clock=lambda: NOW)
    yield store
    await store.close()


async def on_thread(store: SQLiteStore, do: Callable[[sqlite3.Connection], T]) -> T:
    return await store._db.writer.read(do)


@asynccontextmanager
async def standing_still(store: SQLiteStore) -> AsyncIterator[None]:
    """The writer thread is held up inside: what is asked for meanwhile waits and forms one group."""
    started, go_on = threading.Event(), threading.Event()

    def wait(_connection: sqlite3.Connection) -> None:
        started.set()
        assert go_on.wait(10)

    held = asyncio.ensure_future(on_thread(store, wait))
    assert await asyncio.to_thread(started.wait, 10)
    yield
    go_on.set()
    await held


async def asked(*calls: Coroutine[Any, Any, Any]) -> list[asyncio.Future[Any]]:
    """The same calls, begun: each has reached the thread's queue."""
    futures: list[asyncio.Future[Any]] = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    return futures


# Group commit.


async def test_writes_that_wait_together_share_one_commit(store: SQLiteStore) -> None:
    before = store.commits
    async with standing_still(store):
        writes = await asked(*(store.tasks.add(a_task(str(number))) for number in range(200)))
    await asyncio.gather(*writes)
    assert store.commits == before + 1
    assert await store.tasks.count_open() == 200


async def test_writes_of_one_turn_of_the_loop_share_one_commit_the_first_too(store: SQLiteStore) -> None:
    before = store.commits
    await asyncio.gather(*(store.tasks.add(a_task(str(number))) for number in range(200)))
    assert store.commits == before + 1


async def test_a_refused_write_does_not_spoil_its_group(store: SQLiteStore) -> None:
    there = await store.tasks.add(a_task("there"))
    before = store.commits
    async with standing_still(store):
        writes = await asked(
            store.tasks.add(a_task("a")),
            store.tasks.save(changed_task(there, card_id=5), an_attempt("never added")),
            store.tasks.record(an_attempt("never added")),
            store.tasks.save(a_task("b", version=9)),
            store.tasks.add(a_task("c")),
            store.tasks.get("a"),
        )
    added, half, recorded, stale, added_too, got = await asyncio.gather(*writes, return_exceptions=True)
    assert added == got == a_task("a")
    assert added_too == await store.tasks.get("c") == a_task("c")
    assert isinstance(stale, StaleTask)
    assert isinstance(recorded, StoreError)
    assert isinstance(half, StoreError)
    assert await store.tasks.get("there") == there
    assert store.commits == before + 1


async def test_a_full_disk_is_said_to_those_it_concerns_alone(store: SQLiteStore) -> None:
    await store.tasks.add(a_task("a"))

    def limit(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    await on_thread(store, limit)
    async with standing_still(store):
        writes = await asked(
            store.tasks.add(a_task("b")),
            store.tasks.record(an_attempt("a", detail="x" * 1_000_000)),
            store.tasks.record(an_attempt("a", detail="short")),
        )
    added, too_large, recorded = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(too_large, StoreError)
    assert "disk is full" in str(too_large)
    assert added == await store.tasks.get("b")
    assert recorded is None
    assert [attempt.detail for attempt in await store.tasks.attempts("a")] == ["short"]


async def test_the_loop_turns_while_another_program_holds_the_file(store: SQLiteStore, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.ensure_future(store.tasks.add(a_task()))
        for _turn in range(1000):
            await asyncio.sleep(0)
        assert not write.done()
        other.execute("COMMIT")
    assert await write == a_task()


async def test_a_file_that_stays_held_is_an_error_of_the_family(store: SQLiteStore, path: Path) -> None:
    await on_thread(store, lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends = await asyncio.gather(
            store.tasks.add(a_task("a")), store.tasks.add(a_task("b")), return_exceptions=True
        )
        assert [str(end) for end in ends] == ["the database refused: another program holds it"] * 2
    assert await store.tasks.add(a_task("a")) == a_task("a")


async def test_a_caller_that_is_cancelled_does_not_take_its_write_back(store: SQLiteStore) -> None:
    async with standing_still(store):
        [write] = await asked(store.tasks.add(a_task("paid")))
        write.cancel()
        [other] = await asked(store.tasks.add(a_task("other")))
    assert await other == a_task("other")
    assert write.cancelled()
    assert await store.tasks.get("paid") == a_task("paid")


async def test_a_defect_in_one_job_does_not_end_the_thread(store: SQLiteStore) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        await store.tasks.add(a_task(due_at=datetime(2026, 1, 1)))
    assert await store.tasks.add(a_task()) == a_task()


# What survives.

WRITE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from bot.stores.sqlite import SQLiteStore
from bot.store import StoredUpdate

async def write(store, first):
    for update_id in range(first, first + 1_000_000):
        await store.updates.add([StoredUpdate(update_id, first, "{}")])
        print(update_id, flush=True)

async def main():
    store = await SQLiteStore.open(Path(sys.argv[1]))
    start = int(sys.argv[2])
    await asyncio.gather(*(write(store, start + worker * 1_000_000) for worker in range(20)))

asyncio.run(main())
"""


async def test_every_acknowledged_write_survives_kill_9(path: Path) -> None:
    acknowledged: list[int] = []
    for _kill in range(3):
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(path), str(len(acknowledged))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _line in range(500)]
            writer.send_signal(signal.SIGKILL)
            # A line that the kill cut short acknowledges nothing.
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    store = await SQLiteStore.open(path)
    rows = await on_thread(store, lambda it: it.execute("SELECT update_id FROM updates").fetchall())
    await store.close()
    assert len(acknowledged) >= 1500
    assert set(acknowledged) <= {update_id for (update_id,) in rows}


async def test_leases_of_an_earlier_process_end_at_open(path: Path) -> None:
    store = await SQLiteStore.open(path)
    await store.tasks.add(a_task())
    await store.updates.add([StoredUpdate(1, 10, "{}")])
    await store.tasks.claim(NOW, 60, 10, {})
    await store.updates.claim(NOW, 60, 10)
    await store.close()
    store = await SQLiteStore.open(path)
    assert len(await store.tasks.claim(NOW, 60, 10, {})) == 1
    [update] = await store.updates.claim(NOW, 60, 10)
    assert (update.attempts, update.was_cut_short) == (1, True), "it may be what killed the process"
    await store.close()


async def test_a_handled_update_leaves_no_words_behind(store: SQLiteStore) -> None:
    await store.updates.add([StoredUpdate(1, 10, '{"text": "private"}')])
    await store.updates.finish(1)
    rows = await on_thread(store, lambda it: it.execute("SELECT body FROM updates").fetchall())
    assert [tuple(row) for row in rows] == [("",)]


async def test_a_closed_file_needs_no_other_file(store: SQLiteStore, path: Path) -> None:
    await store.tasks.add(a_task())
    await store.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["dreamreel.db", "dreamreel.db.lock"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM tasks").fetchall() == [("boat",)]


# One owner.

OPEN_ONCE = """
import asyncio, sys
from pathlib import Path
from bot.errors import SettingsError
from bot.stores.sqlite import SQLiteStore

async def main():
    try:
        store = await SQLiteStore.open(Path(sys.argv[1]))
    except SettingsError as error:
        print(error)
    else:
        await store.close()
        print("sqlite_utils" in sys.modules)

asyncio.run(main())
"""


def open_elsewhere(path: Path) -> str:
    command = [sys.executable, "-c", OPEN_ONCE, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return ended.stdout.strip()


async def test_a_second_process_is_told_to_stop_the_first(store: SQLiteStore, path: Path) -> None:
    assert open_elsewhere(path) == f"Another Dreamreel already uses {path}: stop it first."
    assert await store.tasks.add(a_task()) == a_task()


async def test_a_start_with_nothing_to_migrate_does_not_load_sqlite_utils(path: Path) -> None:
    assert open_elsewhere(path) == "True"
    assert open_elsewhere(path) == "False"


async def test_an_open_that_fails_leaves_the_file_free(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    for _time in range(2):
        with pytest.raises(SettingsError, match="is damaged"):
            await SQLiteStore.open(path)
    path.unlink()
    await (await SQLiteStore.open(path)).close()


async def test_a_file_that_refuses_its_first_write_is_one_sentence(store: SQLiteStore, path: Path) -> None:
    await store.tasks.add(a_task())
    await store.tasks.claim(NOW, 60, 1, {})
    refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON tasks BEGIN SELECT raise(ABORT, 'no'); END"
    await on_thread(store, lambda connection: connection.execute(refuse))
    await store.close()
    for _time in range(2):
        with pytest.raises(SettingsError, match=r"^The database .* cannot be used: the database refused: "):
            await SQLiteStore.open(path)


async def test_a_file_that_another_program_holds_may_be_tried_again_later(
    store: SQLiteStore, path: Path
) -> None:
    await store.tasks.add(a_task())
    await store.tasks.claim(NOW, 60, 1, {})
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StartError, match="another program holds it"):
            await SQLiteStore.open(path)
    await (await SQLiteStore.open(path)).close()


# The file.


async def test_the_schema_grows_from_an_empty_file_and_migrating_again_changes_nothing(
    store: SQLiteStore, path: Path
) -> None:
    def schema(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute("SELECT * FROM sqlite_schema")]

    before = await on_thread(store, schema)
    await on_thread(store, migrate)
    assert await on_thread(store, schema) == before
    version = await on_thread(store, lambda it: it.execute("PRAGMA user_version").fetchone()[0])
    assert version == SCHEMA_VERSION


async def test_the_schema_version_counts_the_migrations(store: SQLiteStore) -> None:
    rows = await on_thread(store, lambda it: it.execute("SELECT name FROM _sqlite_migrations").fetchall())
    assert len(rows) == SCHEMA_VERSION
    assert len(repr(migrations).split(", ")) == SCHEMA_VERSION


async def test_tables_are_strict_and_every_field_of_a_task_has_a_column(store: SQLiteStore) -> None:
    ours = await on_thread(store, lambda it: it.execute("PRAGMA table_list").fetchall())
    assert all(row["strict"] for row in ours if not row["name"].startswith("sqlite_"))
    rows = await on_thread(store, lambda it: it.execute("PRAGMA table_info(tasks)").fetchall())
    assert set(TASK_COLUMNS) < {row["name"] for row in rows}


async def test_commits_are_durable_and_keys_are_checked(store: SQLiteStore) -> None:
    async def value(pragma: str) -> object:
        return await on_thread(store, lambda it: it.execute(f"PRAGMA {pragma}").fetchone()[0])

    assert await value("journal_mode") == "wal"
    assert await value("synchronous") == 2  # FULL
    assert await value("foreign_keys") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
async def test_the_folder_and_the_files_are_private(store: SQLiteStore, path: Path) -> None:
    await store.tasks.add(a_task())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_a_database_of_a_newer_version_is_refused_unchanged(path: Path) -> None:
    await (await SQLiteStore.open(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(SettingsError, match=r"made by a newer Dreamreel: update this one\.$"):
        await SQLiteStore.open(path)


async def test_a_damaged_page_is_found_at_the_start(path: Path) -> None:
    store = await SQLiteStore.open(path)
    for number in range(200):
        await store.tasks.add(a_task(str(number)))
    await store.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xee" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="is damaged"):
        await SQLiteStore.open(path)


async def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "dreamreel.db", tmp_path / "folder"):
        with pytest.raises(SettingsError, match=rf"^The database {path} cannot be opened: [A-Z][^.]+\.$"):
            await SQLiteStore.open(path)


# Copies, and damage while the bot runs.


async def test_a_copy_is_made_beside_writers_and_holds_all_that_was_acknowledged(
    store: SQLiteStore, path: Path
) -> None:
    await asyncio.gather(*(store.tasks.add(a_task(f"before {number}")) for number in range(300)))
    target = path.parent / "backups" / "night.db"
    copying = asyncio.create_task(store.maintenance.back_up(target))
    written = 0
    while not copying.done():
        await store.tasks.add(a_task(f"meanwhile {written}"))
        written += 1
    await copying
    assert written
    assert [file.name for file in target.parent.iterdir()] == ["night.db"]
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    copy = await SQLiteStore.open(target)
    assert await copy.tasks.count_open() >= 300
    await copy.close()


async def test_a_copy_that_is_refused_or_stopped_leaves_nothing_behind(
    store: SQLiteStore, path: Path
) -> None:
    await asyncio.gather(*(store.tasks.add(a_task(str(number))) for number in range(300)))
    folder = path.parent / "backups"
    with pytest.raises(StoreError, match="no backup"):
        await asyncio.to_thread(back_up, path, folder / "night.db", lambda: True)
    assert list(folder.iterdir()) == []
    (path.parent / "file").touch()
    with pytest.raises(StoreError, match="no backup"):
        await store.maintenance.back_up(path.parent / "file" / "night.db")


async def test_an_older_copy_stays_where_a_new_one_fails(store: SQLiteStore, path: Path) -> None:
    await asyncio.gather(*(store.tasks.add(a_task(str(number))) for number in range(300)))
    target = path.parent / "night.db"
    await store.maintenance.back_up(target)
    old = target.read_bytes()
    with pytest.raises(StoreError):
        await asyncio.to_thread(back_up, path, target, lambda: True)
    assert target.read_bytes() == old


async def test_calls_without_their_task_are_damage(path: Path) -> None:
    await (await SQLiteStore.open(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
            " VALUES ('nobody', 'p', 'poll', '', 0, '', '')"
        )
        connection.commit()
    with pytest.raises(SettingsError, match="is damaged"):
        await SQLiteStore.open(path)


async def test_damage_in_the_middle_is_told_to_whoever_watches(store: SQLiteStore, path: Path) -> None:
    await asyncio.gather(*(store.tasks.add(a_task(str(number))) for number in range(200)))
    watching = asyncio.create_task(store.maintenance.wait_for_fatal_error())
    await on_thread(store, lambda it: it.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    await on_thread(store, lambda it: it.execute("PRAGMA shrink_memory"))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xee" * (path.stat().st_size - 4096))
    assert not watching.done()
    with pytest.raises(StoreError, match="it is damaged"):
        await store.tasks.get("7")
    assert (await watching).startswith("it is damaged, restore a backup")


# Visitors.


async def test_a_visitor_works_beside_the_owner_and_leaves_its_leases_alone(path: Path) -> None:
    owner = await SQLiteStore.open(path, clock=lambda: NOW)
    await owner.tasks.add(a_task())
    [held] = await owner.tasks.claim(NOW, 60, 10, {})
    visitor = await SQLiteStore.visit(path, clock=lambda: NOW)
    assert await visitor.tasks.get("boat") == held
    kite = await visitor.tasks.add(a_task("kite"))
    await visitor.close()
    assert await owner.tasks.get("kite") == kite
    assert await owner.tasks.release() == 1, "it had its lease until now"
    await owner.close()


async def test_an_owner_hears_of_a_visitors_changes_and_not_of_its_own(path: Path) -> None:
    owner = await SQLiteStore.open(path, clock=lambda: NOW)
    visitor = await SQLiteStore.visit(path, clock=lambda: NOW)
    await owner.maintenance.wait_for_external_change()
    heard = asyncio.create_task(owner.maintenance.wait_for_external_change())
    await owner.tasks.add(a_task())
    done, _ = await asyncio.wait({heard}, timeout=0.01)
    assert not done
    await visitor.tasks.add(a_task("kite"))
    async with asyncio.timeout(20):
        await heard
    await visitor.tasks.add(a_task("swan"))  # between two calls: the next one tells it
    async with asyncio.timeout(20):
        await owner.maintenance.wait_for_external_change()
    await visitor.close()
    await owner.close()


async def test_a_bot_starts_beside_a_visitor(path: Path) -> None:
    await (await SQLiteStore.open(path)).close()
    visitor = await SQLiteStore.visit(path)
    owner = await SQLiteStore.open(path)
    await owner.tasks.add(a_task())
    assert await visitor.tasks.get("boat") is not None
    await visitor.close()
    await owner.close()


async def test_there_is_nothing_to_visit_before_the_first_start(path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^There is no database at .* first start\.$"):
        await SQLiteStore.visit(path)
    assert not path.exists()


async def test_a_visitor_of_another_version_than_the_owner_is_refused(path: Path) -> None:
    owner = await SQLiteStore.open(path)
    await on_thread(owner, lambda it: it.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}"))
    with pytest.raises(SettingsError, match=r"^Another version of Dreamreel uses"):
        await SQLiteStore.visit(path)
    await owner.close()


# Speed.


async def test_no_question_of_every_day_reads_the_history(store: SQLiteStore) -> None:
    asked: set[str] = set()
    await on_thread(store, lambda connection: connection.set_trace_callback(asked.add))
    task = await store.tasks.add(a_task(update_id=1, album_id="a"))
    await store.tasks.find(card=(10, 1))
    await store.tasks.drafts(10, 20)
    await store.tasks.unclosed(20)
    await store.tasks.count_ahead(task)
    await store.tasks.count_ahead(a_task("not stored"))
    await store.tasks.prioritise(task.id)
    await store.tasks.open_tasks()
    for who in ({}, {"user_id": 20}, {"chat_id": 10}):
        await store.tasks.count_open(**who)
        await store.tasks.count_since(NOW, **who)
    [task] = await store.tasks.claim(NOW, 60, 10, {"volcengine": 1})
    await store.tasks.save(task, an_attempt(task.id))
    await store.tasks.attempts(task.id)
    await store.tasks.next_due(NOW)
    await store.updates.add([StoredUpdate(1, 10, "{}")])
    await store.updates.claim(NOW, 60, 10)
    await store.updates.next_due(NOW)
    await store.updates.fail(1, NOW + timedelta(seconds=1))
    await store.updates.finish(1)
    await store.updates.prune(NOW)
    await store.maintenance.prune_tasks(NOW, 10)
    await store.tasks.release()
    await store.people.put_person(Person(1))
    await store.people.person(1)
    await on_thread(store, lambda connection: connection.set_trace_callback(None))

    def read_whole(connection: sqlite3.Connection) -> list[str]:
        statements = [sql for sql in asked if sql.split()[0] in {"SELECT", "UPDATE", "DELETE", "WITH"}]
        assert len(statements) > 20
        return [
            f"{step['detail']}: {sql}"
            for sql in statements
            for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
            if step["detail"] in {"SCAN tasks", "SCAN updates", "SCAN attempts", "SCAN people"}
        ]

    assert await on_thread(store, read_whole) == []


async def test_a_persons_newest_videos_are_read_in_their_order(path: Path) -> None:
    store = await SQLiteStore.open(path)

    def plan(connection: sqlite3.Connection) -> list[str]:
        return [step["detail"] for step in connection.execute(f"EXPLAIN QUERY PLAN {VIDEOS}", [20, 500])]

    assert await on_thread(store, plan) == ["SEARCH tasks USING INDEX tasks_made_by (user_id=?)"]
    await store.close()


async def test_of_updates_that_a_death_cut_short_one_is_handled_at_a_time(path: Path) -> None:
    store = await SQLiteStore.open(path)
    await store.updates.add([StoredUpdate(number, number, "{}") for number in (1, 2, 3)])
    assert len(await store.updates.claim(NOW, 60, 10)) == 3
    await store.close()
    store = await SQLiteStore.open(path)
    await store.updates.add([StoredUpdate(4, 4, "{}")])
    assert [update.update_id for update in await store.updates.claim(NOW, 60, 10)] == [1, 4]
    assert await store.updates.next_due(NOW) == NOW + timedelta(seconds=60)
    await store.updates.finish(1)
    [update] = await store.updates.claim(NOW, 60, 10)
    assert (update.update_id, update.attempts, update.was_cut_short) == (2, 1, True)
    await store.close()


@pytest.mark.parametrize("version", [0, 5, 99])
async def test_the_file_of_another_program_is_refused_and_left_alone(path: Path, version: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE moz_bookmarks (id INTEGER)")
        database.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="is of another program: set another DATABASE_URL"):
        await SQLiteStore.open(path)
    assert path.read_bytes() == before


async def test_a_check_that_answers_bytes_that_are_no_text_is_one_sentence(path: Path) -> None:
    await (await SQLiteStore.open(path)).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_master SET name = CAST(x'ff746173' AS TEXT) WHERE type = 'index'")
        database.execute("UPDATE sqlite_master SET rootpage = 99999 WHERE type = 'index'")
        database.commit()
    with pytest.raises(SettingsError, match="damaged"):
        await SQLiteStore.open(path)
