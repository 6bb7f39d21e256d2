"""Old rows deleted, flags, the heartbeat."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from bot.store.maintenance import BOT_FLAG, KEY_FLAG
from bot.stores.postgres.connection.database import Subject, transacts, writes
from bot.stores.postgres.connection.pool import Connection, affected

_LOOK_AROUND_S = 5.0
_OLD_ROWS = (
    "DELETE FROM updates WHERE update_id = ANY(ARRAY("
    "SELECT update_id FROM updates WHERE state = 'parked' AND received_at < $1 LIMIT $2))",
    "DELETE FROM recipes WHERE token = ANY(ARRAY(SELECT token FROM recipes WHERE created_at < $1 LIMIT $2))",
    "DELETE FROM films WHERE id = ANY(ARRAY(SELECT id FROM films WHERE finished_at < $1 LIMIT $2))",
    "DELETE FROM notices WHERE id = ANY(ARRAY(SELECT id FROM notices WHERE kept_at < $1 LIMIT $2))",
    "DELETE FROM send_rates WHERE key = ANY(ARRAY(SELECT key FROM send_rates WHERE at < $1 LIMIT $2))",
    "DELETE FROM flags WHERE key = ANY(ARRAY("
    "SELECT key FROM flags WHERE at < $1 AND key NOT LIKE 'bot %' AND key NOT LIKE 'secret key %' LIMIT $2))",
)


class PostgresMaintenance(Subject):
    """A `bot.store.MaintenanceStore`."""

    @writes
    async def prune_tasks(self, connection: Connection, before: datetime, limit: int) -> list[str]:
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

    @transacts
    async def prune_rest(self, connection: Connection, before: datetime, limit: int) -> int:
        return sum([affected(await connection.execute(delete, before, limit)) for delete in _OLD_ROWS])

    async def back_up(self, target: Path) -> bool:
        return False

    @writes
    async def set_flag(self, connection: Connection, key: str, now: datetime) -> bool:
        done = await connection.execute(
            "INSERT INTO flags (key, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, now
        )
        return done == "INSERT 0 1"

    @writes
    async def clear_flag(self, connection: Connection, key: str) -> datetime | None:
        since: datetime | None = await connection.fetchval(
            "DELETE FROM flags WHERE key = $1 RETURNING at", key
        )
        return since

    @transacts
    async def claim_for_bot(self, connection: Connection, bot_id: int) -> int:
        await connection.execute("LOCK TABLE flags IN SHARE ROW EXCLUSIVE MODE")
        owner = await bot_of(connection)
        if owner is None:
            await connection.execute("INSERT INTO flags (key, at) VALUES ($1, now())", f"{BOT_FLAG}{bot_id}")
        return owner or bot_id

    @transacts
    async def put_key_mark(self, connection: Connection, mark: str) -> str | None:
        await connection.execute("LOCK TABLE flags IN SHARE ROW EXCLUSIVE MODE")
        before = await key_mark_of(connection)
        await connection.execute("DELETE FROM flags WHERE key LIKE 'secret key %'")
        await connection.execute("INSERT INTO flags (key, at) VALUES ($1, now())", f"{KEY_FLAG}{mark}")
        return before

    def write_outage(self) -> str:
        return self._db.connections.outage.reason

    @transacts
    async def record_heartbeat(self, connection: Connection, now: datetime) -> datetime | None:
        before: datetime | None = await connection.fetchval("SELECT at FROM heartbeat FOR UPDATE")
        await connection.execute(
            "INSERT INTO heartbeat (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
            now,
        )
        return before

    async def wait_for_external_change(self) -> None:
        # Any process may have changed something: the check now and then costs little.
        await asyncio.sleep(_LOOK_AROUND_S)

    async def wait_for_fatal_error(self) -> str:
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never  # a server that is damaged says so at every call, and its operator mends it


async def bot_of(connection: Connection) -> int | None:
    """Return the id of the bot that the database belongs to; None while no bot has used it."""
    key = await connection.fetchval("SELECT key FROM flags WHERE key LIKE 'bot %'")
    return None if key is None else int(key.removeprefix(BOT_FLAG))


async def key_mark_of(connection: Connection) -> str | None:
    """Return the mark of the secret key of the process that started last; None if it had none."""
    key = await connection.fetchval("SELECT key FROM flags WHERE key LIKE 'secret key %'")
    return None if key is None else str(key).removeprefix(KEY_FLAG)
