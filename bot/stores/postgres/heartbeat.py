"""The heartbeat in SQL: one row for all processes. It holds to `bot.store.HeartbeatStore`."""

from __future__ import annotations

from datetime import datetime

from bot.stores.postgres.connections import Connection


async def beat(connection: Connection, now: datetime) -> datetime | None:
    before: datetime | None = await connection.fetchval("SELECT at FROM heartbeat FOR UPDATE")
    await connection.execute(
        "INSERT INTO heartbeat (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at", now
    )
    return before
