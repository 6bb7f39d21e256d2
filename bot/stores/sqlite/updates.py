"""Updates as Telegram sent them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.updates import StoredUpdate
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time

_CHATS = (
    # Of each person in a chat the first. A chat's updates are claimed one by one: its lease is one of theirs.
    "WITH firsts AS (SELECT min(update_id) AS first, count(*) AS waiting FROM updates WHERE state = 'open'"
    " GROUP BY chat_id, user_id), suspect AS (SELECT update_id FROM firsts JOIN updates"
    # The one with the fewest deaths: one that ends the process comes after all that it took along.
    " ON update_id = first WHERE deaths > 0 AND due_at IS NULL ORDER BY deaths, update_id LIMIT 1),"
    " chats AS (SELECT coalesce(max(leased_until), '') AS leased_until,"
    " min(coalesce(due_at, :now)) AS due_at, sum(waiting) AS waiting,"
    " min(CASE WHEN due_at IS NULL OR due_at <= :now THEN update_id END) AS next"
    " FROM firsts JOIN updates ON update_id = first"
    " WHERE deaths = 0 OR due_at IS NOT NULL OR update_id IN suspect GROUP BY chat_id)"
)
_CLAIM = (
    f"{_CHATS} UPDATE updates SET leased_until = :lease_end WHERE update_id IN ("  # noqa: S608 - our own words
    " SELECT next FROM chats WHERE next IS NOT NULL AND leased_until <= :now"
    " ORDER BY CASE WHEN :oldest_first THEN 0 ELSE waiting END, next LIMIT :limit)"
    " RETURNING update_id, chat_id, body, attempts, user_id, due_at, deaths"
)
_NEXT_DUE = f"{_CHATS} SELECT min(max(due_at, leased_until)) FROM chats"  # noqa: S608 - our own words


class SQLiteUpdates(Subject):
    """A `bot.store.UpdateStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, updates: Sequence[StoredUpdate]) -> None:
        now = to_text(self._db.clock())
        connection.executemany(
            "INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at, user_id)"
            " VALUES (?, ?, ?, 'open', ?, ?, ?) ON CONFLICT (update_id) DO NOTHING",
            [(one.update_id, one.chat_id, one.body, one.attempts, now, one.user_id) for one in updates],
        )

    @writes
    def claim(
        self,
        connection: sqlite3.Connection,
        now: datetime,
        lease_s: float,
        limit: int,
        *,
        oldest_first: bool = True,
    ) -> list[StoredUpdate]:
        lease_end = to_text(now + timedelta(seconds=lease_s))
        values = {"now": to_text(now), "lease_end": lease_end, "limit": limit, "oldest_first": oldest_first}
        rows = connection.execute(_CLAIM, values)
        found = (
            # Other ends of an attempt say when the next is due. SQLite 3.40 misreads IS NULL in RETURNING.
            StoredUpdate(update_id, chat_id, body, attempts, user_id, deaths > 0 and due_at is None, deaths)
            for update_id, chat_id, body, attempts, user_id, due_at, deaths in rows.fetchall()
        )
        return sorted(found, key=lambda update: update.update_id)

    @writes
    def finish(self, connection: sqlite3.Connection, update_id: int) -> None:
        connection.execute(
            "UPDATE updates SET state = 'done', body = '', leased_until = NULL WHERE update_id = ?",
            [update_id],
        )

    @writes
    def fail(self, connection: sqlite3.Connection, update_id: int, retry_at: datetime | None) -> None:
        state, due_at = ("parked", None) if retry_at is None else ("open", to_text(retry_at))
        connection.execute(
            "UPDATE updates SET state = ?, due_at = ?, attempts = attempts + 1, leased_until = NULL"
            " WHERE update_id = ? AND state = 'open'",
            [state, due_at, update_id],
        )

    @reads
    def count(self, connection: sqlite3.Connection) -> int:
        number: int = connection.execute("SELECT count(*) FROM updates WHERE state = 'open'").fetchone()[0]
        return number

    @reads
    def next_due(self, connection: sqlite3.Connection, now: datetime) -> datetime | None:
        row = connection.execute(_NEXT_DUE, {"now": to_text(now)}).fetchone()
        return to_time(row[0])

    @writes
    def count_deaths(self, connection: sqlite3.Connection) -> int:
        """End the leases of a process that has died: what it handled may be what ended it."""
        return connection.execute(
            "UPDATE updates SET leased_until = NULL, due_at = NULL, attempts = attempts + 1,"
            " deaths = deaths + 1 WHERE state = 'open' AND leased_until IS NOT NULL"
        ).rowcount

    @writes
    def prune(self, connection: sqlite3.Connection, before: datetime) -> int:
        return connection.execute(
            "DELETE FROM updates WHERE state = 'done' AND received_at < ?", [to_text(before)]
        ).rowcount
