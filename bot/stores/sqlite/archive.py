"""A whole database file, to be moved elsewhere or filled from there. Rows are what they are in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import SettingsError
from bot.stores.sqlite.connection.file import DatabaseFile, explain, open_file
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.transfer import MOVED, TABLES, Rows

_BATCH = 2000
_OWN = {"attempts": "id", "notices": "id", "pauses": "id", "audit_log": "id"}
"""Numbers that each database gives for itself; the order stays."""


class SQLiteSource:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> SQLiteSource:
        """Open it for reading. SettingsError if there is no such file, or it cannot be read."""
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM tasks").fetchone()  # from here on it sees this moment
        except sqlite3.Error as error:
            raise SettingsError(f"The database {path} cannot be read: {explain(error)}.") from error
        return cls(connection)

    async def columns(self, table: str) -> list[str]:
        return [name for name in _columns(self._connection, table) if name != _OWN.get(table)]

    async def rows(self, table: str, columns: Sequence[str]) -> AsyncIterator[Rows]:
        names = ", ".join(f'"{column}"' for column in columns)
        cursor = self._connection.execute(f"SELECT {names} FROM {table} ORDER BY rowid")  # noqa: S608 - our names
        while rows := await asyncio.to_thread(cursor.fetchmany, _BATCH):
            yield rows

    async def close(self) -> None:
        self._connection.close()


class SQLiteTarget:
    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._connection = file.connection

    @classmethod
    async def open(cls, path: Path) -> SQLiteTarget:
        """Open it, and make it if it is missing. SettingsError if it cannot be used, or a bot is running on
        it."""
        file = await asyncio.to_thread(open_file, path)
        file.connection.execute("BEGIN IMMEDIATE")
        return cls(file)

    async def columns(self, table: str) -> list[str]:
        return [name for name in _columns(self._connection, table) if name != _OWN.get(table)]

    async def last_used(self) -> tuple[datetime | None, datetime | None]:
        moved = self._one("SELECT at FROM flags WHERE key = ?", MOVED)
        return to_time(moved), to_time(self._one("SELECT at FROM heartbeat"))

    async def is_empty(self) -> bool:
        return not any([await self.count(table) for table in TABLES])

    async def clear(self) -> None:
        for table in reversed(TABLES):
            await asyncio.to_thread(self._connection.execute, f"DELETE FROM {table}")  # noqa: S608 - our names

    async def fill(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        await asyncio.to_thread(self._connection.executemany, insert, rows)

    async def count(self, table: str) -> int:
        return int(self._one(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own names

    async def commit(self, now: datetime) -> None:
        # Leases are ended by the next start, as the only process on the file.
        self._connection.execute(
            "INSERT OR REPLACE INTO flags (key, at) VALUES (?, ?)", [MOVED, to_text(now)]
        )
        await asyncio.to_thread(self._connection.execute, "COMMIT")

    async def close(self) -> None:
        if self._connection.in_transaction:
            self._connection.rollback()
        await asyncio.to_thread(self._file.close)

    def _one(self, sql: str, *values: object) -> Any:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
