"""Updates as Telegram sent them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.updates import StoredUpdate
from bot.stores.sqlite.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time

_FIRSTS = "WITH firsts AS (SELECT min(update_id) FROM updates WHERE state = 'open' GROUP BY chat_id)"


class SQLiteUpdates(Subject):
    """A `bot.store.UpdateStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, updates: Sequence[StoredUpdate]) -> None:
        now = to_text(self._db.clock())
        connection.executemany(
            "INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at)"
            " VALUES (?, ?, ?, 'open', ?, ?) ON CONFLICT (update_id) DO NOTHING",
            [(one.update_id, one.chat_id, one.body, one.attempts, now) for one in updates],
        )

    @writes
    def claim(
        self, connection: sqlite3.Connection, now: datetime, lease_s: float, limit: int
    ) -> list[StoredUpdate]:
        rows = connection.execute(
            f"{_FIRSTS} UPDATE updates SET leased_until = :lease_end WHERE update_id IN ("  # noqa: S608 - our own words
            " SELECT update_id FROM updates WHERE update_id IN firsts AND (due_at IS NULL OR due_at <= :now)"
            " AND (leased_until IS NULL OR leased_until <= :now) ORDER BY update_id LIMIT :limit)"
            " RETURNING update_id, chat_id, body, attempts",
            {"now": to_text(now), "lease_end": to_text(now + timedelta(seconds=lease_s)), "limit": limit},
        )
        return sorted((StoredUpdate(*row) for row in rows.fetchall()), key=lambda update: update.update_id)

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
        row = connection.execute(
            f"{_FIRSTS} SELECT min(max(coalesce(due_at, :now), coalesce(leased_until, ''))) FROM updates"  # noqa: S608 - our own words
            " WHERE update_id IN firsts",
            {"now": to_text(now)},
        ).fetchone()
        return to_time(row[0])

    @writes
    def prune(self, connection: sqlite3.Connection, before: datetime) -> int:
        return connection.execute(
            "DELETE FROM updates WHERE state = 'done' AND received_at < ?", [to_text(before)]
        ).rowcount
