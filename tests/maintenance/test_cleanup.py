"""What is done at night: a copy of the database, and what is old forgotten."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import NOW, Clock, StoreParts, a_task
from running import PATIENCE_S, bot_process, running_bot, stage

from bot import app
from bot.errors import SettingsError, StoreError
from bot.maintenance.backup import Backup, BackupFolder, ReportBackup
from bot.maintenance.cleanup import Cleanup
from bot.settings import IsolatedSettings
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.backup import back_up
from bot.task import TaskState

UTC_ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "zone", "night"),
    [
        ("2026-05-04T03:59", "UTC", "2026-05-03"),
        ("2026-05-04T04:00", "UTC", "2026-05-04"),
        ("2026-05-04T01:59", "Europe/Berlin", "2026-05-03"),
        ("2026-05-04T02:00", "Europe/Berlin", "2026-05-04"),
        ("2026-05-03T20:00", "Asia/Shanghai", "2026-05-04"),
    ],
)
def test_a_night_begins_at_its_hour_in_the_time_zone(now: str, zone: str, night: str, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path, 4, ZoneInfo(zone))
    assert folder.latest_due(datetime.fromisoformat(now).replace(tzinfo=UTC)) == date.fromisoformat(night)


async def test_each_night_one_copy_is_made_and_seven_are_kept(
    store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    reports: list[str | None] = []
    folder = BackupFolder(tmp_path / "backups", 4, UTC_ZONE)
    backup = Backup(store, folder, reporter(reports), clock)
    folder.folder.mkdir()
    (folder.folder / "dreamreel-of-mine.db").touch()
    for _ in range(10):
        await backup.run_if_due()
        await backup.run_if_due()
        clock.advance(86_400)
    days = [(NOW + DAY * number).date().isoformat() for number in range(3, 10)]
    names = {file.name for file in folder.folder.iterdir()}
    assert names == {"dreamreel-of-mine.db", *(f"dreamreel-{day}.db" for day in days)}
    assert reports == [None] * 10
    assert folder.newest() == date.fromisoformat(days[-1])


async def test_a_copy_that_failed_is_tried_again_in_an_hour_and_its_end_is_told(
    store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    reports: list[str | None] = []
    blocked = tmp_path / "backups"
    blocked.touch()
    backup = Backup(store, BackupFolder(blocked, 4, UTC_ZONE), reporter(reports), clock)
    await backup.run_if_due()
    await backup.run_if_due()
    assert len(reports) == 1
    assert reports[0] is not None
    assert reports[0].startswith("no backup: ")
    blocked.unlink()
    clock.advance(3600)
    await backup.run_if_due()
    assert reports[1:] == [None]


def reporter(reports: list[str | None]) -> ReportBackup:
    async def report(reason: str | None) -> None:
        reports.append(reason)

    return report


async def test_what_is_old_is_forgotten_in_small_batches_with_its_video(
    store: SQLiteStore, clock: Clock
) -> None:
    discarded: list[str] = []
    closed = replace(a_task(), state=TaskState.FAILED, delivered_at=NOW, due_at=None)
    for number in range(250):
        await store.tasks.add(replace(closed, id=f"old {number}"))
    clock.advance(91 * 86_400)
    await store.tasks.add(replace(closed, id="young", delivered_at=clock.now))
    before = store.commits
    await Cleanup(store, 90, discarded.append, clock, between_s=0).run_if_due()
    assert store.commits - before >= 3
    assert sorted(discarded) == sorted(f"old {number}" for number in range(250))
    assert await store.tasks.get("old 7") is None
    assert await store.tasks.get("young") is not None


class Refusing:
    """Updates on a disk that is full."""

    def __init__(self) -> None:
        self.asked = 0
        self.updates = self

    async def prune(self, _: datetime) -> int:
        self.asked += 1
        raise StoreError("its disk is full")


async def test_a_full_disk_does_not_end_the_forgetting(clock: Clock) -> None:
    store = Refusing()
    cleanup = Cleanup(StoreParts(updates=store), 90, lambda _: None, clock)
    for _ in range(3):
        await cleanup.run_if_due()
        clock.advance(1801)
    assert store.asked == 2


# The whole bot.


async def test_a_backup_is_restored_as_the_papers_say(tmp_path: Path) -> None:
    database, copy = tmp_path / "bot.db", tmp_path / "backups" / "night.db"
    async with stage(tmp_path) as live_bot:
        async with running_bot(live_bot.values()):
            ada, chat = live_bot.newcomer()
            live_bot.world.say(ada, chat, "/video a paper boat")
            await live_bot.shown(chat)
            await asyncio.to_thread(back_up, database, copy, lambda: False)
        database.write_bytes(b"\xee" * database.stat().st_size)
        with pytest.raises(SettingsError, match="is damaged, restore a backup"):
            async with running_bot(live_bot.values()):
                pass
        for beside in ("bot.db-wal", "bot.db-shm"):
            (tmp_path / beside).unlink(missing_ok=True)
        shutil.copyfile(copy, database)
        async with running_bot(live_bot.values()):
            history = await live_bot.answer(live_bot.world.say(ada, chat, "/history"))
            assert "a paper boat" in str(history)
            assert live_bot.jobs("a paper boat") == 1


async def test_a_database_that_breaks_ends_the_bot_with_one_sentence(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        started = asyncio.Event()
        settings = IsolatedSettings.model_validate(live_bot.values())
        run = asyncio.create_task(app.run(settings, lambda _: started.set(), asyncio.Event()))
        await started.wait()
        database = tmp_path / "bot.db"
        with closing(sqlite3.connect(database)) as other:
            # What the bot remembers of the file is old now, so it reads it anew.
            other.execute("INSERT INTO durations (key, learned) VALUES ('-', '-')")
            other.commit()
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with database.open("r+b") as file:
            file.write(b"\xee" * database.stat().st_size)
        ada, chat = live_bot.newcomer(is_told=False)
        live_bot.world.say(ada, chat, "/help")
        with pytest.raises(
            SettingsError, match=r"^The database cannot be used any more: it is damaged, [^.]+\.$"
        ):
            async with asyncio.timeout(PATIENCE_S):
                await run


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes the limits of another process")
async def test_a_disk_that_takes_nothing_more_loses_nothing_and_buys_nothing_twice(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, bot_process(tmp_path, live_bot.values()) as process:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a boat")
        await live_bot.shown(chat)
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, most))
        asked = live_bot.world.say(ada, chat, "/video a ship")
        await process.prints("the database takes no writes")
        assert live_bot.jobs("a ship") == 0
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        await live_bot.shown(chat, 2)
        assert live_bot.jobs("a ship") == 1
        assert [one for one in live_bot.world.bot_messages(chat) if one["message_id"] > asked["message_id"]]
