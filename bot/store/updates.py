"""Updates as Telegram sent them, and the contract of a store that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One update as Telegram sent it."""

    update_id: int
    chat_id: int
    """The chat it belongs to, or the person if it is a press: one update of a chat is handled at a time."""
    body: str
    """JSON."""
    attempts: int = 0
    user_id: int = 0
    """The person, or 0 if none is named: updates of one person in a chat are handled in order."""
    was_cut_short: bool = False
    """The process that handled it last ended meanwhile, not by a stop."""
    deaths: int = 0
    """How many processes ended that way."""


class UpdateStore(Protocol):
    async def add(self, updates: Sequence[StoredUpdate]) -> None:
        """Store them durably; those already there are left alone."""

    async def claim(
        self, now: datetime, lease_s: float, limit: int, *, oldest_first: bool = True
    ) -> list[StoredUpdate]:
        """Lease and return the next update of each chat in which none is under a lease.

        If there are more than `limit`, those come first that are the oldest, or those of the chats in which
        the fewest wait.

        That is the oldest one that is due, of those that are the oldest open one of their person: one that
        waits for its next attempt holds back its own person alone. One that was under a lease when its
        process died has had an attempt by that; of those one is handled at a time, the one with the fewest
        deaths, so that the one that ends the process does not take the others' attempts.
        """

    async def finish(self, update_id: int) -> None:
        """Delete the body of a handled update; its id is kept against a second delivery."""

    async def fail(self, update_id: int, retry_at: datetime | None) -> None:
        """Count a failed attempt; it is due again at `retry_at`. None parks it, and its person's next one
        comes."""

    async def count(self) -> int:
        """Count those that are open: not handled, and not parked."""

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when `claim` finds one at the earliest; None if there is none."""

    async def prune(self, before: datetime) -> int:
        """Delete handled updates received before; return how many. Telegram repeats none older than a day."""
