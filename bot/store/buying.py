"""Buying: what was spent, and what holds it back: a pause by an admin, or the brake that the bot puts on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bot.task import Task

EVERYTHING = ""
"""In place of a model: nothing at all is begun."""
THE_BOT = 0
"""Nobody's id: it put the brake on by itself."""
ASIDE_S = 60.0
"""Longer than an order takes, with its card to post: after that only a dead process has set money aside."""


@dataclass(frozen=True, slots=True)
class Pause:
    model: str
    """Or `EVERYTHING`."""
    by: int
    at: datetime

    @property
    def mark(self) -> str:
        """Which pause of its model it is: thirteen digits, for a button."""
        return str(round(self.at.timestamp() * 1000))

    @property
    def is_brake(self) -> bool:
        """Too much was bought within an hour, and an admin is asked."""
        return self.by == THE_BOT


@dataclass(frozen=True, slots=True)
class PausePast:
    """A line of the record: who paused what, and who ended it, where it has ended."""

    pause: Pause
    ended_by: int | None = None
    ended_at: datetime | None = None


class BuyingStore(Protocol):
    async def buy(
        self, task: Task, since: datetime, most: int | None, uncounted: Collection[str]
    ) -> Task | Pause:
        """Save the intent to buy, as `TaskStore.save(leased=True)` does; or what stands against it, and the
        row is as it was.

        That is a pause of everything or of the task's model. Or else, unless its provider is in `uncounted`,
        that `most` tasks of the others that count (`Task.counts`) have been handed over (`submitted_at`)
        after `since`, or after the last brake was released if that was later: then the brake is put on, at
        the task's `submitted_at`. All in one transaction: however many processes buy, no more than `most`
        are in flight, accepted or of unknown end.
        """

    async def refused_orders(
        self, user_id: int, codes: Collection[str], since: datetime, limit: int
    ) -> list[datetime]:
        """When a person's orders were handed over after `since` that ended with one of these codes and do not
        count, newest first."""

    async def pause(self, pause: Pause) -> bool:
        """False where the same is paused already: that pause stays as it is."""

    async def resume(self, model: str, by: int, at: datetime) -> Pause | None:
        """End the pause of a model, or of `EVERYTHING`; which it was. Then what waits for a slot, and not for
        a pause after a failure (`attempts`), becomes due."""

    async def pauses(self) -> list[Pause]:
        """Those in force, oldest first."""

    async def past_pauses(self, limit: int) -> list[PausePast]:
        """The newest, those in force too; newest first."""

    async def spent_since(self, since: datetime, *, user_id: int | None = None) -> Decimal:
        """The prices of all tasks with `counts` queued at or after `since`, added up without rounding."""

    async def set_aside(
        self, user_id: int, price: Decimal, budget: Decimal, *, since: datetime, now: datetime
    ) -> Decimal:
        """What is left of `budget`: it lacks what was spent since `since` and what others have set aside.
        Where that is enough for `price`, this is set aside for the person, until a task of theirs is queued
        at or after `now`, until `free`, or for `ASIDE_S`. However many processes take orders, no two of them
        share what is left, and none counts twice."""

    async def free(self, user_id: int) -> None:
        """What was set aside for their order is stored by now, or not needed."""
