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
    """The chat it belongs to, or the person where there is none. Of a chat one update is handled at once."""
    body: str
    """JSON."""
    attempts: int = 0
    user_id: int = 0
    """Whose it is, 0 where nobody is named: updates of one person in a chat are handled in order."""
    was_cut_short: bool = False
    """The process that handled it last ended meanwhile, not by a stop."""


class UpdateStore(Protocol):
    async def add_updates(self, updates: Sequence[StoredUpdate]) -> None:
        """Store them durably; those already there are left alone."""

    async def claim_updates(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        """The next update of each chat in which none is under a lease.

        That is the oldest one that is due, of those that are the oldest open one of their person: one that
        waits for its next try holds back its own person alone. One that was under a lease when its process
        died has had an attempt by that.
        """

    async def finish_update(self, update_id: int) -> None:
        """Handled: its body is forgotten, its id is kept against a second delivery."""

    async def fail_update(self, update_id: int, retry_at: datetime | None) -> None:
        """Handling went wrong: one attempt more, due at `retry_at`; None parks it, and its person's next one
        comes."""

    async def count_updates(self) -> int:
        """Those that are open: not handled, and not parked."""

    async def next_update_due(self, now: datetime) -> datetime | None:
        """When `claim_updates` finds one at the earliest; None when there is none."""

    async def prune_updates(self, before: datetime) -> int:
        """Forget handled updates received before; how many. Telegram repeats none older than a day."""
