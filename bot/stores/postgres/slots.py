"""Limits in use, in SQL. Every function takes a connection and holds to `bot.store.SlotStore`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.store import SlotLimit
from bot.stores.postgres import turns
from bot.stores.postgres.connections import Connection
from bot.stores.values import Row


async def limits(connection: Connection) -> list[SlotLimit]:
    rows = await connection.fetch("SELECT * FROM slots WHERE jobs IS NOT NULL ORDER BY provider")
    return [_limit(row) for row in rows]


async def limit_of(connection: Connection, provider: str) -> SlotLimit | None:
    row = await connection.fetchrow("SELECT * FROM slots WHERE provider = $1 AND jobs IS NOT NULL", provider)
    return None if row is None else _limit(row)


async def change(
    connection: Connection,
    provider: str,
    now: datetime,
    make: Callable[[SlotLimit | None, int], SlotLimit | None],
) -> SlotLimit | None:
    await turns.hold(connection, provider)
    before = await limit_of(connection, provider)
    limit = make(before, await taken(connection, provider, now))
    if limit != before:
        await connection.execute(
            "UPDATE slots SET jobs = $2, refusals = $3, refused_at = $4, probe_at = $5 WHERE provider = $1",
            provider,
            *(
                (limit.jobs, limit.refusals, limit.refused_at, limit.probe_at)
                if limit
                else (None, None, None, None)
            ),
        )
    return limit


async def taken(connection: Connection, provider: str, now: datetime) -> int:
    """By jobs, and by tasks under a lease that are about to become some."""
    count: int = await connection.fetchval(
        "SELECT (SELECT count(*) FROM tasks WHERE provider = $1 AND slot_until > $2)"
        " + (SELECT count(*) FROM tasks WHERE waits_for_slot AND provider = $1 AND due_at > $2"
        " AND due_before_lease IS NOT NULL)",
        provider,
        now,
    )
    return count


def _limit(row: Row) -> SlotLimit:
    return SlotLimit(row["provider"], row["jobs"], row["refusals"], row["refused_at"], row["probe_at"])
