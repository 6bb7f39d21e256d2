"""Statistics, counted by the server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot.store.statistics import (
    NO_MONEY,
    ProviderLoad,
    Submit,
    TaskCount,
    UserUsage,
    Wait,
    matching_names,
)
from bot.stores.postgres.connection.database import Subject, reads
from bot.stores.postgres.connection.pool import Connection
from bot.stores.values import Row, task_of
from bot.task import Task, TaskState

# All that is put into these texts are texts of ours.
_QUEUED = (
    " FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS spans (since, until, number)"
    " JOIN tasks ON queued_at >= since AND queued_at < until WHERE ($3::bigint IS NULL OR user_id = $3)"
)
_STATE = "CASE WHEN detached AND cancelled_at IS NOT NULL THEN 'cancelled' ELSE state END"
"""As `Task.is_cancelled` says: what somebody cancelled counts as that, whatever its provider made of it."""
_PAID = "CASE WHEN counts_toward_quota AND submitted_at IS NOT NULL THEN price END"
_TASK_COUNTS = (
    f"SELECT number - 1 AS span, request::json->>'model' AS model, {_STATE} AS state, error_code,"
    f" {_PAID} AS paid, count(*) AS count{_QUEUED} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4"
)
_WAITS = (
    "WITH waits AS (SELECT number - 1 AS span,"  # noqa: S608 - see above
    f" extract(epoch FROM finished_at - queued_at)::float8 AS wait_s{_QUEUED}"
    f" AND {_STATE} = $4 AND finished_at IS NOT NULL)"
    " SELECT span, count(*) AS count, percentile_disc(0.5) WITHIN GROUP (ORDER BY wait_s) AS p50_s,"
    " percentile_disc(0.9) WITHIN GROUP (ORDER BY wait_s) AS p90_s FROM waits GROUP BY span ORDER BY span"
)
_GROUPS = (
    "SELECT chat_id FROM tasks WHERE chat_id < 0 GROUP BY chat_id ORDER BY max(created_at) DESC LIMIT $1"
)
_USER_USAGE = (
    f"SELECT user_id, {_PAID} AS paid, count(*) AS count,"  # noqa: S608 - see above
    f" count(*) FILTER (WHERE {_STATE} = $3) AS made"
    " FROM tasks WHERE queued_at >= $1 AND queued_at < $2 GROUP BY 1, 2"
)
_NAME = "SELECT user_name FROM tasks WHERE user_id = $1 AND user_name <> '' ORDER BY created_at DESC LIMIT 1"
_PROVIDER_LOADS = (
    # One under a lease is about to take a slot, and takes one.
    "WITH loads AS (SELECT provider, TRUE AS taken, FALSE AS waiting, NULL::timestamptz AS since FROM tasks"
    " WHERE slot_until IS NOT NULL AND slot_until > $1"
    " UNION ALL SELECT provider, leased, NOT leased, queued_at FROM (SELECT provider, queued_at,"
    " due_before_lease IS NOT NULL AND due_at > $1 AS leased FROM tasks WHERE waits_for_slot) AS waiting)"
    " SELECT provider, count(*) FILTER (WHERE taken) AS taken, count(*) FILTER (WHERE waiting) AS waiting,"
    " min(since) FILTER (WHERE waiting) AS since"
    " FROM loads WHERE taken OR waiting GROUP BY provider ORDER BY provider"
)
_SUBMITS = (
    "SELECT attempts.id AS number, attempts.provider AS called, at, took_s, answer, detail, tasks.*"
    " FROM attempts JOIN tasks ON tasks.id = task_id WHERE call = 'submit' AND at >= $1 AND at < $2"
    " AND (at, attempts.id) > ($3, $4) ORDER BY at, attempts.id LIMIT $5"
)


class PostgresStatistics(Subject):
    """A `bot.store.StatisticsStore`."""

    @reads
    async def task_counts(
        self, connection: Connection, edges: Sequence[datetime], user_id: int | None = None
    ) -> list[TaskCount]:
        counted: dict[tuple[int, str, TaskState, str | None], tuple[int, Decimal]] = {}
        for row in await connection.fetch(_TASK_COUNTS, edges[:-1], edges[1:], user_id):
            key = (row["span"], row["model"], TaskState(row["state"]), row["error_code"])
            count, spent = counted.get(key, (0, NO_MONEY))
            counted[key] = (count + row["count"], spent + _money(row))
        return [
            TaskCount(span=span, model=model, state=state, error_code=code, count=count, spent=spent)
            for (span, model, state, code), (count, spent) in counted.items()
        ]

    @reads
    async def waits(
        self, connection: Connection, edges: Sequence[datetime], user_id: int | None = None
    ) -> list[Wait]:
        rows = await connection.fetch(_WAITS, edges[:-1], edges[1:], user_id, TaskState.SUCCEEDED.value)
        return [Wait(**dict(row)) for row in rows]

    @reads
    async def user_usage(
        self, connection: Connection, since: datetime, until: datetime, limit: int
    ) -> list[UserUsage]:
        found: dict[int, tuple[int, int, Decimal]] = {}
        for row in await connection.fetch(_USER_USAGE, since, until, TaskState.SUCCEEDED.value):
            count, made, spent = found.get(row["user_id"], (0, 0, NO_MONEY))
            found[row["user_id"]] = (count + row["count"], made + row["made"], spent + _money(row))
        first = sorted(found.items(), key=lambda item: (-item[1][2], -item[1][0], item[0]))[:limit]
        return [
            UserUsage(
                user_id=user_id, name=await _name(connection, user_id), count=count, made=made, spent=spent
            )
            for user_id, (count, made, spent) in first
        ]

    @reads
    async def people_named(self, connection: Connection, text: str) -> dict[int, str]:
        rows = await connection.fetch("SELECT DISTINCT user_id, user_name FROM tasks WHERE user_name != ''")
        return matching_names(((row["user_id"], row["user_name"]) for row in rows), text)

    @reads
    async def groups(self, connection: Connection, limit: int) -> list[int]:
        return [row["chat_id"] for row in await connection.fetch(_GROUPS, limit)]

    @reads
    async def submits(
        self,
        connection: Connection,
        since: datetime,
        until: datetime,
        limit: int,
        after: Submit | None = None,
    ) -> list[Submit]:
        last = (since, 0) if after is None else (after.at, after.place)
        return [
            Submit(
                place=row["number"],
                task=task_of(row),
                provider=row["called"],
                at=row["at"],
                took_s=row["took_s"],
                answer=row["answer"],
                detail=row["detail"],
            )
            for row in await connection.fetch(_SUBMITS, since, until, *last, limit)
        ]

    @reads
    async def provider_loads(self, connection: Connection, now: datetime) -> list[ProviderLoad]:
        return [
            ProviderLoad(
                provider=row["provider"],
                taken=row["taken"],
                waiting=row["waiting"],
                waiting_since=row["since"],
            )
            for row in await connection.fetch(_PROVIDER_LOADS, now)
        ]

    @reads
    async def queued(self, connection: Connection, limit: int) -> list[Task]:
        rows = await connection.fetch(
            "SELECT * FROM tasks WHERE waits_for_slot ORDER BY provider, queue_tag, chat_queue_tag, place"
            " LIMIT $1",
            limit,
        )
        return [task_of(row) for row in rows]

    @reads
    async def count_queued(self, connection: Connection) -> int:
        count: int = await connection.fetchval("SELECT count(*) FROM tasks WHERE waits_for_slot")
        return count

    @reads
    async def in_slots(self, connection: Connection, now: datetime, limit: int) -> list[Task]:
        rows = await connection.fetch(
            "SELECT * FROM tasks WHERE slot_until IS NOT NULL AND slot_until > $1 ORDER BY id LIMIT $2",
            now,
            limit,
        )
        return [task_of(row) for row in rows]

    @reads
    async def undelivered(self, connection: Connection, limit: int) -> list[Task]:
        rows = await connection.fetch(
            "SELECT * FROM tasks WHERE is_active AND finished_at IS NOT NULL ORDER BY finished_at, id"
            " LIMIT $1",
            limit,
        )
        return [task_of(row) for row in rows]


def _money(row: Row) -> Decimal:
    """Return the sum of rows grouped by price: decimals are multiplied here, exactly."""
    return NO_MONEY if row["paid"] is None else Decimal(row["paid"]) * int(row["count"])


async def _name(connection: Connection, user_id: int) -> str:
    return await connection.fetchval(_NAME, user_id) or ""
