"""Claims and leases in SQL: which process works on which task. Exact with any number of processes.

A shared limit: the provider's row is locked *first*, and only then a second statement counts and picks. One
statement for both would count what it saw before it waited for the lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter

from bot.stores.postgres import slots as limits
from bot.stores.postgres import turns
from bot.stores.postgres.connections import Connection, affected
from bot.stores.values import task_of
from bot.task import Task
from bot.worker.concurrency import open_slots

_DUE = (
    "SELECT due_at, id, NULL AS provider, 0 AS turn FROM tasks WHERE NOT waits_for_slot AND due_at <= $1"
    " ORDER BY due_at, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_DUE_FOR_SLOT = (
    "SELECT due_at, id, provider, turn FROM tasks WHERE waits_for_slot AND provider = $3 AND due_at <= $1"
    " ORDER BY turn, chat_turn, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_NAMES = (
    # From one name to the next in the index: SELECT DISTINCT would read every task that waits.
    "WITH RECURSIVE names AS (SELECT min(provider) AS name FROM tasks WHERE waits_for_slot UNION ALL"
    " SELECT (SELECT min(provider) FROM tasks WHERE waits_for_slot AND provider > names.name) FROM names"
    " WHERE names.name IS NOT NULL)"
)
_WHATS_DUE = (
    f"{_NAMES} SELECT EXISTS (SELECT 1 FROM tasks WHERE NOT waits_for_slot AND due_at <= $1),"  # noqa: S608
    " ARRAY(SELECT name FROM names WHERE EXISTS"
    " (SELECT 1 FROM tasks WHERE waits_for_slot AND provider = names.name AND due_at <= $1))"
)
_NEXT_DUE = (
    # A task that is due and still there waits for a slot; one put off, or under a lease, waits for its time.
    # A slot may come free without anybody's doing: a time runs out, or one more may be tried.
    f"{_NAMES} SELECT least("  # noqa: S608 - our own words
    "(SELECT min(due_at) FROM tasks WHERE NOT waits_for_slot AND due_at IS NOT NULL),"
    " (SELECT min(due_at) FROM tasks WHERE waits_for_slot AND due_at > $1),"
    " (SELECT min(least("
    "(SELECT min(slot_until) FROM tasks WHERE provider = names.name AND slot_until > $1),"
    " (SELECT probe_at FROM slots WHERE provider = names.name AND probe_at > $1))) FROM names))"
)
_LEASE = (
    "UPDATE tasks SET version = version + 1, due_at = $1, leased_by = $2, moved_by = $2,"
    " due_before_lease = coalesce(due_before_lease, due_at) WHERE id = ANY({ids}) RETURNING *"
)
_TAKE = _LEASE.format(ids="$3::text[]")
_TAKE_DUE = _LEASE.format(
    ids="ARRAY(SELECT id FROM tasks WHERE NOT waits_for_slot AND due_at <= $3"
    " ORDER BY due_at, place LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)"
)


async def whats_due(connection: Connection, now: datetime) -> tuple[bool, list[str]]:
    """Whether anything is due that waits for no slot, and the providers for whose slots something waits."""
    row = await connection.fetchrow(_WHATS_DUE, now)
    assert row is not None  # noqa: S101 - it asks for one row
    due, waiting = row
    return due, waiting


async def claim_due(
    connection: Connection, now: datetime, lease_s: float, limit: int, owner: str
) -> list[Task]:
    """Where nothing waits for a slot: in one statement, since round trips are most of what a claim costs."""
    rows = await connection.fetch(_TAKE_DUE, now + timedelta(seconds=lease_s), owner, now, limit)
    rows.sort(key=itemgetter("due_before_lease", "place"))
    return [task_of(row) for row in rows]


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
    queues = [await connection.fetch(_DUE, now, limit)]
    for provider in sorted(waiting):  # always in the same order: no two processes wait for each other
        room = limit
        if provider in slots:
            room = min(await _room(connection, provider, now, slots[provider]), limit)
        if room > 0:
            queues.append(await connection.fetch(_DUE_FOR_SLOT, now, room, provider))
    # Between the queues the older is first; within one nobody loses their turn by that.
    due = list(islice(merge(*queues, key=itemgetter("due_at")), limit))
    if not due:
        return []
    reached: dict[str, int] = {}
    for row in due:
        if row["provider"] is not None:
            reached[row["provider"]] = max(row["turn"], reached.get(row["provider"], 0))
    for provider, turn in sorted(reached.items()):
        await turns.reach(connection, provider, turn)
    chosen = [row["id"] for row in due]
    rows = await connection.fetch(_TAKE, now + timedelta(seconds=lease_s), owner, chosen)
    claimed = {row["id"]: row for row in rows}
    return [task_of(claimed[task_id]) for task_id in chosen]


async def _room(connection: Connection, provider: str, now: datetime, granted: int) -> int:
    """How many slots are free. From here to the end of the transaction nobody else takes one."""
    if await _free(connection, provider, now, granted) <= 0:
        return 0  # most often so: then nobody has to wait for the lock
    await turns.hold(connection, provider)
    return await _free(connection, provider, now, granted)


async def _free(connection: Connection, provider: str, now: datetime, granted: int) -> int:
    allowed = open_slots(await limits.limit_of(connection, provider), granted, now)
    return allowed - await limits.taken(connection, provider, now)


async def next_due(connection: Connection, now: datetime) -> datetime | None:
    due_at: datetime | None = await connection.fetchval(_NEXT_DUE, now)
    return due_at


async def has_waiting(connection: Connection, provider: str, now: datetime) -> bool:
    waiting: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE waits_for_slot AND provider = $1 AND due_at <= $2)",
        provider,
        now,
    )
    return waiting


async def release(connection: Connection, owner: str) -> int:
    """End the leases of `owner`, and those of processes that have left; how many.

    Of the latter not those over a submit in flight (`processes.py` has the reason), and an update that one of
    them was handling has had an attempt.
    """
    tasks = await connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL"
        " WHERE leased_by IS NOT NULL AND (leased_by = $1 OR (slot_until IS NULL OR remote_id IS NOT NULL)"
        " AND leased_by NOT IN (SELECT id FROM processes))",
        owner,
    )
    updates = await connection.execute(
        "UPDATE updates SET leased_until = NULL, leased_by = NULL,"
        " attempts = attempts + CASE WHEN leased_by = $1 THEN 0 ELSE 1 END,"
        " due_at = CASE WHEN leased_by = $1 THEN due_at END WHERE state = 'open'"
        " AND leased_by IS NOT NULL AND (leased_by = $1 OR leased_by NOT IN (SELECT id FROM processes))",
        owner,
    )
    await connection.execute("DELETE FROM leases WHERE owner = $1", owner)
    return affected(tasks) + affected(updates)
