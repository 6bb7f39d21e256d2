"""Claiming tasks that are due, in SQL. Every function runs on the writer thread and holds to
`bot.store.TaskStore`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from bot.stores.sqlite import slots as limits
from bot.stores.sqlite import turns
from bot.stores.sqlite.rows import task_of, to_text, to_time
from bot.task import Task
from bot.worker.concurrency import open_slots

_DUE = (
    "SELECT due_at, rowid, NULL, NULL FROM tasks WHERE waits_for_slot = 0 AND due_at <= :now"
    " ORDER BY due_at, rowid LIMIT :limit"
)
_DUE_FOR_SLOT = (
    "SELECT due_at, rowid, provider, turn FROM tasks"
    " WHERE waits_for_slot = 1 AND provider = :provider AND due_at <= :now"
    " ORDER BY turn, chat_turn, rowid LIMIT :limit"
)
_Due = tuple[str, int, str | None, int | None]
"""When and where: `due_at` and rowid; and of one that waits for a slot, whose and its turn."""


def claim(
    connection: sqlite3.Connection, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]
) -> list[Task]:
    queues = [_due(connection, _DUE, now, limit)]
    for provider in _providers_with_waiting(connection):
        room = limit
        if provider in slots:
            allowed = open_slots(limits.limit_of(connection, provider), slots[provider], now)
            room = allowed - limits.taken(connection, provider, now)
        if room > 0:
            queues.append(_due(connection, _DUE_FOR_SLOT, now, min(room, limit), provider))
    # Between the queues the older is first; within one nobody loses their turn by that.
    due = list(islice(merge(*queues, key=itemgetter(0)), limit))
    if not due:
        return []
    for provider, turn in {(provider, turn) for _, _, provider, turn in due if provider is not None}:
        turns.reach(connection, provider, turn)
    chosen = [rowid for _, rowid, *_ in due]
    rows = connection.execute(
        "UPDATE tasks SET version = version + 1, due_at = ?,"
        " due_before_lease = coalesce(due_before_lease, due_at)"
        " WHERE rowid IN (SELECT value FROM json_each(?)) RETURNING rowid AS place, *",
        [to_text(now + timedelta(seconds=lease_s)), json.dumps(chosen)],
    )
    claimed = {row["place"]: task_of(row) for row in rows.fetchall()}
    return [claimed[rowid] for rowid in chosen]


def next_due(connection: sqlite3.Connection, now: datetime) -> datetime | None:
    # A task that is due and still there waits for a slot; one put off, or under a lease, waits for its time.
    row = connection.execute(
        "SELECT min(due_at) FROM ("
        " SELECT min(due_at) AS due_at FROM tasks WHERE waits_for_slot = 0 AND due_at IS NOT NULL"
        " UNION ALL SELECT min(due_at) FROM tasks WHERE waits_for_slot = 1 AND due_at > ?)",
        [to_text(now)],
    ).fetchone()
    waiting = _providers_with_waiting(connection)
    changes = [at for provider in waiting for at in limits.next_change(connection, provider, now)]
    return to_time(min(filter(None, [row[0], *changes]), default=None))


def release(connection: sqlite3.Connection) -> int:
    return connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL"
        " WHERE due_before_lease IS NOT NULL"
    ).rowcount


def has_waiting(connection: sqlite3.Connection, provider: str, now: datetime) -> bool:
    return bool(
        _number(
            connection,
            "SELECT EXISTS (SELECT 1 FROM tasks WHERE waits_for_slot = 1 AND provider = ? AND due_at <= ?)",
            (provider, to_text(now)),
        )
    )


def _due(
    connection: sqlite3.Connection, sql: str, now: datetime, limit: int, provider: str | None = None
) -> list[_Due]:
    """Those that are due, in the order of `sql`."""
    rows = connection.execute(sql, {"now": to_text(now), "limit": limit, "provider": provider})
    return [tuple(row) for row in rows]


def _providers_with_waiting(connection: sqlite3.Connection) -> Iterator[str]:
    # From one name to the next in the index: SELECT DISTINCT would read every task that waits.
    name: str | None = ""
    while name is not None:
        (name,) = connection.execute(
            "SELECT min(provider) FROM tasks WHERE waits_for_slot = 1 AND provider > ?", [name]
        ).fetchone()
        if name is not None:
            yield name


def _number(connection: sqlite3.Connection, sql: str, values: Any) -> int:
    number: int = connection.execute(sql, values).fetchone()[0]
    return number
