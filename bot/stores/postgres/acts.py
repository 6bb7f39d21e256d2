"""The record of acts in SQL. Every function takes a connection."""

from __future__ import annotations

from bot.store.acts import Act
from bot.stores.postgres.connections import Connection, Connections


class Acts:
    """The part of `PostgresStore` that `bot.store.acts.ActStore` describes."""

    _db: Connections

    async def add_act(self, act: Act) -> None:
        await self._db.write(_add, act)

    async def acts(self, limit: int, target: str | None = None) -> list[Act]:
        return await self._db.read(_acts, limit, target)


async def _add(connection: Connection, act: Act) -> None:
    await connection.execute(
        "INSERT INTO acts (verb, target, done_by, done_at) VALUES ($1, $2, $3, $4)",
        act.verb,
        act.target,
        act.by,
        act.at,
    )


async def _acts(connection: Connection, limit: int, target: str | None) -> list[Act]:
    query = "SELECT verb, target, done_by, done_at FROM acts"
    if target is None:
        rows = await connection.fetch(f"{query} ORDER BY id DESC LIMIT $1", limit)
    else:
        rows = await connection.fetch(f"{query} WHERE target = $2 ORDER BY id DESC LIMIT $1", limit, target)
    return [Act(*row) for row in rows]
