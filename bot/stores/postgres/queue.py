"""The queue of each provider, in SQL. `bot/stores/sqlite/queue.py` says what queue tags are.

A process that gives or reaches a tag, or counts slots to take one, holds the provider's row in `slots`.
"""

from __future__ import annotations

from datetime import datetime

from bot.store.providers import SlotLimit
from bot.stores.postgres.connection.pool import Connection
from bot.stores.values import Row
from bot.task import Task
from bot.worker.concurrency import open_slots

_NEXT = (
    "WITH next AS (SELECT 1 + greatest("
    "coalesce((SELECT reached FROM slots WHERE provider = $1), 0),"
    " coalesce((SELECT max(queue_tag) FROM tasks WHERE waits_for_slot AND provider = $1 AND user_id = $2"
    " AND id <> $4), 0)) AS queue_tag)"
    " SELECT queue_tag, 1 + coalesce((SELECT max(chat_queue_tag) FROM tasks WHERE waits_for_slot"
    " AND provider = $1 AND tasks.queue_tag = next.queue_tag AND chat_id = $3 AND id <> $4), 0)"
    " AS chat_queue_tag FROM next"
)


async def lock(connection: Connection, provider: str) -> None:
    """Let nobody else give its tags or take its slots until the end of the transaction."""
    await connection.execute("INSERT INTO slots (provider) VALUES ($1) ON CONFLICT DO NOTHING", provider)
    await connection.execute("SELECT 1 FROM slots WHERE provider = $1 FOR UPDATE", provider)


async def tag(connection: Connection, task: Task) -> None:
    """Give a task that waits for a slot its queue tag. A task that was requeued keeps the tag it had."""
    if not task.waits_for_slot:
        return
    if await connection.fetchval("SELECT queue_tag FROM tasks WHERE id = $1", task.id) is not None:
        return
    await lock(connection, task.provider)
    queue_tag, chat_queue_tag = await next_tag(connection, task)
    await connection.execute(
        "UPDATE tasks SET queue_tag = $2, chat_queue_tag = $3 WHERE id = $1",
        task.id,
        queue_tag,
        chat_queue_tag,
    )


async def next_tag(connection: Connection, task: Task) -> tuple[int, int]:
    """Return the `queue_tag` and `chat_queue_tag` it would get at this moment."""
    row = await connection.fetchrow(_NEXT, task.provider, task.user_id, task.card.chat_id, task.id)
    assert row is not None  # noqa: S101 - it asks for one row
    return row["queue_tag"], row["chat_queue_tag"]


async def reach(connection: Connection, provider: str, queue_tag: int) -> None:
    """Store that a provider has come to a tag."""
    await connection.execute(
        "INSERT INTO slots (provider, reached) VALUES ($1, $2)"
        " ON CONFLICT (provider) DO UPDATE SET reached = greatest(slots.reached, excluded.reached)",
        provider,
        queue_tag,
    )


async def limit_of(connection: Connection, provider: str) -> SlotLimit | None:
    row = await connection.fetchrow("SELECT * FROM slots WHERE provider = $1 AND jobs IS NOT NULL", provider)
    return None if row is None else read_limit(row)


def read_limit(row: Row) -> SlotLimit:
    return SlotLimit(row["provider"], row["jobs"], row["refusals"], row["refused_at"], row["probe_at"])


async def taken_slots(connection: Connection, provider: str, now: datetime) -> int:
    """Count the slots taken by jobs, and by tasks under a lease that are about to become jobs."""
    count: int = await connection.fetchval(
        "SELECT (SELECT count(*) FROM tasks WHERE provider = $1 AND slot_until > $2)"
        " + (SELECT count(*) FROM tasks WHERE waits_for_slot AND provider = $1 AND due_at > $2"
        " AND due_before_lease IS NOT NULL)",
        provider,
        now,
    )
    return count


async def take_room(connection: Connection, provider: str, now: datetime, granted: int) -> int:
    """Return how many slots are free. If any is, nobody else takes one until the end of the transaction.

    The provider's row is locked *first*, and only then a second statement counts. One statement for both
    would count what it saw before it waited for the lock.
    """
    if await _free(connection, provider, now, granted) <= 0:
        return 0  # most often so: then nobody has to wait for the lock
    await lock(connection, provider)
    return await _free(connection, provider, now, granted)


async def _free(connection: Connection, provider: str, now: datetime, granted: int) -> int:
    allowed = open_slots(await limit_of(connection, provider), granted, now)
    return allowed - await taken_slots(connection, provider, now)
