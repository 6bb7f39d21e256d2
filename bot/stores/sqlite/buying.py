"""Spending and pauses in SQL. Every function runs on the writer thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from bot.store.buying import ASIDE_S, EVERYTHING, THE_BOT, Pause, PausePast
from bot.stores.sqlite import tasks
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.sqlite.writer import Writer
from bot.task import Task

_IN_FORCE = "SELECT * FROM pauses WHERE resumed_at IS NULL"
_HANDED_OVER = (
    "SELECT count(*) FROM tasks WHERE submitted_at > max(:since, coalesce((SELECT max(resumed_at) FROM pauses"
    " WHERE paused_by = :the_bot), '')) AND counts = 1"
    " AND provider NOT IN (SELECT value FROM json_each(:uncounted))"
)


class Buying:
    """The part of `SQLiteStore` that `bot.store.buying.BuyingStore` describes."""

    _writer: Writer
    _asides: dict[int, tuple[Decimal, datetime]]
    """By person, with its end. Only the writer thread uses it, and only the file's owner takes orders."""

    async def buy(
        self, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
    ) -> Task | Pause:
        return await self._writer.write(_buy, task, since, most, uncounted)

    async def refused_orders(
        self, user_id: int, codes: Collection[str], since: datetime, limit: int
    ) -> list[datetime]:
        return await self._writer.read(_refused_orders, user_id, codes, since, limit)

    async def pause(self, pause: Pause) -> bool:
        return await self._writer.write(_pause, pause)

    async def resume(self, model: str, by: int, at: datetime) -> Pause | None:
        return await self._writer.write(_resume, model, by, at)

    async def pauses(self) -> list[Pause]:
        return await self._writer.read(_pauses)

    async def past_pauses(self, limit: int) -> list[PausePast]:
        return await self._writer.read(_past_pauses, limit)

    async def spent_since(self, since: datetime, *, user_id: int | None = None) -> Decimal:
        return await self._writer.read(_spent_since, since, user_id)

    async def set_aside(
        self, user_id: int, price: Decimal, budget: Decimal, *, since: datetime, now: datetime
    ) -> Decimal:
        def set_aside(connection: sqlite3.Connection) -> Decimal:
            others = sum(
                aside
                for other, (aside, until) in self._asides.items()
                if other != user_id
                and until > now
                and not _has_ordered(connection, other, until - timedelta(seconds=ASIDE_S))
            )
            left = budget - _spent_since(connection, since, None) - others
            if left >= price:
                self._asides[user_id] = price, now + timedelta(seconds=ASIDE_S)
            return left

        return await self._writer.read(set_aside)

    async def free(self, user_id: int) -> None:
        await self._writer.read(lambda _: self._asides.pop(user_id, None))


def _buy(
    connection: sqlite3.Connection, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
) -> Task | Pause:
    row = connection.execute(
        f"{_IN_FORCE} AND model IN (?, ?) ORDER BY model", [EVERYTHING, task.request.model]
    ).fetchone()
    if row is not None:
        return _read_pause(row)
    if most is not None and task.provider not in uncounted:
        values = {"since": to_text(since), "the_bot": THE_BOT, "uncounted": json.dumps(sorted(uncounted))}
        if connection.execute(_HANDED_OVER, values).fetchone()[0] >= most:
            purchase_guard = Pause(EVERYTHING, THE_BOT, task.submitted_at or since)
            _pause(connection, purchase_guard)
            return purchase_guard
    return tasks.save(connection, task, None, leased=True)


def _refused_orders(
    connection: sqlite3.Connection, user_id: int, codes: Collection[str], since: datetime, limit: int
) -> list[datetime]:
    rows = connection.execute(
        "SELECT submitted_at FROM tasks WHERE submitted_at > ? AND user_id = ? AND counts = 0"
        " AND error_code IN (SELECT value FROM json_each(?)) ORDER BY submitted_at DESC LIMIT ?",
        [to_text(since), user_id, json.dumps(sorted(codes)), limit],
    )
    return [at for (text,) in rows if (at := to_time(text)) is not None]


def _pause(connection: sqlite3.Connection, made: Pause) -> bool:
    done = connection.execute(
        "INSERT OR IGNORE INTO pauses (model, paused_by, paused_at) VALUES (?, ?, ?)",
        [made.model, made.by, to_text(made.at)],
    )
    return done.rowcount > 0


def _resume(connection: sqlite3.Connection, model: str, by: int, at: datetime) -> Pause | None:
    row = connection.execute(
        "UPDATE pauses SET resumed_by = ?, resumed_at = ? WHERE model = ? AND resumed_at IS NULL RETURNING *",
        [by, to_text(at), model],
    ).fetchone()
    if row is None:
        return None
    connection.execute(
        "UPDATE tasks SET due_at = :at WHERE waits_for_slot = 1 AND due_at > :at AND attempts = 0"
        " AND due_before_lease IS NULL",
        {"at": to_text(at)},
    )
    return _read_pause(row)


def _pauses(connection: sqlite3.Connection) -> list[Pause]:
    return [_read_pause(row) for row in connection.execute(f"{_IN_FORCE} ORDER BY paused_at, id")]


def _past_pauses(connection: sqlite3.Connection, limit: int) -> list[PausePast]:
    rows = connection.execute("SELECT * FROM pauses ORDER BY paused_at DESC, id DESC LIMIT ?", [limit])
    return [PausePast(_read_pause(row), row["resumed_by"], to_time(row["resumed_at"])) for row in rows]


def _spent_since(connection: sqlite3.Connection, since: datetime, user_id: int | None) -> Decimal:
    # Grouped by price: decimals are multiplied and added here, where they are exact.
    rows = connection.execute(
        "SELECT price, count(*) FROM tasks WHERE counts = 1 AND price IS NOT NULL AND queued_at >= :since"
        " AND (:user_id IS NULL OR user_id = :user_id) GROUP BY price",
        {"since": to_text(since), "user_id": user_id},
    )
    return sum((Decimal(price) * count for price, count in rows), Decimal(0))


def _has_ordered(connection: sqlite3.Connection, user_id: int, since: datetime) -> bool:
    """Whether what was set aside for their order is spent by now."""
    sql = "SELECT EXISTS (SELECT 1 FROM tasks WHERE counts = 1 AND user_id = ? AND queued_at >= ?)"
    return bool(connection.execute(sql, [user_id, to_text(since)]).fetchone()[0])


def _read_pause(row: sqlite3.Row) -> Pause:
    at = to_time(row["paused_at"])
    assert at is not None  # noqa: S101 - the column cannot be NULL
    return Pause(row["model"], row["paused_by"], at)
