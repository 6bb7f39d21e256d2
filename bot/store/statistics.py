"""Statistics: what was asked for, made, waited for and paid. Values, and the contract of a store that counts.

These questions may read a hundred thousand rows: a store answers them beside its other work, never before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from bot.task import Task, TaskState

NO_MONEY = Decimal(0)
Outcome = Literal["made", "failed", "cancelled", "open"]
"""The outcome of a request so far."""


def outcome_of(state: TaskState) -> Outcome:
    match state:
        case TaskState.SUCCEEDED:
            return "made"
        case TaskState.FAILED:
            return "failed"
        case TaskState.CANCELLED:
            return "cancelled"
        case _:
            return "open"


def day_edges(now: datetime, zone: ZoneInfo, days: int) -> list[datetime]:
    """Return the midnights around the last `days` days, today included; the last one is yet to come."""
    today = now.astimezone(zone).date()
    return [datetime.combine(today - timedelta(days=days - 1 - day), time(), zone) for day in range(days + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCount:
    """The number of equal tasks in one span."""

    span: int
    """The index of the span in which they were queued."""
    model: str
    state: TaskState
    """`cancelled` also for tasks that were made although they were cancelled."""
    error_code: str | None
    count: int
    spent: Decimal = NO_MONEY
    """The sum of the prices of those that were submitted and count (`Task.counts_toward_quota`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From the request to the finished video, of those that were queued in one span and made."""

    span: int
    count: int
    p50_s: float
    """Half of them took no longer than this (P50)."""
    p90_s: float
    """Nine of ten took no longer than this (P90)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUsage:
    """What one person asked for."""

    user_id: int
    name: str
    """The name in their newest request that has one."""
    count: int
    made: int
    """How many of them became a video."""
    spent: Decimal = NO_MONEY
    """As in a `TaskCount`."""


def matching_names(rows: Iterable[tuple[int, str]], text: str) -> dict[int, str]:
    """Return the ids and names that have `text` in them. Engines do not agree about letters beyond ASCII."""
    return {subject: name for subject, name in rows if text.casefold() in name.casefold()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """One submit, or a try of one: a row of the bill."""

    place: int
    """The position of its row in the store."""
    task: Task
    """The task as it is now."""
    provider: str
    """The provider of this call."""
    at: datetime
    took_s: float
    answer: str
    """`ok`, or the error code."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLoad:
    """The jobs and waiting tasks of a provider at this moment."""

    provider: str
    taken: int
    """Slots that are occupied, as for a claim."""
    waiting: int
    """Tasks that wait to be submitted: for a slot, or because the provider is down or all is paused."""
    waiting_since: datetime | None
    """When the first of them was queued."""


class StatisticsStore(Protocol):
    """A span `i` goes from `edges[i]` to just before `edges[i + 1]`; edges are in order of time."""

    async def task_counts(self, edges: Sequence[datetime], user_id: int | None = None) -> list[TaskCount]:
        """Return tasks, counted by the span in which they were queued, in order of spans; of one person, or
        of all."""

    async def waits(self, edges: Sequence[datetime], user_id: int | None = None) -> list[Wait]:
        """Return them in order of spans, without those in which nothing was made."""

    async def user_usage(self, since: datetime, until: datetime, limit: int) -> list[UserUsage]:
        """Return those who asked in that time: who spent most first, then who asked most."""

    async def people_named(self, text: str) -> dict[int, str]:
        """Return the people whose name in a task has this in it, in either case: id and name."""

    async def groups(self, limit: int) -> list[int]:
        """Return the ids of the groups that have tasks, those of the newest first."""

    async def submits(
        self, since: datetime, until: datetime, limit: int, after: Submit | None = None
    ) -> list[Submit]:
        """Return every submit in that time, whatever came of it, oldest first; `after`: the last one of the
        page before."""

    async def provider_loads(self, now: datetime) -> list[ProviderLoad]:
        """Return the load of every provider that has a slot taken or a task waiting, by name."""

    async def queued(self, limit: int) -> list[Task]:
        """Return tasks that wait for a slot: by provider, and then in the order in which they are served."""

    async def count_queued(self) -> int:
        """Count all of those."""

    async def in_slots(self, now: datetime, limit: int) -> list[Task]:
        """Return tasks that occupy a slot of their provider, also if nobody waits for them, by id."""

    async def undelivered(self, limit: int) -> list[Task]:
        """Return tasks that have ended and whose chat is not told yet, the oldest end first."""
