"""Accounts in trouble, limits in use, learned durations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.store.providers import AccountTrouble, SlotLimit
from bot.stores.postgres import queue
from bot.stores.postgres.connection.database import Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection
from bot.stores.values import Row


class PostgresProviders(Subject):
    """A `bot.store.ProviderStore`."""

    @writes
    async def mark_trouble(self, connection: Connection, trouble: AccountTrouble) -> bool:
        done = await connection.execute(
            "INSERT INTO accounts (provider, trouble, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            trouble.provider,
            trouble.trouble,
            trouble.since,
        )
        return done == "INSERT 0 1"

    @writes
    async def mark_well(self, connection: Connection, provider: str) -> AccountTrouble | None:
        row = await connection.fetchrow("DELETE FROM accounts WHERE provider = $1 RETURNING *", provider)
        return None if row is None else _trouble(row)

    @reads
    async def troubles(self, connection: Connection) -> list[AccountTrouble]:
        rows = await connection.fetch("SELECT * FROM accounts ORDER BY since, provider")
        return [_trouble(row) for row in rows]

    @reads
    async def slot_limits(self, connection: Connection) -> list[SlotLimit]:
        rows = await connection.fetch("SELECT * FROM slots WHERE jobs IS NOT NULL ORDER BY provider")
        return [queue.read_limit(row) for row in rows]

    @transacts
    async def change_limit(
        self,
        connection: Connection,
        provider: str,
        now: datetime,
        change: Callable[[SlotLimit | None, int], SlotLimit | None],
    ) -> SlotLimit | None:
        await queue.lock(connection, provider)
        before = await queue.limit_of(connection, provider)
        limit = change(before, await queue.taken_slots(connection, provider, now))
        if limit != before:
            await connection.execute(
                "UPDATE slots SET jobs = $2, refusals = $3, refused_at = $4, probe_at = $5"
                " WHERE provider = $1",
                provider,
                *(
                    (limit.jobs, limit.refusals, limit.refused_at, limit.probe_at)
                    if limit
                    else (None, None, None, None)
                ),
            )
        return limit

    @reads
    async def durations(self, connection: Connection) -> dict[str, str]:
        return {row["key"]: row["learned"] for row in await connection.fetch("SELECT * FROM durations")}

    @transacts
    async def learn(
        self, connection: Connection, keys: Sequence[str], change: Callable[[str, str | None], str]
    ) -> dict[str, str]:
        # A row that is not there yet cannot be locked; the table can, and readers do not wait for it.
        await connection.execute("LOCK TABLE durations IN EXCLUSIVE MODE")
        rows = await connection.fetch("SELECT * FROM durations WHERE key = ANY($1)", keys)
        known = {row["key"]: row["learned"] for row in rows}
        written = {key: change(key, known.get(key)) for key in keys}
        await connection.execute(
            "INSERT INTO durations (key, learned) SELECT * FROM unnest($1::text[], $2::text[])"
            " ON CONFLICT (key) DO UPDATE SET learned = excluded.learned",
            list(written),
            list(written.values()),
        )
        return written


def _trouble(row: Row) -> AccountTrouble:
    return AccountTrouble(row["provider"], row["trouble"], row["since"])
