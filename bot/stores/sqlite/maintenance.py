"""Old rows deleted, the backup, flags, the heartbeat, and what other programs changed."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bot.store.maintenance import BOT_FLAG, KEY_FLAG
from bot.stores.sqlite.backup import back_up, delete_old_copies
from bot.stores.sqlite.connection.database import Database, Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time

_GLANCE_S = 1.0
"""Until another program's change is seen."""
_OLD_ROWS = (
    "DELETE FROM updates WHERE update_id IN"
    " (SELECT update_id FROM updates WHERE state = 'parked' AND received_at < :before LIMIT :limit)",
    "DELETE FROM recipes WHERE token IN (SELECT token FROM recipes WHERE created_at < :before LIMIT :limit)",
    "DELETE FROM films WHERE id IN (SELECT id FROM films WHERE finished_at < :before LIMIT :limit)",
    "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE kept_at < :before LIMIT :limit)",
    "DELETE FROM flags WHERE key IN"
    " (SELECT key FROM flags WHERE at < :before AND key NOT LIKE 'bot %' AND key NOT LIKE 'secret key %'"
    " LIMIT :limit)",
)


class SQLiteMaintenance(Subject):
    """A `bot.store.MaintenanceStore`."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self._seen_version: int | None = None

    @writes
    def prune_tasks(self, connection: sqlite3.Connection, before: datetime, limit: int) -> list[str]:
        # The calls made for them go along: ON DELETE CASCADE.
        rows = connection.execute(
            "DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks WHERE delivered_at < :before"
            " AND due_at IS NULL AND (slot_until IS NULL OR slot_until < :before)"
            " ORDER BY delivered_at LIMIT :limit) RETURNING id",
            {"before": to_text(before), "limit": limit},
        )
        return [task_id for (task_id,) in rows.fetchall()]

    @writes
    def prune_rest(self, connection: sqlite3.Connection, before: datetime, limit: int) -> int:
        with suppress(OSError):
            delete_old_copies(self._db.path)
        values = {"before": to_text(before), "limit": limit}
        return sum(connection.execute(delete, values).rowcount for delete in _OLD_ROWS)

    async def back_up(self, target: Path) -> bool:
        # A stop does not wait for a copy that takes minutes.
        stopping = threading.Event()
        try:
            await asyncio.to_thread(back_up, self._db.path, target, stopping.is_set)
        finally:
            stopping.set()
        return True

    @writes
    def set_flag(self, connection: sqlite3.Connection, key: str, now: datetime) -> bool:
        return _set_flag(connection, key, now)

    @writes
    def clear_flag(self, connection: sqlite3.Connection, key: str) -> datetime | None:
        row = connection.execute("DELETE FROM flags WHERE key = ? RETURNING at", [key]).fetchone()
        return None if row is None else to_time(row["at"])

    @writes
    def claim_for_bot(self, connection: sqlite3.Connection, bot_id: int) -> int:
        owner = bot_of(connection)
        if owner is None:
            _set_flag(connection, f"{BOT_FLAG}{bot_id}", self._db.clock())
        return owner or bot_id

    @writes
    def put_key_mark(self, connection: sqlite3.Connection, mark: str) -> str | None:
        before = key_mark_of(connection)
        connection.execute("DELETE FROM flags WHERE key LIKE 'secret key %'")
        _set_flag(connection, f"{KEY_FLAG}{mark}", self._db.clock())
        return before

    def write_outage(self) -> str:
        return self._db.writer.outage.reason

    @writes
    def record_heartbeat(self, connection: sqlite3.Connection, now: datetime) -> datetime | None:
        row = connection.execute("SELECT at FROM heartbeat").fetchone()
        connection.execute("INSERT OR REPLACE INTO heartbeat (id, at) VALUES (1, ?)", [to_text(now)])
        return None if row is None else to_time(row["at"])

    async def wait_for_external_change(self) -> None:
        while (version := await self._data_version()) == self._seen_version:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_GLANCE_S)
        self._seen_version = version

    @reads
    def _data_version(self, connection: sqlite3.Connection) -> int:
        # Another connection's commits change it, our own do not.
        number: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return number

    async def wait_for_fatal_error(self) -> str:
        return await asyncio.shield(self._db.writer.damage)


def bot_of(connection: sqlite3.Connection) -> int | None:
    """Return the id of the bot that the database belongs to; None while no bot has used it."""
    row = connection.execute("SELECT key FROM flags WHERE key LIKE 'bot %'").fetchone()
    return None if row is None else int(row["key"].removeprefix(BOT_FLAG))


def key_mark_of(connection: sqlite3.Connection) -> str | None:
    """Return the mark of the secret key of the process that started last; None if it had none."""
    row = connection.execute("SELECT key FROM flags WHERE key LIKE 'secret key %'").fetchone()
    return None if row is None else str(row["key"]).removeprefix(KEY_FLAG)


def _set_flag(connection: sqlite3.Connection, key: str, now: datetime) -> bool:
    done = connection.execute("INSERT OR IGNORE INTO flags (key, at) VALUES (?, ?)", [key, to_text(now)])
    return done.rowcount > 0
