"""Spending and pauses in SQL. Every function takes a connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.store.buying import ASIDE_S, EVERYTHING, THE_BOT, Pause, PausePast
from bot.stores.postgres.connections import Connection, Connections
from bot.stores.postgres.saving import Saver, save_leased
from bot.stores.values import Row
from bot.task import Task

_LOCK = 0x62_75_79_69_6E_67
"""Of those who count what was bought within the hour, one at a time: "buying"."""
_BUDGET_LOCK = 0x62_75_64_67_65_74
"""Of those who set something aside, one at a time: "budget"."""
_IN_FORCE = "SELECT * FROM pauses WHERE resumed_at IS NULL"
_HANDED_OVER = (
    "SELECT count(*) FROM tasks WHERE submitted_at > greatest($1,"
    " (SELECT max(resumed_at) FROM pauses WHERE paused_by = $2)) AND counts AND provider <> ALL($3::text[])"
)
_SPENT = (
    "SELECT price, count(*) AS count FROM tasks WHERE counts AND price IS NOT NULL AND queued_at >= $1"
    " AND ($2::bigint IS NULL OR user_id = $2)"
)
_GONE = (
    # In one statement, and so of one moment: an order that is stored by now is in the first part alone.
    f"{_SPENT} GROUP BY price UNION ALL"  # noqa: S608 - our own words
    " SELECT price, 1 FROM asides WHERE user_id <> $3 AND until > $4"
    " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.user_id = asides.user_id AND counts"
    " AND queued_at >= asides.until - $5::interval)"
)


class Buying:
    """The part of `PostgresStore` that `bot.store.buying.BuyingStore` describes."""

    _db: Connections
    _saver: Saver
    _me: str

    async def buy(
        self, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
    ) -> Task | Pause:
        buying = self._db.transact(_buy, task, since, most, uncounted=uncounted, owner=self._me)
        return await self._saver.saved_or(task, buying)

    async def refused_orders(
        self, user_id: int, codes: Collection[str], since: datetime, limit: int
    ) -> list[datetime]:
        return await self._db.read(_refused_orders, user_id, codes, since, limit)

    async def pause(self, pause: Pause) -> bool:
        return await self._db.write(_pause, pause)

    async def resume(self, model: str, by: int, at: datetime) -> Pause | None:
        return await self._db.transact(_resume, model, by, at)

    async def pauses(self) -> list[Pause]:
        return await self._db.read(_pauses)

    async def past_pauses(self, limit: int) -> list[PausePast]:
        return await self._db.read(_past_pauses, limit)

    async def spent_since(self, since: datetime, *, user_id: int | None = None) -> Decimal:
        return await self._db.read(_spent_since, since, user_id)

    async def set_aside(
        self, user_id: int, price: Decimal, budget: Decimal, *, since: datetime, now: datetime
    ) -> Decimal:
        return await self._db.transact(_set_aside, user_id, price, budget, since=since, now=now)

    async def free(self, user_id: int) -> None:
        await self._db.write(_free, user_id)


async def _buy(
    connection: Connection,
    task: Task,
    since: datetime,
    most: int | None,
    *,
    uncounted: Collection[str],
    owner: str,
) -> Task | Pause:
    counted = most is not None and task.provider not in uncounted
    if counted:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    row = await connection.fetchrow(
        f"{_IN_FORCE} AND model = ANY($1) ORDER BY model", [EVERYTHING, task.request.model]
    )
    if row is not None:
        return _read_pause(row)
    if counted:
        handed_over = await connection.fetchval(_HANDED_OVER, since, THE_BOT, sorted(uncounted))
        if handed_over >= most:
            purchase_guard = Pause(EVERYTHING, THE_BOT, task.submitted_at or since)
            await _pause(connection, purchase_guard)
            return purchase_guard
    return await save_leased(connection, task, owner)


async def _refused_orders(
    connection: Connection, user_id: int, codes: Collection[str], since: datetime, limit: int
) -> list[datetime]:
    rows = await connection.fetch(
        "SELECT submitted_at FROM tasks WHERE submitted_at > $1 AND user_id = $2 AND NOT counts"
        " AND error_code = ANY($3) ORDER BY submitted_at DESC LIMIT $4",
        since,
        user_id,
        sorted(codes),
        limit,
    )
    return [row["submitted_at"] for row in rows]


async def _pause(connection: Connection, made: Pause) -> bool:
    done = await connection.execute(
        "INSERT INTO pauses (model, paused_by, paused_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        made.model,
        made.by,
        made.at,
    )
    return done == "INSERT 0 1"


async def _resume(connection: Connection, model: str, by: int, at: datetime) -> Pause | None:
    row = await connection.fetchrow(
        "UPDATE pauses SET resumed_by = $2, resumed_at = $3 WHERE model = $1 AND resumed_at IS NULL"
        " RETURNING *",
        model,
        by,
        at,
    )
    if row is None:
        return None
    await connection.execute(
        "UPDATE tasks SET due_at = $1 WHERE waits_for_slot AND due_at > $1 AND attempts = 0"
        " AND due_before_lease IS NULL",
        at,
    )
    return _read_pause(row)


async def _pauses(connection: Connection) -> list[Pause]:
    return [_read_pause(row) for row in await connection.fetch(f"{_IN_FORCE} ORDER BY paused_at, id")]


async def _past_pauses(connection: Connection, limit: int) -> list[PausePast]:
    rows = await connection.fetch("SELECT * FROM pauses ORDER BY paused_at DESC, id DESC LIMIT $1", limit)
    return [PausePast(_read_pause(row), row["resumed_by"], row["resumed_at"]) for row in rows]


async def _spent_since(connection: Connection, since: datetime, user_id: int | None) -> Decimal:
    return _sum(await connection.fetch(f"{_SPENT} GROUP BY price", since, user_id))


async def _set_aside(
    connection: Connection, user_id: int, price: Decimal, budget: Decimal, *, since: datetime, now: datetime
) -> Decimal:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _BUDGET_LOCK)
    rows = await connection.fetch(_GONE, since, None, user_id, now, timedelta(seconds=ASIDE_S))
    left = budget - _sum(rows)
    if left >= price:
        await connection.execute(
            "INSERT INTO asides (user_id, price, until) VALUES ($1, $2, $3)"
            " ON CONFLICT (user_id) DO UPDATE SET price = excluded.price, until = excluded.until",
            user_id,
            str(price),
            now + timedelta(seconds=ASIDE_S),
        )
    return left


def _sum(rows: Sequence[Row]) -> Decimal:
    # Grouped by price: decimals are multiplied and added here, where they are exact.
    return sum((Decimal(row["price"]) * int(row["count"]) for row in rows), Decimal(0))


async def _free(connection: Connection, user_id: int) -> None:
    await connection.execute("DELETE FROM asides WHERE user_id = $1", user_id)


def _read_pause(row: Row) -> Pause:
    return Pause(row["model"], row["paused_by"], row["paused_at"])
