"""The audit log: who changed what, paused what, and did what with which task; newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.audit import THE_BOT, AuditEntry
from bot.store.budget import EVERYTHING
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import did

_MOST = 200


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    by: int
    """A person's id, or 0: the bot itself, or the command line on its machine."""
    words: str
    about: str = ""
    page: str = ""
    """The page about its subject."""


async def record_page(sources: AdminContext) -> dict[str, Any]:
    return {"entries": [_shown(entry) for entry in await sources.store.audit.entries(_MOST)]}


def _shown(entry: AuditEntry) -> Entry:
    what = "everything" if entry.target == EVERYTHING else entry.target
    match entry.action:
        case "set":
            return _setting(entry)
        case "pause":
            return Entry(entry.at, entry.by, f"paused {what}")
        case "resume":
            return Entry(entry.at, entry.by, f"went on with {what}")
        case _:
            return Entry(entry.at, entry.by, did(entry), entry.target[:8], f"/admin/tasks/{entry.target}")


def _setting(entry: AuditEntry) -> Entry:
    if entry.subject == THE_BOT:
        is_set = entry.value is not None
        words = f"set {entry.name} to {entry.value}" if is_set else f"took back {entry.name}"
        return Entry(entry.at, entry.by, words)
    value = entry.value or "as the settings say"
    page = f"/admin/people/{entry.subject}"
    return Entry(entry.at, entry.by, f"{entry.name.replace('_', ' ')}: {value}", entry.target, page)
