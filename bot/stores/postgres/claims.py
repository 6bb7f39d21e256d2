"""Claims and leases in SQL: which process works on which task. Exact with any number of processes.

A shared limit: the provider's row is locked *first*, and only then a second statement counts and picks. One
statement for both would count what it saw before it waited for the lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.stores.postgres.connections import Connection
from bot.stores.postgres.tasks import changed
from bot.stores.values import task_of
from bot.task import Task

_DUE = (
    "SELECT due_at, place, id FROM tasks WHERE NOT waits_for_slot AND due_at <= $1"
    " ORDER BY due_at, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_DUE_FOR_SLOT = (
    "SELECT due_at, place, id FROM tasks WHERE waits_for_slot AND provider = $3 AND due_at <= $1"
    " ORDER BY due_at, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_IS_DUE = "SELECT EXISTS (SELECT 1 FROM tasks WHERE NOT waits_for_slot AND due_at <= $1)"
_PROVIDERS_DUE = (
    # From one name to the next in the index: SELECT DISTINCT would read every task that waits.
    "WITH RECURSIVE names AS (SELECT min(provider) AS name FROM tasks WHERE waits_for_slot UNION ALL"
    " SELECT (SELECT min(provider) FROM tasks WHERE waits_for_slot AND provider > names.name) FROM names"
    " WHERE names.name IS NOT NULL)"
    " SELECT name FROM names WHERE EXISTS (SELECT 1 FROM tasks"
    " WHERE waits_for_slot AND provider = names.name AND due_at <= $1)"
)
_TAKEN = (
    "SELECT (SELECT count(*) FROM tasks WHERE provider = $1 AND slot_until > $2)"
    " + (SELECT count(*) FROM tasks WHERE waits_for_slot AND provider = $1 AND due_at > $2"
    " AND due_before_lease IS NOT NULL)"
)
_TAKE = (
    "UPDATE tasks SET version = version + 1, due_at = $2, leased_by = $3,"
    " due_before_lease = coalesce(due_before_lease, due_at) WHERE id = ANY($1::text[]) RETURNING *"
)


async def whats_due(connection: Connection, now: datetime) -> tuple[bool, list[str]]:
    """Whether anything is due that waits for no slot, and the providers for whose slots something waits."""
    due: bool = await connection.fetchval(_IS_DUE, now)
    return due, [row["name"] for row in await connection.fetch(_PROVIDERS_DUE, now)]


async def claim(
    connection: Connection,
    now: datetime,
    lease_s: float,
    limit: int,
    slots: Mapping[str, int],
    *,
    waiting: list[str],
    owner: str,
) -> list[Task]:
    """`waiting`: the providers that `whats_due` told."""
    due = await connection.fetch(_DUE, now, limit)
    for provider in sorted(waiting):  # always in the same order: no two processes wait for each other
        room = limit
        if provider in slots:
            room = min(await _room(connection, provider, now, slots[provider]), limit)
        if room > 0:
            due += await connection.fetch(_DUE_FOR_SLOT, now, room, provider)
    chosen = [row["id"] for row in sorted(due, key=lambda row: (row["due_at"], row["place"]))[:limit]]
    if not chosen:
        return []
    rows = await connection.fetch(_TAKE, chosen, now + timedelta(seconds=lease_s), owner)
    claimed = {row["id"]: row for row in rows}
    return [task_of(claimed[task_id]) for task_id in chosen]


async def _room(connection: Connection, provider: str, now: datetime, slots: int) -> int:
    """How many slots are free. From here to the end of the transaction nobody else takes one."""
    taken: int = await connection.fetchval(_TAKEN, provider, now)
    if taken >= slots:
        return 0  # most often so: then nobody has to wait for the lock
    await connection.execute("INSERT INTO providers (name) VALUES ($1) ON CONFLICT DO NOTHING", provider)
    await connection.execute("SELECT 1 FROM providers WHERE name = $1 FOR UPDATE", provider)
    taken = await connection.fetchval(_TAKEN, provider, now)
    return slots - taken


async def release(connection: Connection, owner: str) -> int:
    """End the leases of `owner`, and those of processes that have left; how many.

    Of the latter not those over a submit in flight (`processes.py` has the reason).
    """
    tasks = await connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL"
        " WHERE leased_by IS NOT NULL AND (leased_by = $1 OR (slot_until IS NULL OR remote_id IS NOT NULL)"
        " AND leased_by NOT IN (SELECT id FROM processes))",
        owner,
    )
    updates = await connection.execute(
        "UPDATE updates SET leased_until = NULL, leased_by = NULL WHERE state = 'open'"
        " AND leased_by IS NOT NULL AND (leased_by = $1 OR leased_by NOT IN (SELECT id FROM processes))",
        owner,
    )
    return changed(tasks) + changed(updates)
