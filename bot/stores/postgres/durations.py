"""Durations in SQL. Every function takes a connection and holds to `bot.store.DurationStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.stores.postgres.connections import Connection


async def read_all(connection: Connection) -> dict[str, str]:
    return {row["key"]: row["learned"] for row in await connection.fetch("SELECT * FROM durations")}


async def learn(
    connection: Connection, keys: Sequence[str], change: Callable[[str, str | None], str]
) -> dict[str, str]:
    # A row that is not there yet cannot be locked; the table can, and readers do not wait for it.
    await connection.execute("LOCK TABLE durations IN EXCLUSIVE MODE")
    rows = await connection.fetch("SELECT * FROM durations WHERE key = ANY($1)", keys)
    known = {row["key"]: row["learned"] for row in rows}
    written = {key: change(key, known.get(key)) for key in keys}
    await connection.execute(
        "INSERT INTO durations (key, learned) SELECT * FROM unnest($1::text[], $2::text[])"
        " ON CONFLICT (key) DO UPDATE SET learned = excluded.learned",
        list(written),
        list(written.values()),
    )
    return written
