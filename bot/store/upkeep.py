"""What a store keeps for the bot itself: learned durations, copies, visits, signs of life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

BOT_MARK = "bot "
"""The key of the mark that says whose database it is, before the bot's id. It is never pruned."""


class DurationStore(Protocol):
    """What was learned of how long jobs take: texts by key, which stores do not read."""

    async def durations(self) -> dict[str, str]:
        """Every row."""

    async def learn(self, keys: Sequence[str], change: Callable[[str, str | None], str]) -> dict[str, str]:
        """Write `change(key, text)` for each key, `text` being what is stored, None where nothing is; what
        was written. One transaction: what another process has learned meanwhile is not lost.

        `change` may be called again and anywhere, so it must be pure.
        """


class KeepingStore(Protocol):
    """What is done at night: old rows forgotten, a copy made, and what was told not told twice."""

    async def prune_tasks(self, before: datetime, limit: int) -> list[str]:
        """Forget tasks that were closed before, with the calls made for them; the ids of up to `limit`.

        The oldest go first. Those that may still occupy a slot, and all that is not closed, are left alone.
        """

    async def prune_rest(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` each of parked updates, recipes, notices and marks from before; how many."""

    async def back_up(self, target: Path) -> bool:
        """Write all that is stored into a new file at `target`, checked and durable before it has that name.

        Others read and write meanwhile. False, and no file, where the database has tools of its own for this.
        """

    async def mark(self, key: str, now: datetime) -> bool:
        """Set a mark; True for the one caller who did, False where it stands already."""

    async def unmark(self, key: str) -> datetime | None:
        """Take it away; for the one caller who did, since when it stood."""

    async def claim_for_bot(self, bot_id: int) -> int:
        """Note whose database this is, unless that stands there; the id of the bot that it belongs to."""

    def write_fault(self) -> str:
        """Why nothing can be written at present, as the second half of a sentence; empty while it can."""

    async def broken(self) -> str:
        """Waits until the database can surely not be used any more; why, as the second half of a sentence."""


class VisitStore(Protocol):
    async def visited(self) -> None:
        """Waits until another program may have changed something: since the store was opened, or since this
        returned last. One caller at a time."""


class HeartbeatStore(Protocol):
    async def beat(self, now: datetime) -> datetime | None:
        """Note that the bot is alive; when that was noted before."""
