"""Tokens of the operator's page."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.store.tokens import Token, TokenKind
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_utc


class SQLiteTokens(Subject):
    """A `bot.store.TokenStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, token: Token, now: datetime) -> None:
        connection.execute("DELETE FROM tokens WHERE expires_at <= ?", [to_text(now)])
        connection.execute(
            "INSERT INTO tokens (kind, digest, user_id, expires_at) VALUES (?, ?, ?, ?)",
            [token.kind, token.digest, token.user_id, to_text(token.expires_at)],
        )

    @reads
    def find(
        self, connection: sqlite3.Connection, kind: TokenKind, digest: str, now: datetime
    ) -> Token | None:
        return _find(connection, kind, digest, now)

    @writes
    def consume(
        self, connection: sqlite3.Connection, kind: TokenKind, digest: str, now: datetime
    ) -> Token | None:
        found = _find(connection, kind, digest, now)
        connection.execute("DELETE FROM tokens WHERE kind = ? AND digest = ?", [kind, digest])
        return found


def _find(connection: sqlite3.Connection, kind: TokenKind, digest: str, now: datetime) -> Token | None:
    row = connection.execute(
        "SELECT user_id, expires_at FROM tokens WHERE kind = ? AND digest = ? AND expires_at > ?",
        [kind, digest, to_text(now)],
    ).fetchone()
    return None if row is None else Token(kind, digest, row["user_id"], to_utc(row["expires_at"]))
