"""Claims in SQL: which process works on which task. Exact with any number of processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter

from bot.stores.postgres import queue
from bot.stores.postgres.connection.database import Database
from bot.stores.postgres.connection.pool import Connection
from bot.stores.values import task_of
from bot.task import Task

_DUE = (
    "SELECT due_at, id, NULL AS provider, 0 AS queue_tag FROM tasks WHERE NOT waits_for_slot"
    " AND due_at <= $1 ORDER BY due_at, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_DUE_FOR_SLOT = (
    "SELECT due_at, id, provider, queue_tag FROM tasks WHERE waits_for_slot AND provider = $3"
    " AND due_at <= $1 ORDER BY queue_tag, chat_queue_tag, place LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
)
_NAMES = (
    # From one name to the next in the index: SELECT DISTINCT would read every task that waits.
    "WITH RECURSIVE names AS (SELECT min(provider) AS name FROM tasks WHERE waits_for_slot UNION ALL"
    " SELECT (SELECT min(provider) FROM tasks WHERE waits_for_slot AND provider > names.name) FROM names"
    " WHERE names.name IS NOT NULL)"
)
_WHATS_DUE = (
    f"{_NAMES} SELECT EXISTS (SELECT 1 FROM tasks WHERE NOT waits_for_slot AND due_at <= $1),"  # noqa: S608 - see above
    " ARRAY(SELECT name FROM names WHERE EXISTS"
    " (SELECT 1 FROM tasks WHERE waits_for_slot AND provider = names.name AND due_at <= $1))"
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
NEXT_DUE = (
    # A task that is due and still there waits for a slot; one put off, or under a lease, waits for its time.
    # A slot may come free without anybody's doing: a time runs out, or one more may be tried.
    f"{_NAMES} SELECT least("  # noqa: S608 - see above
    "(SELECT min(due_at) FROM tasks WHERE NOT waits_for_slot AND due_at IS NOT NULL),"
    " (SELECT min(due_at) FROM tasks WHERE waits_for_slot AND due_at > $1),"
    " (SELECT min(least("
    "(SELECT min(slot_until) FROM tasks WHERE provider = names.name AND slot_until > $1),"
    " (SELECT probe_at FROM slots WHERE provider = names.name AND probe_at > $1))) FROM names))"
)


async def claim(
    db: Database, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]
) -> list[Task]:
    """Do what `bot.store.TaskStore.claim` says."""
    due, waiting = await db.connections.read(_whats_due, now)
    lease_end = now + timedelta(seconds=lease_s)
    if waiting:
        return await db.connections.transact(
            _claim_in_turn, now, lease_end, limit, slots, waiting=waiting, owner=db.me
        )
    if due:
        return await db.connections.write(_claim_due, now, lease_end, limit, db.me)
    return []


async def _whats_due(connection: Connection, now: datetime) -> tuple[bool, list[str]]:
    """Return if anything is due that waits for no slot, and the providers whose slots something waits
    for."""
    row = await connection.fetchrow(_WHATS_DUE, now)
    assert row is not None  # noqa: S101 - it asks for one row
    due, waiting = row
    return due, waiting


async def _claim_due(
    connection: Connection, now: datetime, lease_end: datetime, limit: int, owner: str
) -> list[Task]:
    """Claim if nothing waits for a slot: in one statement, since round trips are most of what a claim
    costs."""
    rows = await connection.fetch(_TAKE_DUE, lease_end, owner, now, limit)
    rows.sort(key=itemgetter("due_before_lease", "place"))
    return [task_of(row) for row in rows]


async def _claim_in_turn(
    connection: Connection,
    now: datetime,
    lease_end: datetime,
    limit: int,
    slots: Mapping[str, int],
    *,
    waiting: list[str],
    owner: str,
) -> list[Task]:
    """Claim in the order of queue tags, as far as slots are free. `waiting`: providers whose slots are waited
    for."""
    queues = [await connection.fetch(_DUE, now, limit)]
    for provider in sorted(waiting):  # always in the same order: no two processes wait for each other
        room = limit
        if provider in slots:
            room = min(await queue.take_room(connection, provider, now, slots[provider]), limit)
        if room > 0:
            queues.append(await connection.fetch(_DUE_FOR_SLOT, now, room, provider))
    # Between the queues the older is first; within one nobody loses their place by that.
    due = list(islice(merge(*queues, key=itemgetter("due_at")), limit))
    if not due:
        return []
    reached: dict[str, int] = {}
    for row in due:
        if row["provider"] is not None:
            reached[row["provider"]] = max(row["queue_tag"], reached.get(row["provider"], 0))
    for provider, queue_tag in sorted(reached.items()):
        await queue.reach(connection, provider, queue_tag)
    chosen = [row["id"] for row in due]
    rows = await connection.fetch(_TAKE, lease_end, owner, chosen)
    claimed = {row["id"]: row for row in rows}
    return [task_of(claimed[task_id]) for task_id in chosen]
