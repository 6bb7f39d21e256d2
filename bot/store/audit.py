"""The audit log: what admins did and decided, and the contract of the store that keeps it.

Entries are only ever added. The settings in force are the newest `set` entry of each name about each subject,
so what is in force and who decided it can never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

THE_BOT = 0
"""The subject of a setting that concerns everybody."""
THE_DISK = -1
"""Who paused, if the bot did because its disk takes no videos."""
THE_MACHINE = 0
"""Who acted, if that was somebody at the bot's own machine."""
SET, PAUSE, RESUME = "set", "pause", "resume"
"""Actions that change what is in force. All others are what was done with a single task, such as `cancel`."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that an admin, or the bot for them, did or decided."""

    action: str
    target: str
    """The id of a task, the id of a person or chat (or THE_BOT), or the name of a model (or EVERYTHING)."""
    by: int
    """A person's id, THE_MACHINE, or for a pause THE_BOT or THE_DISK."""
    at: datetime
    name: str = ""
    """Of `set`: a setting in capitals (`bot.admin.live_settings`), or a limit or admission of a person or
    chat (`bot.admin.permissions`)."""
    value: str | None = None
    """Of `set`: as people type it; None removes it. Of `resume`: the id of the admin who had paused."""

    @property
    def subject(self) -> int:
        """Of `set`: the id of the person or chat, or THE_BOT."""
        return int(self.target)


def setting(subject: int, name: str, value: str | None, by: int, at: datetime) -> AuditEntry:
    """Return the entry that sets `name` for a person, a chat or THE_BOT."""
    return AuditEntry(SET, str(subject), by, at, name, value)


class AuditStore(Protocol):
    async def add(self, entry: AuditEntry) -> None:
        """Append it. A `set` is in force from here on; `pause` and `resume` are written by `BudgetStore`."""

    async def entries(
        self, limit: int, *, target: str | None = None, action: str | None = None
    ) -> list[AuditEntry]:
        """Return the newest entries, newest first: all, or those about one target or of one action."""

    async def in_force(self, *subjects: int) -> list[AuditEntry]:
        """Return the newest `set` of each name about each of these, oldest first; without those that took one
        back."""

    async def in_force_by_name(self, name: str) -> list[AuditEntry]:
        """Return the newest `set` of this name about every subject that has one in force, newest first."""
