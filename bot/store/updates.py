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
    """The chat it belongs to, or the person where there is none: updates of one chat are handled in order."""
    body: str
    """JSON."""
    attempts: int = 0


class UpdateStore(Protocol):
    async def add_updates(self, updates: Sequence[StoredUpdate]) -> None:
        """Store them durably; those already there are left alone."""

    async def claim_updates(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        """The oldest open update of each chat, where it is due and under no lease."""

    async def finish_update(self, update_id: int) -> None:
        """Handled: its body is forgotten, its id is kept against a second delivery."""

    async def fail_update(self, update_id: int, retry_at: datetime | None) -> None:
        """Handling went wrong: one attempt more, due at `retry_at`; None parks it, and the chat goes on."""

    async def count_updates(self) -> int:
        """Those that are open: not handled, and not parked."""

    async def next_update_due(self, now: datetime) -> datetime | None: ...

    async def prune_updates(self, before: datetime) -> int:
        """Forget handled updates received before; how many. Telegram repeats none older than a day."""
