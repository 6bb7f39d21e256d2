"""Old rows forgotten, and marks, in SQL. Every function runs on the writer thread and holds to
`bot.store.KeepingStore`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.stores.sqlite.rows import to_text, to_time

_OLD_ROWS = (
    "DELETE FROM updates WHERE update_id IN"
    " (SELECT update_id FROM updates WHERE state = 'parked' AND received_at < :before LIMIT :limit)",
    "DELETE FROM recipes WHERE token IN (SELECT token FROM recipes WHERE created_at < :before LIMIT :limit)",
    "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE kept_at < :before LIMIT :limit)",
    "DELETE FROM marks WHERE key IN (SELECT key FROM marks WHERE at < :before LIMIT :limit)",
)


def prune_tasks(connection: sqlite3.Connection, before: datetime, limit: int) -> list[str]:
    # The calls made for them go along: ON DELETE CASCADE.
    rows = connection.execute(
        "DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks WHERE delivered_at < :before"
        " AND due_at IS NULL AND (slot_until IS NULL OR slot_until < :before)"
        " ORDER BY delivered_at LIMIT :limit) RETURNING id",
        {"before": to_text(before), "limit": limit},
    )
    return [task_id for (task_id,) in rows.fetchall()]


def prune_rest(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    values = {"before": to_text(before), "limit": limit}
    return sum(connection.execute(delete, values).rowcount for delete in _OLD_ROWS)


def mark(connection: sqlite3.Connection, key: str, now: datetime) -> bool:
    done = connection.execute("INSERT OR IGNORE INTO marks (key, at) VALUES (?, ?)", [key, to_text(now)])
    return done.rowcount > 0


def unmark(connection: sqlite3.Connection, key: str) -> datetime | None:
    row = connection.execute("DELETE FROM marks WHERE key = ? RETURNING at", [key]).fetchone()
    return None if row is None else to_time(row["at"])
