"""Copies a whole database into another one, of either engine: table by table, in one transaction.

Between the two, rows have SQLite's values: texts, numbers, 0 and 1, and times as
`bot.stores.sqlite.rows.to_text` writes them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

TABLES = (
    *(
        "tasks",
        "films",
        "attempts",
        "updates",
        "people",
        "chats",
        "recipes",
        "accounts",
        "notices",
        "durations",
    ),
    *("heartbeat", "audit_log", "pauses", "tokens", "flags", "slots"),
)
"""What is worth keeping, in an order in which each finds what it refers to."""
MOVED = "moved here"
"""The flag in a database that was filled by a move, and may be filled again while no bot has used it."""

Rows = Sequence[Sequence[Any]]


class Source(Protocol):
    """A database to read from, as it was at one moment. Changes nothing; a bot may be running on it."""

    async def columns(self, table: str) -> list[str]: ...

    def rows(self, table: str, columns: Sequence[str]) -> AsyncIterator[Rows]:
        """Yield all rows of a table in the order in which they came, some at a time."""

    async def close(self) -> None: ...


class Target(Protocol):
    """A database to fill. `close` without a `commit` leaves all as it was."""

    async def columns(self, table: str) -> list[str]:
        """Return those that are filled from the source."""

    async def last_used(self) -> tuple[datetime | None, datetime | None]:
        """Return when a move filled it, and when a bot was last alive on it."""

    async def is_empty(self) -> bool: ...

    async def clear(self) -> None: ...

    async def fill(self, table: str, columns: Sequence[str], rows: Rows) -> None: ...

    async def count(self, table: str) -> int: ...

    async def commit(self, now: datetime) -> None:
        """Commit, with no lease left and the flag of a move set."""

    async def close(self) -> None: ...


async def move(source: Source, target: Target, now: datetime) -> Mapping[str, int]:
    """Copy everything; return how many rows of each table.

    ValueError, a sentence, if that would destroy something or a count is wrong: then nothing has changed.
    """
    moved_at, used_at = await target.last_used()
    if moved_at is None and not await target.is_empty():
        raise ValueError(
            "The other database is not empty, and was not filled by an earlier move: nothing was done."
        )
    if moved_at is not None and used_at is not None and used_at > moved_at:
        raise ValueError("a bot has used the other database since the last move.")
    await target.clear()
    counts: dict[str, int] = {}
    for table in TABLES:
        there = set(await target.columns(table))
        columns = [column for column in await source.columns(table) if column in there]
        counts[table] = 0
        async for rows in source.rows(table, columns):
            await target.fill(table, columns, rows)
            counts[table] += len(rows)
        if (filled := await target.count(table)) != counts[table]:
            raise ValueError(f"{counts[table]} rows of {table} were read, and {filled} arrived.")
    await target.commit(now)
    return counts
