"""Limits in use, in SQL. Every function runs on the writer thread and holds to `bot.store.SlotStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from bot.store import SlotLimit
from bot.stores.sqlite.rows import to_text, to_time


def limits(connection: sqlite3.Connection) -> list[SlotLimit]:
    rows = connection.execute("SELECT * FROM slots WHERE jobs IS NOT NULL ORDER BY provider")
    return [_limit(row) for row in rows]


def limit_of(connection: sqlite3.Connection, provider: str) -> SlotLimit | None:
    row = connection.execute(
        "SELECT * FROM slots WHERE provider = ? AND jobs IS NOT NULL", [provider]
    ).fetchone()
    return None if row is None else _limit(row)


def change(
    connection: sqlite3.Connection,
    provider: str,
    now: datetime,
    make: Callable[[SlotLimit | None, int], SlotLimit | None],
) -> SlotLimit | None:
    before = limit_of(connection, provider)
    limit = make(before, taken(connection, provider, now))
    if limit != before:
        connection.execute(
            "INSERT INTO slots (provider, jobs, refusals, refused_at, probe_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (provider) DO UPDATE SET jobs = excluded.jobs, refusals = excluded.refusals,"
            " refused_at = excluded.refused_at, probe_at = excluded.probe_at",
            [provider, limit.jobs, limit.refusals, to_text(limit.refused_at), to_text(limit.probe_at)]
            if limit
            else [provider, None, None, None, None],
        )
    return limit


def taken(connection: sqlite3.Connection, provider: str, now: datetime) -> int:
    """By jobs, and by tasks under a lease that are about to become some."""
    count: int = connection.execute(
        "SELECT (SELECT count(*) FROM tasks WHERE provider = :provider AND slot_until > :now)"
        " + (SELECT count(*) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider AND due_at > :now"
        " AND due_before_lease IS NOT NULL)",
        {"provider": provider, "now": to_text(now)},
    ).fetchone()[0]
    return count


def next_change(connection: sqlite3.Connection, provider: str, now: datetime) -> list[str]:
    """When a slot may come free without anybody's doing: a time runs out, or one more may be tried."""
    row = connection.execute(
        "SELECT (SELECT min(slot_until) FROM tasks WHERE provider = :provider AND slot_until > :now),"
        " (SELECT probe_at FROM slots WHERE provider = :provider AND probe_at > :now)",
        {"provider": provider, "now": to_text(now)},
    ).fetchone()
    return [at for at in row if at is not None]


def _limit(row: sqlite3.Row) -> SlotLimit:
    refused_at, probe_at = to_time(row["refused_at"]), to_time(row["probe_at"])
    assert refused_at is not None  # noqa: S101 - the columns have values together
    assert probe_at is not None  # noqa: S101
    return SlotLimit(row["provider"], row["jobs"], row["refusals"], refused_at, probe_at)
