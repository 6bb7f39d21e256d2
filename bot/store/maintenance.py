"""What maintenance needs of a store: old rows deleted, backups, flags, signs of life."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

BOT_FLAG = "bot "
"""The key of the flag that says whose database it is, before the bot's id. It is never pruned."""
KEY_FLAG = "secret key "
"""The same for the mark of the secret key."""


class MaintenanceStore(Protocol):
    async def prune_tasks(self, before: datetime, limit: int) -> list[str]:
        """Delete tasks that were closed before, with the calls made for them; return the ids of up to
        `limit`.

        The oldest go first. Tasks that may still occupy a slot, and all that are not closed, are left alone.
        """

    async def prune_rest(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` each of parked updates, recipes, notices and flags from before; return how
        many."""

    async def back_up(self, target: Path) -> bool:
        """Write all that is stored into a new file at `target`, checked and durable before it has that name.

        Others read and write meanwhile. Return False, and write no file, if the database has tools of its own
        for this.
        """

    async def set_flag(self, key: str, now: datetime) -> bool:
        """Set a flag; return True to the one caller who did, False if it is set already."""

    async def clear_flag(self, key: str) -> datetime | None:
        """Clear a flag; return to the one caller who did since when it was set."""

    async def claim_for_bot(self, bot_id: int) -> int:
        """Store whose database this is, unless that is stored already; return the id of the bot that it
        belongs to."""

    async def put_key_mark(self, mark: str) -> str | None:
        """Store the mark of the secret key of the process that starts; return the one before."""

    def write_outage(self) -> str:
        """Return why nothing can be written at present, as the second half of a sentence; empty if it can."""

    async def record_heartbeat(self, now: datetime) -> datetime | None:
        """Store that the bot is alive; return when that was stored before."""

    async def wait_for_external_change(self) -> None:
        """Wait until another program may have changed something: since the store was opened, or since this
        returned last. One caller at a time."""

    async def wait_for_fatal_error(self) -> str:
        """Wait until the database can surely not be used any more; return why, as the second half of a
        sentence."""
