"""Turns, in SQL: in which order tasks are served that wait for a slot. `bot/stores/sqlite/turns.py` says why.

Whoever gives or reaches a turn holds the row of the provider in `slots`.
"""

from __future__ import annotations

from bot.stores.postgres.connections import Connection, affected
from bot.task import Task

_NEXT = (
    "WITH next AS (SELECT 1 + greatest("
    "coalesce((SELECT reached FROM slots WHERE provider = $1), 0),"
    " coalesce((SELECT max(turn) FROM tasks WHERE waits_for_slot AND provider = $1 AND user_id = $2"
    " AND id <> $4), 0)) AS turn)"
    " SELECT turn, 1 + coalesce((SELECT max(chat_turn) FROM tasks WHERE waits_for_slot AND provider = $1"
    " AND tasks.turn = next.turn AND chat_id = $3 AND id <> $4), 0) AS chat_turn FROM next"
)
_LAST = 2**63 - 1
"""No place is beyond the largest integer."""


async def hold(connection: Connection, provider: str) -> None:
    """Until the end of the transaction nobody else gives its turns or takes its slots."""
    await connection.execute("INSERT INTO slots (provider) VALUES ($1) ON CONFLICT DO NOTHING", provider)
    await connection.execute("SELECT 1 FROM slots WHERE provider = $1 FOR UPDATE", provider)


async def take(connection: Connection, task: Task) -> None:
    """Give a task that waits for a slot its turn. One that has been given back keeps the turn it had."""
    if not task.waits_for_slot:
        return
    if await connection.fetchval("SELECT turn FROM tasks WHERE id = $1", task.id) is not None:
        return
    await hold(connection, task.provider)
    turn, chat_turn = await _next(connection, task)
    await connection.execute(
        "UPDATE tasks SET turn = $2, chat_turn = $3 WHERE id = $1", task.id, turn, chat_turn
    )


async def reach(connection: Connection, provider: str, turn: int) -> None:
    """Note that a provider has come to a turn."""
    await connection.execute(
        "INSERT INTO slots (provider, reached) VALUES ($1, $2)"
        " ON CONFLICT (provider) DO UPDATE SET reached = greatest(slots.reached, excluded.reached)",
        provider,
        turn,
    )


async def put_first(connection: Connection, task_id: str) -> bool:
    done = await connection.execute(
        "UPDATE tasks SET chat_turn = 0, turn = (SELECT min(other.turn) - 1 FROM tasks AS other"
        " WHERE other.waits_for_slot AND other.provider = tasks.provider)"
        " WHERE id = $1 AND waits_for_slot",
        task_id,
    )
    return affected(done) > 0


async def count_ahead(connection: Connection, task: Task) -> int:
    if task.due_at is None:
        return 0
    row = await connection.fetchrow(
        "SELECT turn, chat_turn, place FROM tasks WHERE id = $1 AND waits_for_slot", task.id
    )
    # One that does not wait so far comes after all that do and have the same turn.
    place = tuple(row) if row else (*await _next(connection, task), _LAST)
    count: int = await connection.fetchval(
        "SELECT count(*) FROM tasks WHERE waits_for_slot AND provider = $1 AND due_before_lease IS NULL"
        " AND (turn, chat_turn, place) < ($2, $3, $4)",
        task.provider,
        *place,
    )
    return count


async def _next(connection: Connection, task: Task) -> tuple[int, int]:
    row = await connection.fetchrow(_NEXT, task.provider, task.user_id, task.chat_id, task.id)
    assert row is not None  # noqa: S101 - it asks for one row
    return row["turn"], row["chat_turn"]
