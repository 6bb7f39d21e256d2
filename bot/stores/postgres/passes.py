"""Passes in SQL. Every function takes a connection and holds to `bot.store.passes.PassStore`."""

from __future__ import annotations

from datetime import datetime

from bot.store.passes import Pass, PassKind
from bot.stores.postgres.connections import Connection


async def add(connection: Connection, made: Pass, now: datetime) -> None:
    await connection.execute("DELETE FROM passes WHERE expires_at <= $1", now)
    await connection.execute(
        "INSERT INTO passes (kind, digest, user_id, expires_at) VALUES ($1, $2, $3, $4)",
        made.kind,
        made.digest,
        made.user_id,
        made.expires_at,
    )


async def find(connection: Connection, kind: PassKind, digest: str, now: datetime) -> Pass | None:
    row = await connection.fetchrow(
        "SELECT user_id, expires_at FROM passes WHERE kind = $1 AND digest = $2 AND expires_at > $3",
        kind,
        digest,
        now,
    )
    return None if row is None else Pass(kind, digest, row["user_id"], row["expires_at"])


async def take(connection: Connection, kind: PassKind, digest: str, now: datetime) -> Pass | None:
    row = await connection.fetchrow(
        "DELETE FROM passes WHERE kind = $1 AND digest = $2 RETURNING user_id, expires_at", kind, digest
    )
    if row is None or row["expires_at"] <= now:
        return None
    return Pass(kind, digest, row["user_id"], row["expires_at"])
