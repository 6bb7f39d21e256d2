"""Accounts in trouble, and notices that wait for their reader, in SQL. Every function runs on the writer
thread and holds to `bot.store.AccountStore` or `NoticeStore`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.store import AccountTrouble, Notice
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.values import notice_of, values_text


def mark_trouble(connection: sqlite3.Connection, trouble: AccountTrouble) -> bool:
    done = connection.execute(
        "INSERT OR IGNORE INTO accounts (provider, trouble, since) VALUES (?, ?, ?)",
        [trouble.provider, trouble.trouble, to_text(trouble.since)],
    )
    return done.rowcount > 0


def mark_well(connection: sqlite3.Connection, provider: str) -> AccountTrouble | None:
    row = connection.execute("SELECT * FROM accounts WHERE provider = ?", [provider]).fetchone()
    if row is None:
        return None
    connection.execute("DELETE FROM accounts WHERE provider = ?", [provider])
    return _trouble(row)


def troubles(connection: sqlite3.Connection) -> list[AccountTrouble]:
    return [_trouble(row) for row in connection.execute("SELECT * FROM accounts ORDER BY since, provider")]


def keep_notice(connection: sqlite3.Connection, user_id: int, notice: Notice, now: datetime) -> None:
    connection.execute(
        "INSERT INTO notices (user_id, key, values_json, kept_at) VALUES (?, ?, ?, ?)",
        [user_id, notice.key, values_text(notice.values), to_text(now)],
    )


def take_notices(connection: sqlite3.Connection, user_id: int) -> list[Notice]:
    rows = connection.execute(
        "SELECT key, values_json FROM notices WHERE user_id = ? ORDER BY id", [user_id]
    ).fetchall()
    connection.execute("DELETE FROM notices WHERE user_id = ?", [user_id])
    return [notice_of(row) for row in rows]


def _trouble(row: sqlite3.Row) -> AccountTrouble:
    since = to_time(row["since"])
    assert since is not None  # noqa: S101 - the column cannot be NULL
    return AccountTrouble(row["provider"], row["trouble"], since)
