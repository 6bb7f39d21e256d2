"""Updates as Telegram sent them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.updates import StoredUpdate
from bot.stores.postgres.connection.database import Subject, reads, writes
from bot.stores.postgres.connection.pool import Connection, affected

_FIRSTS = "ARRAY(SELECT min(update_id) FROM updates WHERE state = 'open' GROUP BY chat_id, user_id)"
_CHATS = (
    # Of each person in a chat the first. A chat's updates are claimed one by one: its lease is one of theirs.
    "SELECT max(leased_until) AS leased_until, min(coalesce(due_at, $1)) AS due_at,"  # noqa: S608 - our own words
    " min(update_id) FILTER (WHERE due_at IS NULL OR due_at <= $1) AS next FROM updates"
    f" WHERE update_id = ANY({_FIRSTS})"
    # Of those that a death cut short the one with the fewest: one that ends the process comes after all that
    # it took along.
    " AND (deaths = 0 OR due_at IS NOT NULL OR update_id = (SELECT update_id FROM updates"
    f" WHERE update_id = ANY({_FIRSTS}) AND deaths > 0 AND due_at IS NULL"
    " ORDER BY deaths, update_id LIMIT 1)) GROUP BY chat_id"
)
_CLAIM = (
    # What stood there may have been claimed since: each row is looked at again once it is locked.
    "UPDATE updates SET leased_until = $2, leased_by = $4 WHERE update_id = ANY(ARRAY("  # noqa: S608 - our own words
    "SELECT update_id FROM updates WHERE update_id = ANY(ARRAY("
    f"SELECT next FROM ({_CHATS}) AS chats WHERE leased_until IS NULL OR leased_until <= $1))"
    " AND state = 'open' AND (due_at IS NULL OR due_at <= $1)"
    " AND (leased_until IS NULL OR leased_until <= $1)"
    " ORDER BY CASE WHEN $5 THEN 0 ELSE (SELECT count(*) FROM updates AS others WHERE others.state = 'open'"
    " AND others.chat_id = updates.chat_id) END, update_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED))"
    " RETURNING update_id, chat_id, body, attempts, user_id, deaths > 0 AND due_at IS NULL, deaths"
)
_NEXT_DUE = f"SELECT min(greatest(due_at, leased_until)) FROM ({_CHATS}) AS chats"  # noqa: S608 - our own words


class PostgresUpdates(Subject):
    """A `bot.store.UpdateStore`."""

    @writes
    async def add(self, connection: Connection, updates: Sequence[StoredUpdate]) -> None:
        if not updates:
            return
        await connection.execute(
            "INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at, user_id)"
            " SELECT update_id, chat_id, body, 'open', attempts, $5, user_id"
            " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $6::bigint[])"
            " AS new (update_id, chat_id, body, attempts, user_id) ON CONFLICT (update_id) DO NOTHING",
            [one.update_id for one in updates],
            [one.chat_id for one in updates],
            [one.body for one in updates],
            [one.attempts for one in updates],
            self._db.clock(),
            [one.user_id for one in updates],
        )

    @writes
    async def claim(
        self, connection: Connection, now: datetime, lease_s: float, limit: int, *, oldest_first: bool = True
    ) -> list[StoredUpdate]:
        lease_end = now + timedelta(seconds=lease_s)
        rows = await connection.fetch(_CLAIM, now, lease_end, limit, self._db.me, oldest_first)
        return sorted((StoredUpdate(*row) for row in rows), key=lambda update: update.update_id)

    @writes
    async def finish(self, connection: Connection, update_id: int) -> None:
        await connection.execute(
            "UPDATE updates SET state = 'done', body = '', leased_until = NULL, leased_by = NULL"
            " WHERE update_id = $1",
            update_id,
        )

    @writes
    async def fail(self, connection: Connection, update_id: int, retry_at: datetime | None) -> None:
        await connection.execute(
            "UPDATE updates SET state = $2, due_at = $3, attempts = attempts + 1, leased_until = NULL,"
            " leased_by = NULL WHERE update_id = $1 AND state = 'open'"
            " AND (leased_by IS NULL OR leased_by = $4)",
            update_id,
            "parked" if retry_at is None else "open",
            retry_at,
            self._db.me,
        )

    @reads
    async def count(self, connection: Connection) -> int:
        number: int = await connection.fetchval("SELECT count(*) FROM updates WHERE state = 'open'")
        return number

    @reads
    async def next_due(self, connection: Connection, now: datetime) -> datetime | None:
        due_at: datetime | None = await connection.fetchval(_NEXT_DUE, now)
        return due_at

    @writes
    async def prune(self, connection: Connection, before: datetime) -> int:
        done = await connection.execute(
            "DELETE FROM updates WHERE state = 'done' AND received_at < $1", before
        )
        return affected(done)
