"""Statistics, counted on the reader's connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from bot.store.statistics import (
    NO_MONEY,
    ProviderLoad,
    Submit,
    TaskCount,
    UserUsage,
    Wait,
    matching_names,
)
from bot.stores.sqlite.connection.database import Subject, reads_apart
from bot.stores.sqlite.rows import task_of, to_text, to_time
from bot.task import Task, TaskState

# All that is put into these texts are texts of ours.
_SPANS = (
    "WITH spans AS (SELECT key AS span, json_extract(value, '$[0]') AS since,"
    " json_extract(value, '$[1]') AS until FROM json_each(:spans))"
)
_QUEUED = (
    " FROM spans CROSS JOIN tasks ON queued_at >= since AND queued_at < until"
    " WHERE (:user_id IS NULL OR user_id = :user_id)"
)
_STATE = "CASE WHEN detached = 1 AND cancelled_at IS NOT NULL THEN 'cancelled' ELSE state END"
"""As `Task.is_cancelled` says: what somebody cancelled counts as that, whatever its provider made of it."""
_PAID = "CASE WHEN counts_toward_quota = 1 AND submitted_at IS NOT NULL THEN price END"
_TASK_COUNTS = (
    f"{_SPANS} SELECT span, json_extract(request, '$.model') AS model, {_STATE} AS state, error_code,"
    f" {_PAID} AS paid,"
    f" count(*) AS count{_QUEUED} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4"
)
# The smallest that so many are not above, as PostgreSQL's percentile_disc.
_WAITS = (
    f"{_SPANS}, waits AS (SELECT span,"  # noqa: S608 - see above
    " (julianday(finished_at) - julianday(queued_at)) * 86400 AS wait_s"
    f"{_QUEUED} AND {_STATE} = :made AND finished_at IS NOT NULL),"
    " ranked AS (SELECT span, wait_s, row_number() OVER (PARTITION BY span ORDER BY wait_s) AS place,"
    " count(*) OVER (PARTITION BY span) AS count FROM waits)"
    " SELECT span, count, min(wait_s) FILTER (WHERE place * 100 >= count * 50) AS p50_s,"
    " min(wait_s) FILTER (WHERE place * 100 >= count * 90) AS p90_s FROM ranked GROUP BY span ORDER BY span"
)
_GROUPS = (
    "SELECT chat_id FROM tasks WHERE chat_id < 0 GROUP BY chat_id ORDER BY max(created_at) DESC LIMIT :limit"
)
_USER_USAGE = (
    f"SELECT user_id, {_PAID} AS paid, count(*) AS count, sum({_STATE} = :made) AS made"  # noqa: S608 - see above
    " FROM tasks WHERE queued_at >= :since AND queued_at < :until GROUP BY 1, 2"
)
_NAME = "SELECT user_name FROM tasks WHERE user_id = ? AND user_name != '' ORDER BY created_at DESC LIMIT 1"
_PROVIDER_LOADS = (
    # One under a lease is about to take a slot, and takes one.
    "WITH loads AS (SELECT provider, 1 AS taken, 0 AS waiting, NULL AS since FROM tasks"
    " WHERE slot_until IS NOT NULL AND slot_until > :now"
    " UNION ALL SELECT provider, leased, NOT leased, queued_at FROM (SELECT provider, queued_at,"
    " due_before_lease IS NOT NULL AND due_at > :now AS leased FROM tasks WHERE waits_for_slot = 1))"
    " SELECT provider, sum(taken) AS taken, sum(waiting) AS waiting,"
    " min(since) FILTER (WHERE waiting) AS since"
    " FROM loads GROUP BY provider HAVING sum(taken) + sum(waiting) > 0 ORDER BY provider"
)
_SUBMITS = (
    "SELECT attempts.id AS place, attempts.provider AS called, at, took_s, answer, detail, tasks.*"
    " FROM attempts JOIN tasks ON tasks.id = task_id"
    " WHERE call = 'submit' AND at >= :since AND at < :until"
    " AND (at, attempts.id) > (:after, :place)"
    " ORDER BY at, attempts.id LIMIT :limit"
)


class SQLiteStatistics(Subject):
    """A `bot.store.StatisticsStore`."""

    @reads_apart
    def task_counts(
        self, connection: sqlite3.Connection, edges: Sequence[datetime], user_id: int | None = None
    ) -> list[TaskCount]:
        counted: dict[tuple[int, str, TaskState, str | None], tuple[int, Decimal]] = {}
        for row in connection.execute(_TASK_COUNTS, _spans(edges) | {"user_id": user_id}):
            key = (row["span"], row["model"], TaskState(row["state"]), row["error_code"])
            count, spent = counted.get(key, (0, NO_MONEY))
            counted[key] = (count + row["count"], spent + _money(row))
        return [
            TaskCount(span=span, model=model, state=state, error_code=code, count=count, spent=spent)
            for (span, model, state, code), (count, spent) in counted.items()
        ]

    @reads_apart
    def waits(
        self, connection: sqlite3.Connection, edges: Sequence[datetime], user_id: int | None = None
    ) -> list[Wait]:
        rows = connection.execute(
            _WAITS, _spans(edges) | {"user_id": user_id, "made": TaskState.SUCCEEDED.value}
        )
        return [Wait(**dict(row)) for row in rows]

    @reads_apart
    def user_usage(
        self, connection: sqlite3.Connection, since: datetime, until: datetime, limit: int
    ) -> list[UserUsage]:
        found: dict[int, tuple[int, int, Decimal]] = {}
        values = {"since": to_text(since), "until": to_text(until), "made": TaskState.SUCCEEDED.value}
        for row in connection.execute(_USER_USAGE, values):
            count, made, spent = found.get(row["user_id"], (0, 0, NO_MONEY))
            found[row["user_id"]] = (count + row["count"], made + row["made"], spent + _money(row))
        first = sorted(found.items(), key=lambda item: (-item[1][2], -item[1][0], item[0]))[:limit]
        return [
            UserUsage(user_id=user_id, name=_name(connection, user_id), count=count, made=made, spent=spent)
            for user_id, (count, made, spent) in first
        ]

    @reads_apart
    def people_named(self, connection: sqlite3.Connection, text: str) -> dict[int, str]:
        rows = connection.execute("SELECT DISTINCT user_id, user_name FROM tasks WHERE user_name != ''")
        return matching_names(((row[0], row[1]) for row in rows), text)

    @reads_apart
    def groups(self, connection: sqlite3.Connection, limit: int) -> list[int]:
        return [row[0] for row in connection.execute(_GROUPS, {"limit": limit})]

    @reads_apart
    def submits(
        self,
        connection: sqlite3.Connection,
        since: datetime,
        until: datetime,
        limit: int,
        after: Submit | None = None,
    ) -> list[Submit]:
        rows = connection.execute(
            _SUBMITS,
            {
                "since": to_text(since),
                "until": to_text(until),
                "limit": limit,
                "after": to_text(after.at) if after else "",
                "place": after.place if after else 0,
            },
        )
        return [
            Submit(
                place=row["place"],
                task=task_of(row),
                provider=row["called"],
                at=datetime.fromisoformat(row["at"]),
                took_s=row["took_s"],
                answer=row["answer"],
                detail=row["detail"],
            )
            for row in rows
        ]

    @reads_apart
    def provider_loads(self, connection: sqlite3.Connection, now: datetime) -> list[ProviderLoad]:
        return [
            ProviderLoad(
                provider=row["provider"],
                taken=row["taken"],
                waiting=row["waiting"],
                waiting_since=to_time(row["since"]),
            )
            for row in connection.execute(_PROVIDER_LOADS, {"now": to_text(now)})
        ]

    @reads_apart
    def queued(self, connection: sqlite3.Connection, limit: int) -> list[Task]:
        rows = connection.execute(
            "SELECT * FROM tasks WHERE waits_for_slot = 1 ORDER BY provider, queue_tag, chat_queue_tag, rowid"
            " LIMIT ?",
            [limit],
        )
        return [task_of(row) for row in rows]

    @reads_apart
    def count_queued(self, connection: sqlite3.Connection) -> int:
        count: int = connection.execute("SELECT count(*) FROM tasks WHERE waits_for_slot = 1").fetchone()[0]
        return count

    @reads_apart
    def in_slots(self, connection: sqlite3.Connection, now: datetime, limit: int) -> list[Task]:
        rows = connection.execute(
            "SELECT * FROM tasks WHERE slot_until IS NOT NULL AND slot_until > ? ORDER BY id LIMIT ?",
            [to_text(now), limit],
        )
        return [task_of(row) for row in rows]

    @reads_apart
    def undelivered(self, connection: sqlite3.Connection, limit: int) -> list[Task]:
        rows = connection.execute(
            "SELECT * FROM tasks WHERE is_active = 1 AND finished_at IS NOT NULL ORDER BY finished_at, id"
            " LIMIT ?",
            [limit],
        )
        return [task_of(row) for row in rows]


def _spans(edges: Sequence[datetime]) -> dict[str, Any]:
    return {"spans": json.dumps([(to_text(since), to_text(until)) for since, until in pairwise(edges)])}


def _money(row: sqlite3.Row) -> Decimal:
    """Return the sum of rows grouped by price: decimals are multiplied here, exactly."""
    return NO_MONEY if row["paid"] is None else Decimal(row["paid"]) * int(row["count"])


def _name(connection: sqlite3.Connection, user_id: int) -> str:
    row = connection.execute(_NAME, [user_id]).fetchone()
    return "" if row is None else str(row["user_name"])
