"""Old rows forgotten, and marks, in SQL. Every function takes a connection and holds to
`bot.store.KeepingStore`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from bot.store.upkeep import BOT_MARK
from bot.stores.postgres.connections import Connection, Connections, affected

_OLD_ROWS = (
    "DELETE FROM updates WHERE update_id = ANY(ARRAY("
    "SELECT update_id FROM updates WHERE state = 'parked' AND received_at < $1 LIMIT $2))",
    "DELETE FROM recipes WHERE token = ANY(ARRAY(SELECT token FROM recipes WHERE created_at < $1 LIMIT $2))",
    "DELETE FROM notices WHERE id = ANY(ARRAY(SELECT id FROM notices WHERE kept_at < $1 LIMIT $2))",
    "DELETE FROM pace WHERE key = ANY(ARRAY(SELECT key FROM pace WHERE at < $1 LIMIT $2))",
    "DELETE FROM marks WHERE key = ANY(ARRAY("
    "SELECT key FROM marks WHERE at < $1 AND key NOT LIKE 'bot %' LIMIT $2))",
)


class Keeping:
    """The part of `PostgresStore` that `bot.store.KeepingStore` describes."""

    _db: Connections

    async def prune_tasks(self, before: datetime, limit: int) -> list[str]:
        return await self._db.write(_prune_tasks, before, limit)

    async def prune_rest(self, before: datetime, limit: int) -> int:
        return await self._db.transact(_prune_rest, before, limit)

    async def back_up(self, target: Path) -> bool:
        return False  # pg_dump knows better

    async def mark(self, key: str, now: datetime) -> bool:
        return await self._db.write(_mark, key, now)

    async def unmark(self, key: str) -> datetime | None:
        return await self._db.write(_unmark, key)

    async def claim_for_bot(self, bot_id: int) -> int:
        return await self._db.transact(_claim_for_bot, bot_id)

    def write_fault(self) -> str:
        return self._db.fault.reason

    async def broken(self) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never  # a server that is damaged says so at every call, and its operator mends it


async def _prune_tasks(connection: Connection, before: datetime, limit: int) -> list[str]:
    # The calls made for them go along: ON DELETE CASCADE. Of several processes one takes each.
    rows = await connection.fetch(
        "WITH old AS (SELECT id, delivered_at FROM tasks WHERE delivered_at < $1 AND due_at IS NULL"
        " AND (slot_until IS NULL OR slot_until < $1) ORDER BY delivered_at LIMIT $2"
        " FOR UPDATE SKIP LOCKED),"
        " gone AS (DELETE FROM tasks WHERE id = ANY(ARRAY(SELECT id FROM old)) RETURNING id)"
        " SELECT id FROM gone JOIN old USING (id) ORDER BY delivered_at",
        before,
        limit,
    )
    return [row["id"] for row in rows]


async def _prune_rest(connection: Connection, before: datetime, limit: int) -> int:
    return sum([affected(await connection.execute(delete, before, limit)) for delete in _OLD_ROWS])


async def _mark(connection: Connection, key: str, now: datetime) -> bool:
    done = await connection.execute(
        "INSERT INTO marks (key, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, now
    )
    return done == "INSERT 0 1"


async def _unmark(connection: Connection, key: str) -> datetime | None:
    since: datetime | None = await connection.fetchval("DELETE FROM marks WHERE key = $1 RETURNING at", key)
    return since


async def bot_of(connection: Connection) -> int | None:
    """Return the id of the bot that the database belongs to; None while no bot has used it."""
    key = await connection.fetchval("SELECT key FROM marks WHERE key LIKE 'bot %'")
    return None if key is None else int(key.removeprefix(BOT_MARK))


async def _claim_for_bot(connection: Connection, bot_id: int) -> int:
    await connection.execute("LOCK TABLE marks IN SHARE ROW EXCLUSIVE MODE")
    owner = await bot_of(connection)
    if owner is None:
        await connection.execute("INSERT INTO marks (key, at) VALUES ($1, now())", f"{BOT_MARK}{bot_id}")
    return owner or bot_id
