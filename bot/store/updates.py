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
    """The chat it belongs to, or the person if there is none: updates of one chat are handled in order."""
    body: str
    """JSON."""
    attempts: int = 0


class UpdateStore(Protocol):
    async def add(self, updates: Sequence[StoredUpdate]) -> None:
        """Store them durably; those already there are left alone."""

    async def claim(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        """Lease and return the oldest open update of each chat, if it is due and under no lease."""

    async def finish(self, update_id: int) -> None:
        """Delete the body of a handled update; its id is kept against a second delivery."""

    async def fail(self, update_id: int, retry_at: datetime | None) -> None:
        """Count a failed attempt; it is due again at `retry_at`. None parks it, and the chat goes on."""

    async def count(self) -> int:
        """Count those that are open: not handled, and not parked."""

    async def next_due(self, now: datetime) -> datetime | None: ...

    async def prune(self, before: datetime) -> int:
        """Delete handled updates received before; return how many. Telegram repeats none older than a day."""
