"""Passes in SQL. Every function runs on the writer thread and holds to `bot.store.passes.PassStore`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.store.passes import Pass, PassKind
from bot.stores.sqlite.rows import to_text


def add(connection: sqlite3.Connection, made: Pass, now: datetime) -> None:
    connection.execute("DELETE FROM passes WHERE expires_at <= ?", [to_text(now)])
    connection.execute(
        "INSERT INTO passes (kind, digest, user_id, expires_at) VALUES (?, ?, ?, ?)",
        [made.kind, made.digest, made.user_id, to_text(made.expires_at)],
    )


def find(connection: sqlite3.Connection, kind: PassKind, digest: str, now: datetime) -> Pass | None:
    row = connection.execute(
        "SELECT user_id, expires_at FROM passes WHERE kind = ? AND digest = ? AND expires_at > ?",
        [kind, digest, to_text(now)],
    ).fetchone()
    if row is None:
        return None
    return Pass(kind, digest, row["user_id"], datetime.fromisoformat(row["expires_at"]))


def take(connection: sqlite3.Connection, kind: PassKind, digest: str, now: datetime) -> Pass | None:
    found = find(connection, kind, digest, now)
    connection.execute("DELETE FROM passes WHERE kind = ? AND digest = ?", [kind, digest])
    return found
