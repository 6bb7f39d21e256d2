"""Accounts in trouble, and notices that wait for their reader, in SQL. Every function takes a connection and
holds to `bot.store.AccountStore` or `NoticeStore`."""

from __future__ import annotations

from datetime import datetime

from bot.store import AccountTrouble, Notice
from bot.stores.postgres.connections import Connection
from bot.stores.values import Row, notice_of, values_text


async def mark_trouble(connection: Connection, trouble: AccountTrouble) -> bool:
    done = await connection.execute(
        "INSERT INTO accounts (provider, trouble, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        trouble.provider,
        trouble.trouble,
        trouble.since,
    )
    return done == "INSERT 0 1"


async def mark_well(connection: Connection, provider: str) -> AccountTrouble | None:
    row = await connection.fetchrow("DELETE FROM accounts WHERE provider = $1 RETURNING *", provider)
    return None if row is None else _trouble(row)


async def troubles(connection: Connection) -> list[AccountTrouble]:
    rows = await connection.fetch("SELECT * FROM accounts ORDER BY since, provider")
    return [_trouble(row) for row in rows]


async def keep_notice(connection: Connection, user_id: int, notice: Notice, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO notices (user_id, key, values_json, kept_at) VALUES ($1, $2, $3, $4)",
        user_id,
        notice.key,
        values_text(notice.values),
        now,
    )


async def take_notices(connection: Connection, user_id: int) -> list[Notice]:
    rows = await connection.fetch("DELETE FROM notices WHERE user_id = $1 RETURNING *", user_id)
    return [notice_of(row) for row in sorted(rows, key=lambda row: row["id"])]


def _trouble(row: Row) -> AccountTrouble:
    return AccountTrouble(row["provider"], row["trouble"], row["since"])
