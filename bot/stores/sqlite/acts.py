"""The record of acts in SQL."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.store.acts import Act
from bot.stores.sqlite.rows import to_text
from bot.stores.sqlite.writer import Writer


class Acts:
    """The part of `SQLiteStore` that `bot.store.acts.ActStore` describes."""

    _writer: Writer

    async def add_act(self, act: Act) -> None:
        await self._writer.write(_add, act)

    async def acts(self, limit: int, target: str | None = None) -> list[Act]:
        return await self._writer.read(_acts, limit, target)


def _add(connection: sqlite3.Connection, act: Act) -> None:
    connection.execute(
        "INSERT INTO acts (verb, target, done_by, done_at) VALUES (?, ?, ?, ?)",
        [act.verb, act.target, act.by, to_text(act.at)],
    )


def _acts(connection: sqlite3.Connection, limit: int, target: str | None) -> list[Act]:
    if target is None:
        rows = connection.execute("SELECT * FROM acts ORDER BY id DESC LIMIT ?", [limit])
    else:
        rows = connection.execute(
            "SELECT * FROM acts WHERE target = ? ORDER BY id DESC LIMIT ?", [target, limit]
        )
    return [
        Act(row["verb"], row["target"], row["done_by"], datetime.fromisoformat(row["done_at"]))
        for row in rows
    ]
