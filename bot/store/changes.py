"""Changes: what admins decide while the bot runs, and the contract of the record that keeps it.

The record is only ever added to. What is in force is the newest change of each name about each subject, so
what counts and who decided it can never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

THE_BOT = 0
"""The subject of what concerns everybody."""
THE_MACHINE = 0
"""Who decided, where that was somebody at the bot's own machine."""


@dataclass(frozen=True, slots=True)
class Change:
    subject: int
    """A person's or a chat's id, or THE_BOT."""
    name: str
    """A setting in capitals (`bot.admin.live_settings`), or a limit or an admission of
    a person or chat (`bot.admin.permissions`)."""
    value: str | None
    """As people type it; None: as if nobody had ever decided it."""
    by: int
    """A person's id, or THE_MACHINE."""
    at: datetime


class ChangeStore(Protocol):
    async def add_change(self, change: Change) -> None:
        """From here on it is in force."""

    async def in_force(self, *subjects: int) -> list[Change]:
        """The newest change of each name about each of these, oldest first; without those that took one
        back."""

    async def changed_subjects(self, name: str) -> list[Change]:
        """The newest change of this name about every subject that has one in force, newest first."""

    async def changes(self, limit: int, subject: int | None = None) -> list[Change]:
        """The record, or what it has about one subject: newest first."""
