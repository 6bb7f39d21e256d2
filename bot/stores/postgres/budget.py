"""Spending, reservations and pauses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.store.audit import PAUSE, RESUME, THE_BOT, AuditEntry
from bot.store.budget import EVERYTHING, RESERVED_S, Pause
from bot.stores.postgres.audit import log
from bot.stores.postgres.connection.database import Database, Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection
from bot.stores.postgres.saver import Saver, save_leased
from bot.stores.values import Row
from bot.task import Task

_LOCK = 0x62_75_79_69_6E_67
"""Of those who count what was bought within the hour, one at a time: "buying"."""
_BUDGET_LOCK = 0x62_75_64_67_65_74
"""Of those who reserve something, one at a time: "budget"."""
_HANDED_OVER = (
    "SELECT count(*) FROM tasks WHERE submitted_at > greatest($1, (SELECT max(done_at) FROM audit_log"
    " WHERE action = 'resume' AND value = '0')) AND counts_toward_quota AND provider <> ALL($2::text[])"
)
_SPENT = (
    "SELECT price, count(*) AS count FROM tasks WHERE counts_toward_quota AND price IS NOT NULL"
    " AND queued_at >= $1 AND ($2::bigint IS NULL OR user_id = $2)"
)
_SPENT_OR_RESERVED = (
    # In one statement, and so of one moment: an order that is stored by now is in the first part alone.
    f"{_SPENT} GROUP BY price UNION ALL"  # noqa: S608 - our own words
    " SELECT price, 1 FROM reservations WHERE user_id <> $3 AND until > $4"
    " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.user_id = reservations.user_id AND counts_toward_quota"
    " AND queued_at >= reservations.until - $5::interval)"
)


class PostgresBudget(Subject):
    """A `bot.store.BudgetStore`."""

    def __init__(self, db: Database, saver: Saver) -> None:
        super().__init__(db)
        self._saver = saver

    async def buy(
        self, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
    ) -> Task | Pause:
        return await self._saver.saved_or(task, self._buy(task, since, most, uncounted))

    @transacts
    async def _buy(
        self,
        connection: Connection,
        task: Task,
        since: datetime,
        most: int | None,
        uncounted: Collection[str],
    ) -> Task | Pause:
        counted = most is not None and task.provider not in uncounted
        if counted:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        row = await connection.fetchrow(
            "SELECT * FROM pauses WHERE model = ANY($1) ORDER BY model", [EVERYTHING, task.request.model]
        )
        if row is not None:
            return _read_pause(row)
        if counted and await connection.fetchval(_HANDED_OVER, since, sorted(uncounted)) >= most:
            pause = Pause(EVERYTHING, THE_BOT, task.submitted_at or since)
            await _put_pause(connection, pause)
            return pause
        return await save_leased(connection, task, self._db.me)

    @reads
    async def refused_orders(
        self, connection: Connection, user_id: int, codes: Collection[str], since: datetime, limit: int
    ) -> list[datetime]:
        rows = await connection.fetch(
            "SELECT submitted_at FROM tasks WHERE submitted_at > $1 AND user_id = $2"
            " AND NOT counts_toward_quota AND error_code = ANY($3) ORDER BY submitted_at DESC LIMIT $4",
            since,
            user_id,
            sorted(codes),
            limit,
        )
        return [row["submitted_at"] for row in rows]

    @transacts
    async def pause(self, connection: Connection, pause: Pause) -> bool:
        return await _put_pause(connection, pause)

    @transacts
    async def resume(self, connection: Connection, model: str, by: int, at: datetime) -> Pause | None:
        row = await connection.fetchrow("DELETE FROM pauses WHERE model = $1 RETURNING *", model)
        if row is None:
            return None
        ended = _read_pause(row)
        await log(connection, AuditEntry(RESUME, model, by, at, value=str(ended.by)))
        await connection.execute(
            "UPDATE tasks SET due_at = $1 WHERE waits_for_slot AND due_at > $1 AND attempts = 0"
            " AND due_before_lease IS NULL",
            at,
        )
        return ended

    @reads
    async def pauses(self, connection: Connection) -> list[Pause]:
        rows = await connection.fetch("SELECT * FROM pauses ORDER BY paused_at, id")
        return [_read_pause(row) for row in rows]

    @reads
    async def spent_since(
        self, connection: Connection, since: datetime, *, user_id: int | None = None
    ) -> Decimal:
        return _sum(await connection.fetch(f"{_SPENT} GROUP BY price", since, user_id))

    @transacts
    async def reserve(
        self,
        connection: Connection,
        user_id: int,
        price: Decimal,
        budget: Decimal,
        *,
        since: datetime,
        now: datetime,
    ) -> Decimal:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _BUDGET_LOCK)
        lifetime = timedelta(seconds=RESERVED_S)
        left = budget - _sum(await connection.fetch(_SPENT_OR_RESERVED, since, None, user_id, now, lifetime))
        if left >= price:
            await connection.execute(
                "INSERT INTO reservations (user_id, price, until) VALUES ($1, $2, $3)"
                " ON CONFLICT (user_id) DO UPDATE SET price = excluded.price, until = excluded.until",
                user_id,
                str(price),
                now + lifetime,
            )
        return left

    @writes
    async def cancel_reservation(self, connection: Connection, user_id: int) -> None:
        await connection.execute("DELETE FROM reservations WHERE user_id = $1", user_id)


async def _put_pause(connection: Connection, pause: Pause) -> bool:
    done = await connection.execute(
        "INSERT INTO pauses (model, paused_by, paused_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        pause.model,
        pause.by,
        pause.at,
    )
    if done != "INSERT 0 1":
        return False
    await log(connection, AuditEntry(PAUSE, pause.model, pause.by, pause.at))
    return True


def _sum(rows: Sequence[Row]) -> Decimal:
    # Grouped by price: decimals are multiplied and added here, where they are exact.
    return sum((Decimal(row["price"]) * int(row["count"]) for row in rows), Decimal(0))


def _read_pause(row: Row) -> Pause:
    return Pause(row["model"], row["paused_by"], row["paused_at"])
