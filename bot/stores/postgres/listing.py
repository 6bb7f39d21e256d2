"""Tasks as operators leaf through them, in SQL. Every function takes a connection and holds to
`bot.store.TaskListing`."""

from __future__ import annotations

from bot.store import TaskFilter
from bot.stores.postgres.connections import Connection
from bot.stores.values import task_of
from bot.task import Task

_WHICH = (
    "(cardinality($1::text[]) = 0 OR state = ANY($1)) AND ($2::bigint IS NULL OR user_id = $2)"
    " AND ($3::bigint IS NULL OR chat_id = $3) AND ($4::text IS NULL OR provider = $4)"
    " AND starts_with(id, $5)"
)


async def list_tasks(
    connection: Connection, which: TaskFilter, limit: int, older_than: Task | None
) -> list[Task]:
    last = (None, None) if older_than is None else (older_than.created_at, older_than.id)
    rows = await connection.fetch(
        f"SELECT * FROM tasks WHERE {_WHICH}"  # noqa: S608 - our own words
        " AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::text))"
        " ORDER BY created_at DESC, id DESC LIMIT $8",
        *_values(which),
        *last,
        limit,
    )
    return [task_of(row) for row in rows]


async def count_tasks(connection: Connection, which: TaskFilter) -> int:
    count: int = await connection.fetchval(
        f"SELECT count(*) FROM tasks WHERE {_WHICH}",  # noqa: S608 - our own words
        *_values(which),
    )
    return count


def _values(which: TaskFilter) -> tuple[object, ...]:
    states = sorted(which.states)
    return states, which.user_id, which.chat_id, which.provider, which.id_prefix
