"""A whole PostgreSQL database, to be moved elsewhere or filled from there. Rows have SQLite's values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from bot.errors import SettingsError
from bot.stores.postgres.connection.opening import open_database
from bot.stores.transfer import MOVED, TABLES, Rows

_BATCH = 2000
_ORDER = {"tasks": "place", "updates": "update_id", "people": "user_id", "chats": "chat_id"}
_NOT_MOVED = frozenset({"leased_by", "moved_by"})
"""Ids of processes that are gone by then."""


class PostgresArchive:
    """Either side of a move: a `Source` that sees one moment, or a `Target` in a transaction that writes."""

    def __init__(
        self, connection: asyncpg.Connection[asyncpg.Record], kinds: dict[str, dict[str, str]]
    ) -> None:
        self._connection = connection
        self._kinds = kinds

    @classmethod
    async def open_source(cls, url: str) -> PostgresArchive:
        """Open it for reading. SettingsError or StartError if it cannot be used."""
        return await cls._open(url, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @classmethod
    async def open_target(cls, url: str) -> PostgresArchive:
        """Open it for writing. The tables are made if they are missing, and no bot may be running on it."""
        archive = await cls._open(url, "BEGIN")
        in_use = "SELECT EXISTS (SELECT 1 FROM processes WHERE alive_until > clock_timestamp())"
        if await archive._connection.fetchval(in_use):
            await archive.close()
            raise SettingsError("a bot is running on the other database: stop it first.")
        return archive

    @classmethod
    async def _open(cls, url: str, begin: str) -> PostgresArchive:
        await (await open_database(url)).close()  # brought up to date, and its refusals in our words
        connection = await asyncpg.connect(url)
        await connection.execute(begin)
        kinds: dict[str, dict[str, str]] = {table: {} for table in TABLES}
        for row in await connection.fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ANY($1) AND is_identity = 'NO'"
            " ORDER BY ordinal_position",
            TABLES,
        ):
            if row["column_name"] not in _NOT_MOVED:
                kinds[row["table_name"]][row["column_name"]] = row["data_type"]
        return cls(connection, kinds)

    async def columns(self, table: str) -> list[str]:
        return list(self._kinds[table])

    async def rows(self, table: str, columns: Sequence[str]) -> AsyncIterator[Rows]:
        names = ", ".join(f'"{column}"' for column in columns)
        order = _ORDER.get(table, "id" if table in _WITH_IDS else f'"{columns[0]}"')
        outward = [_OUTWARD.get(self._kinds[table][column], _as_it_is) for column in columns]
        statement = await self._connection.prepare(f"SELECT {names} FROM {table} ORDER BY {order}")  # noqa: S608
        cursor = await statement.cursor()
        while rows := await cursor.fetch(_BATCH):
            yield [[convert(value) for convert, value in zip(outward, row, strict=True)] for row in rows]

    async def last_used(self) -> tuple[datetime | None, datetime | None]:
        moved = await self._connection.fetchval("SELECT at FROM flags WHERE key = $1", MOVED)
        return moved, await self._connection.fetchval("SELECT max(at) FROM heartbeat")

    async def is_empty(self) -> bool:
        return not any([await self.count(table) for table in TABLES])

    async def clear(self) -> None:
        for table in reversed(TABLES):
            await self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names

    async def fill(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        inward = [_INWARD.get(self._kinds[table][column], _as_it_is) for column in columns]
        records = [tuple(convert(value) for convert, value in zip(inward, row, strict=True)) for row in rows]
        await self._connection.copy_records_to_table(table, records=records, columns=list(columns))

    async def count(self, table: str) -> int:
        number: int = await self._connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
        return number

    async def commit(self, now: datetime) -> None:
        await self._connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL"
            " WHERE due_before_lease IS NOT NULL"
        )
        await self._connection.execute(
            "UPDATE updates SET leased_until = NULL WHERE leased_until IS NOT NULL"
        )
        await self._connection.execute(
            "INSERT INTO flags (key, at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET at = excluded.at",
            MOVED,
            now,
        )
        await self._connection.execute("COMMIT")
        await self._connection.execute("ANALYZE")

    async def close(self) -> None:
        await self._connection.close()


_WITH_IDS = frozenset({"attempts", "notices", "pauses", "audit_log"})


def _as_it_is(value: Any) -> Any:
    return value


def _to_text(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def _to_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _to_number(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _to_boolean(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _to_clean(value: str | None) -> str | None:
    """Remove the character NUL, which a text of PostgreSQL cannot hold."""
    return None if value is None else value.replace("\0", "")


_OUTWARD: dict[str, Callable[[Any], Any]] = {
    "timestamp with time zone": _to_text,
    "boolean": _to_number,
}
_INWARD: dict[str, Callable[[Any], Any]] = {
    "timestamp with time zone": _to_time,
    "boolean": _to_boolean,
    "text": _to_clean,
}
