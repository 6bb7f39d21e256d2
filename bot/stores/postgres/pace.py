"""Sending rates that all processes share, in SQL. Every function takes a connection.

The table is not logged: a crash of the server empties it, and nobody waits for the disk to send a message.
"""

from __future__ import annotations

from datetime import datetime

from bot.send_rates import Delay, Limits, Urgency, decide, keys_of, pause_key
from bot.stores.postgres.connections import Connection, Connections

_LOCK = 0x70_61_63_65
"""One call after another is counted: "pace"."""


class Paces:
    """The part of `PostgresStore` that `bot.send_rates.PaceStore` describes."""

    _db: Connections

    async def take_turn(self, chat_id: int, urgency: Urgency, now: datetime, limits: Limits) -> Delay:
        if urgency is Urgency.UNCOUNTED:
            return decide(await self._db.read(_times, chat_id), chat_id, urgency, now, limits)[0]
        return await self._db.transact(_take_turn, chat_id, urgency, now, limits)

    async def pause_chat(self, chat_id: int, until: datetime) -> None:
        await self._db.write(_keep, {pause_key(chat_id): until})


async def _take_turn(
    connection: Connection, chat_id: int, urgency: Urgency, now: datetime, limits: Limits
) -> Delay:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    delay, times = decide(await _times(connection, chat_id), chat_id, urgency, now, limits)
    if times:
        await _keep(connection, times)
    return delay


async def _times(connection: Connection, chat_id: int) -> dict[str, datetime]:
    rows = await connection.fetch("SELECT key, at FROM pace WHERE key = ANY($1)", keys_of(chat_id))
    return {row["key"]: row["at"] for row in rows}


async def _keep(connection: Connection, times: dict[str, datetime]) -> None:
    await connection.execute(
        "INSERT INTO pace (key, at) SELECT * FROM unnest($1::text[], $2::timestamptz[])"
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at",
        list(times),
        list(times.values()),
    )
