"""Changes in SQL. Every function takes a connection and holds to `bot.store.changes.ChangeStore`."""

from __future__ import annotations

from bot.store.changes import Change
from bot.stores.postgres.connections import Connection

_NEWEST = (
    "id = (SELECT max(id) FROM changes AS later"
    " WHERE later.subject = changes.subject AND later.name = changes.name)"
)


async def add(connection: Connection, change: Change) -> None:
    await connection.execute(
        "INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)",
        change.subject,
        change.name,
        change.value,
        change.by,
        change.at,
    )


async def in_force(connection: Connection, *subjects: int) -> list[Change]:
    where = f"WHERE subject = ANY($1::bigint[]) AND value IS NOT NULL AND {_NEWEST} ORDER BY id"
    return await _read(connection, where, subjects)


async def changed_subjects(connection: Connection, name: str) -> list[Change]:
    where = f"WHERE name = $1 AND value IS NOT NULL AND {_NEWEST} ORDER BY id DESC"
    return await _read(connection, where, name)


async def changes(connection: Connection, limit: int, subject: int | None) -> list[Change]:
    if subject is None:
        return await _read(connection, "ORDER BY id DESC LIMIT $1", limit)
    return await _read(connection, "WHERE subject = $1 ORDER BY id DESC LIMIT $2", subject, limit)


async def move(connection: Connection, subject: int, new_id: int) -> None:
    """The part of `TaskStore.move_chat` that concerns changes."""
    await connection.execute("UPDATE changes SET subject = $2 WHERE subject = $1", subject, new_id)


async def _read(connection: Connection, where: str, *values: object) -> list[Change]:
    # The only text put into it stands in this file.
    query = f"SELECT subject, name, value, changed_by, changed_at FROM changes {where}"  # noqa: S608 - see above
    return [Change(*row) for row in await connection.fetch(query, *values)]
