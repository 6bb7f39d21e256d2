"""The heartbeat in SQL: one row. It runs on the writer thread and holds to `bot.store.HeartbeatStore`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.stores.sqlite.rows import to_text, to_time


def beat(connection: sqlite3.Connection, now: datetime) -> datetime | None:
    row = connection.execute("SELECT at FROM heartbeat").fetchone()
    connection.execute("INSERT OR REPLACE INTO heartbeat (id, at) VALUES (1, ?)", [to_text(now)])
    return None if row is None else to_time(row["at"])
