"""The nightly copy, old rows forgotten, marks, and a look for visitors. All SQL runs on the writer thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.store.upkeep import BOT_MARK
from bot.stores.sqlite.backup import back_up
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.sqlite.writer import Writer

_GLANCE_S = 1.0
"""Until a visitor's change is seen."""
_OLD_ROWS = (
    "DELETE FROM updates WHERE update_id IN"
    " (SELECT update_id FROM updates WHERE state = 'parked' AND received_at < :before LIMIT :limit)",
    "DELETE FROM recipes WHERE token IN (SELECT token FROM recipes WHERE created_at < :before LIMIT :limit)",
    "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE kept_at < :before LIMIT :limit)",
    "DELETE FROM marks WHERE key IN"
    " (SELECT key FROM marks WHERE at < :before AND key NOT LIKE 'bot %' LIMIT :limit)",
)


class Keeping:
    """The part of `SQLiteStore` that `bot.store.KeepingStore` and `VisitStore` describe."""

    _path: Path
    _writer: Writer
    _clock: Callable[[], datetime]
    _version: int | None = None
    """Of the data, when `visited` looked last."""

    async def prune_tasks(self, before: datetime, limit: int) -> list[str]:
        return await self._writer.write(_prune_tasks, before, limit)

    async def prune_rest(self, before: datetime, limit: int) -> int:
        return await self._writer.write(_prune_rest, before, limit)

    async def back_up(self, target: Path) -> bool:
        # A stop does not wait for a copy that takes minutes.
        stopping = threading.Event()
        try:
            await asyncio.to_thread(back_up, self._path, target, stopping.is_set)
        finally:
            stopping.set()
        return True

    async def mark(self, key: str, now: datetime) -> bool:
        return await self._writer.write(_mark, key, now)

    async def unmark(self, key: str) -> datetime | None:
        return await self._writer.write(_unmark, key)

    async def claim_for_bot(self, bot_id: int) -> int:
        return await self._writer.write(_claim_for_bot, bot_id, self._clock())

    def write_fault(self) -> str:
        return self._writer.fault.reason

    async def broken(self) -> str:
        return await asyncio.shield(self._writer.damage)

    async def visited(self) -> None:
        def version(connection: sqlite3.Connection) -> int:
            # Another connection's commits change it, our own do not.
            number: int = connection.execute("PRAGMA data_version").fetchone()[0]
            return number

        while (now := await self._writer.read(version)) == self._version:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_GLANCE_S)
        self._version = now


def _prune_tasks(connection: sqlite3.Connection, before: datetime, limit: int) -> list[str]:
    # The calls made for them go along: ON DELETE CASCADE.
    rows = connection.execute(
        "DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks WHERE delivered_at < :before"
        " AND due_at IS NULL AND (slot_until IS NULL OR slot_until < :before)"
        " ORDER BY delivered_at LIMIT :limit) RETURNING id",
        {"before": to_text(before), "limit": limit},
    )
    return [task_id for (task_id,) in rows.fetchall()]


def _prune_rest(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    values = {"before": to_text(before), "limit": limit}
    return sum(connection.execute(delete, values).rowcount for delete in _OLD_ROWS)


def _mark(connection: sqlite3.Connection, key: str, now: datetime) -> bool:
    done = connection.execute("INSERT OR IGNORE INTO marks (key, at) VALUES (?, ?)", [key, to_text(now)])
    return done.rowcount > 0


def _unmark(connection: sqlite3.Connection, key: str) -> datetime | None:
    row = connection.execute("DELETE FROM marks WHERE key = ? RETURNING at", [key]).fetchone()
    return None if row is None else to_time(row["at"])


def bot_of(connection: sqlite3.Connection) -> int | None:
    """Return the id of the bot that the database belongs to; None while no bot has used it."""
    row = connection.execute("SELECT key FROM marks WHERE key LIKE 'bot %'").fetchone()
    return None if row is None else int(row["key"].removeprefix(BOT_MARK))


def _claim_for_bot(connection: sqlite3.Connection, bot_id: int, now: datetime) -> int:
    owner = bot_of(connection)
    if owner is None:
        _mark(connection, f"{BOT_MARK}{bot_id}", now)
    return owner or bot_id
