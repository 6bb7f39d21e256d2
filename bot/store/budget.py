"""The budget: what was spent, and what blocks buying: a pause by an admin, or by the purchase guard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bot.store.audit import THE_BOT, THE_DISK
from bot.task import Task

EVERYTHING = ""
"""In place of a model: nothing at all is bought."""
RESERVED_S = 60.0
"""Longer than an order takes with its card: after that only a dead process can have reserved money."""


@dataclass(frozen=True, slots=True)
class Pause:
    model: str
    """Or `EVERYTHING`."""
    by: int
    """An admin's id, or THE_BOT or THE_DISK: the purchase guard paused by itself."""
    at: datetime

    @property
    def mark(self) -> str:
        """Which pause of its model it is: thirteen digits, for a button."""
        return str(round(self.at.timestamp() * 1000))

    @property
    def is_hourly_limit(self) -> bool:
        """Too much was bought within an hour, and an admin is asked."""
        return self.by == THE_BOT

    @property
    def is_of_disk(self) -> bool:
        """The disk of this machine took no video, and an admin is asked."""
        return self.by == THE_DISK


class BudgetStore(Protocol):
    async def buy(
        self, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
    ) -> Task | Pause:
        """Save the intent to buy, as `TaskStore.save(leased=True)` does; or return what blocks it, and the
        row is as it was.

        That is a pause of everything or of the task's model. Or else, unless its provider is in `uncounted`,
        that `most` tasks of the others that count (`Task.counts_toward_quota`) have been submitted after
        `since`, or after the purchase guard's last pause was ended if that was later: then it pauses
        everything, at the task's `submitted_at`. All in one transaction: however many processes buy, no more
        than `most` are in flight, accepted or of unknown end.
        """

    async def refused_orders(
        self, user_id: int, codes: Collection[str], since: datetime, limit: int
    ) -> list[datetime]:
        """Return when a person's orders were submitted after `since` that ended with one of these codes and
        do not count, newest first."""

    async def pause(self, pause: Pause) -> bool:
        """Pause and log it. Return False if the same is paused already: that pause stays as it is."""

    async def resume(self, model: str, by: int, at: datetime) -> Pause | None:
        """End the pause of a model, or of `EVERYTHING`, log it, and return that pause. Then what waits for a
        slot, and not for a pause after a failure (`attempts`), becomes due."""

    async def pauses(self) -> list[Pause]:
        """Return those in force, oldest first."""

    async def spent_since(self, since: datetime, *, user_id: int | None = None) -> Decimal:
        """Return the sum of the prices of all tasks with `counts_toward_quota` queued at or after `since`,
        without rounding."""

    async def reserve(
        self, user_id: int, price: Decimal, budget: Decimal, *, since: datetime, now: datetime
    ) -> Decimal:
        """Return what is left of `budget`: without what was spent since `since` and what others have
        reserved.

        If that is enough for `price`, this is reserved for the person, until a task of theirs is queued at or
        after `now`, until `cancel_reservation`, or for `RESERVED_S`. However many processes take orders, no
        two of them share what is left, and nothing counts twice."""

    async def cancel_reservation(self, user_id: int) -> None:
        """Release what was reserved for an order: the order is stored, or was not made."""
