"""Tokens of the operator's page."""

from __future__ import annotations

from datetime import datetime

from bot.store.tokens import Token, TokenKind
from bot.stores.postgres.connection.database import Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection


class PostgresTokens(Subject):
    """A `bot.store.TokenStore`."""

    @transacts
    async def add(self, connection: Connection, token: Token, now: datetime) -> None:
        await connection.execute("DELETE FROM tokens WHERE expires_at <= $1", now)
        await connection.execute(
            "INSERT INTO tokens (kind, digest, user_id, expires_at) VALUES ($1, $2, $3, $4)",
            token.kind,
            token.digest,
            token.user_id,
            token.expires_at,
        )

    @reads
    async def find(self, connection: Connection, kind: TokenKind, digest: str, now: datetime) -> Token | None:
        row = await connection.fetchrow(
            "SELECT user_id, expires_at FROM tokens WHERE kind = $1 AND digest = $2 AND expires_at > $3",
            kind,
            digest,
            now,
        )
        return None if row is None else Token(kind, digest, row["user_id"], row["expires_at"])

    @writes
    async def consume(
        self, connection: Connection, kind: TokenKind, digest: str, now: datetime
    ) -> Token | None:
        row = await connection.fetchrow(
            "DELETE FROM tokens WHERE kind = $1 AND digest = $2 RETURNING user_id, expires_at", kind, digest
        )
        if row is None or row["expires_at"] <= now:
            return None
        return Token(kind, digest, row["user_id"], row["expires_at"])
