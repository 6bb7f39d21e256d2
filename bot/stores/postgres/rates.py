"""Sending rates that all processes share.

The table is not logged: a crash of the server empties it, and nobody waits for the disk to send a message.
"""

from __future__ import annotations

from datetime import datetime

from bot.send_rates import Delay, Limits, Urgency, decide, keys_of, pause_key
from bot.stores.postgres.connection.database import Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection

_LOCK = 0x70_61_63_65
"""One call after another is counted: "pace"."""


class PostgresRates(Subject):
    """A `bot.send_rates.RateStore`."""

    async def take_turn(self, chat_id: int, urgency: Urgency, now: datetime, limits: Limits) -> Delay:
        if urgency is Urgency.UNCOUNTED:
            return decide(await self._times(chat_id), chat_id, urgency, now, limits)[0]
        return await self._count(chat_id, urgency, now, limits)

    @writes
    async def pause_chat(self, connection: Connection, chat_id: int, until: datetime) -> None:
        await _keep(connection, {pause_key(chat_id): until})

    @reads
    async def _times(self, connection: Connection, chat_id: int) -> dict[str, datetime]:
        return await _read(connection, chat_id)

    @transacts
    async def _count(
        self, connection: Connection, chat_id: int, urgency: Urgency, now: datetime, limits: Limits
    ) -> Delay:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        delay, times = decide(await _read(connection, chat_id), chat_id, urgency, now, limits)
        if times:
            await _keep(connection, times)
        return delay


async def _read(connection: Connection, chat_id: int) -> dict[str, datetime]:
    rows = await connection.fetch("SELECT key, at FROM send_rates WHERE key = ANY($1)", keys_of(chat_id))
    return {row["key"]: row["at"] for row in rows}


async def _keep(connection: Connection, times: dict[str, datetime]) -> None:
    await connection.execute(
        "INSERT INTO send_rates (key, at) SELECT * FROM unnest($1::text[], $2::timestamptz[])"
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at",
        list(times),
        list(times.values()),
    )
