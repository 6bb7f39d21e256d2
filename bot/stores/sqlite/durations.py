"""Durations in SQL. Every function runs on the writer thread and holds to `bot.store.DurationStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

_WRITE = "INSERT OR REPLACE INTO durations (key, learned) VALUES (?, ?)"


def read_all(connection: sqlite3.Connection) -> dict[str, str]:
    return {row["key"]: row["learned"] for row in connection.execute("SELECT key, learned FROM durations")}


def learn(
    connection: sqlite3.Connection, keys: Sequence[str], change: Callable[[str, str | None], str]
) -> dict[str, str]:
    written = {}
    for key in keys:
        row = connection.execute("SELECT learned FROM durations WHERE key = ?", [key]).fetchone()
        written[key] = change(key, None if row is None else row["learned"])
        connection.execute(_WRITE, [key, written[key]])
    return written
