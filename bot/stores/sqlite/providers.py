"""Accounts in trouble, limits in use, learned durations."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.store.providers import AccountTrouble, SlotLimit
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.queue import limit_of, read_limit, taken_slots
from bot.stores.sqlite.rows import to_text, to_utc


class SQLiteProviders(Subject):
    """A `bot.store.ProviderStore`."""

    @writes
    def mark_trouble(self, connection: sqlite3.Connection, trouble: AccountTrouble) -> bool:
        done = connection.execute(
            "INSERT OR IGNORE INTO accounts (provider, trouble, since) VALUES (?, ?, ?)",
            [trouble.provider, trouble.trouble, to_text(trouble.since)],
        )
        return done.rowcount > 0

    @writes
    def mark_well(self, connection: sqlite3.Connection, provider: str) -> AccountTrouble | None:
        row = connection.execute("DELETE FROM accounts WHERE provider = ? RETURNING *", [provider]).fetchone()
        return None if row is None else _trouble(row)

    @reads
    def troubles(self, connection: sqlite3.Connection) -> list[AccountTrouble]:
        rows = connection.execute("SELECT * FROM accounts ORDER BY since, provider")
        return [_trouble(row) for row in rows]

    @reads
    def slot_limits(self, connection: sqlite3.Connection) -> list[SlotLimit]:
        rows = connection.execute("SELECT * FROM slots WHERE jobs IS NOT NULL ORDER BY provider")
        return [read_limit(row) for row in rows]

    @writes
    def change_limit(
        self,
        connection: sqlite3.Connection,
        provider: str,
        now: datetime,
        change: Callable[[SlotLimit | None, int], SlotLimit | None],
    ) -> SlotLimit | None:
        before = limit_of(connection, provider)
        limit = change(before, taken_slots(connection, provider, now))
        if limit != before:
            connection.execute(
                "INSERT INTO slots (provider, jobs, refusals, refused_at, probe_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (provider) DO UPDATE SET jobs = excluded.jobs, refusals = excluded.refusals,"
                " refused_at = excluded.refused_at, probe_at = excluded.probe_at",
                [provider, limit.jobs, limit.refusals, to_text(limit.refused_at), to_text(limit.probe_at)]
                if limit
                else [provider, None, None, None, None],
            )
        return limit

    @reads
    def durations(self, connection: sqlite3.Connection) -> dict[str, str]:
        return {
            row["key"]: row["learned"] for row in connection.execute("SELECT key, learned FROM durations")
        }

    @writes
    def learn(
        self,
        connection: sqlite3.Connection,
        keys: Sequence[str],
        change: Callable[[str, str | None], str],
    ) -> dict[str, str]:
        written = {}
        for key in keys:
            row = connection.execute("SELECT learned FROM durations WHERE key = ?", [key]).fetchone()
            written[key] = change(key, None if row is None else row["learned"])
            connection.execute(
                "INSERT OR REPLACE INTO durations (key, learned) VALUES (?, ?)", [key, written[key]]
            )
        return written


def _trouble(row: sqlite3.Row) -> AccountTrouble:
    return AccountTrouble(row["provider"], row["trouble"], to_utc(row["since"]))
