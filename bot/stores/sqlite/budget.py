"""Spending, reservations and pauses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from bot.store.audit import PAUSE, RESUME, THE_BOT, AuditEntry
from bot.store.budget import EVERYTHING, RESERVED_S, Pause
from bot.stores.sqlite.audit import log
from bot.stores.sqlite.connection.database import Database, Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time, to_utc
from bot.stores.sqlite.saving import save
from bot.task import Task

_HANDED_OVER = (
    "SELECT count(*) FROM tasks WHERE submitted_at > max(:since, coalesce((SELECT max(done_at) FROM audit_log"
    " WHERE action = 'resume' AND value = '0'), '')) AND counts_toward_quota = 1"
    " AND provider NOT IN (SELECT value FROM json_each(:uncounted))"
)


class SQLiteBudget(Subject):
    """A `bot.store.BudgetStore`."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self._reservations: dict[int, tuple[Decimal, datetime]] = {}
        """By person, with its end. Only the writer thread uses it, and only the file's owner takes orders."""

    @writes
    def buy(
        self,
        connection: sqlite3.Connection,
        task: Task,
        since: datetime,
        most: int | None,
        uncounted: Collection[str],
    ) -> Task | Pause:
        row = connection.execute(
            "SELECT * FROM pauses WHERE model IN (?, ?) ORDER BY model", [EVERYTHING, task.request.model]
        ).fetchone()
        if row is not None:
            return _read_pause(row)
        if most is not None and task.provider not in uncounted:
            values = {"since": to_text(since), "uncounted": json.dumps(sorted(uncounted))}
            if connection.execute(_HANDED_OVER, values).fetchone()[0] >= most:
                pause = Pause(EVERYTHING, THE_BOT, task.submitted_at or since)
                _put_pause(connection, pause)
                return pause
        return save(connection, task, None, leased=True)

    @reads
    def refused_orders(
        self,
        connection: sqlite3.Connection,
        user_id: int,
        codes: Collection[str],
        since: datetime,
        limit: int,
    ) -> list[datetime]:
        rows = connection.execute(
            "SELECT submitted_at FROM tasks WHERE submitted_at > ? AND user_id = ?"
            " AND counts_toward_quota = 0 AND error_code IN (SELECT value FROM json_each(?))"
            " ORDER BY submitted_at DESC LIMIT ?",
            [to_text(since), user_id, json.dumps(sorted(codes)), limit],
        )
        return [at for (text,) in rows if (at := to_time(text)) is not None]

    @writes
    def pause(self, connection: sqlite3.Connection, pause: Pause) -> bool:
        return _put_pause(connection, pause)

    @writes
    def resume(self, connection: sqlite3.Connection, model: str, by: int, at: datetime) -> Pause | None:
        row = connection.execute("DELETE FROM pauses WHERE model = ? RETURNING *", [model]).fetchone()
        if row is None:
            return None
        ended = _read_pause(row)
        log(connection, AuditEntry(RESUME, model, by, at, value=str(ended.by)))
        connection.execute(
            "UPDATE tasks SET due_at = :at WHERE waits_for_slot = 1 AND due_at > :at AND attempts = 0"
            " AND due_before_lease IS NULL",
            {"at": to_text(at)},
        )
        return ended

    @reads
    def pauses(self, connection: sqlite3.Connection) -> list[Pause]:
        rows = connection.execute("SELECT * FROM pauses ORDER BY paused_at, id")
        return [_read_pause(row) for row in rows]

    @reads
    def spent_since(
        self, connection: sqlite3.Connection, since: datetime, *, user_id: int | None = None
    ) -> Decimal:
        return _spent_since(connection, since, user_id)

    @reads
    def reserve(
        self,
        connection: sqlite3.Connection,
        user_id: int,
        price: Decimal,
        budget: Decimal,
        *,
        since: datetime,
        now: datetime,
    ) -> Decimal:
        others = sum(
            reserved
            for other, (reserved, until) in self._reservations.items()
            if other != user_id
            and until > now
            and not _has_ordered(connection, other, until - timedelta(seconds=RESERVED_S))
        )
        left = budget - _spent_since(connection, since, None) - others
        if left >= price:
            self._reservations[user_id] = price, now + timedelta(seconds=RESERVED_S)
        return left

    @reads
    def cancel_reservation(self, connection: sqlite3.Connection, user_id: int) -> None:
        self._reservations.pop(user_id, None)


def _put_pause(connection: sqlite3.Connection, pause: Pause) -> bool:
    done = connection.execute(
        "INSERT OR IGNORE INTO pauses (model, paused_by, paused_at) VALUES (?, ?, ?)",
        [pause.model, pause.by, to_text(pause.at)],
    )
    if done.rowcount:
        log(connection, AuditEntry(PAUSE, pause.model, pause.by, pause.at))
    return done.rowcount > 0


def _spent_since(connection: sqlite3.Connection, since: datetime, user_id: int | None) -> Decimal:
    # Grouped by price: decimals are multiplied and added here, where they are exact.
    rows = connection.execute(
        "SELECT price, count(*) FROM tasks WHERE counts_toward_quota = 1 AND price IS NOT NULL"
        " AND queued_at >= :since AND (:user_id IS NULL OR user_id = :user_id) GROUP BY price",
        {"since": to_text(since), "user_id": user_id},
    )
    return sum((Decimal(price) * count for price, count in rows), Decimal(0))


def _has_ordered(connection: sqlite3.Connection, user_id: int, since: datetime) -> bool:
    """Return True if what was reserved for their order is spent by now."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE counts_toward_quota = 1 AND user_id = ? AND queued_at >= ?)"
    )
    return bool(connection.execute(sql, [user_id, to_text(since)]).fetchone()[0])


def _read_pause(row: sqlite3.Row) -> Pause:
    return Pause(row["model"], row["paused_by"], to_utc(row["paused_at"]))
