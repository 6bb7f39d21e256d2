"""The audit log: who changed what, paused what, and did what with which task; newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.audit import SET, THE_BOT, THE_DISK, THE_MACHINE, AuditEntry
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
    entries = await sources.store.audit.entries(_MOST)
    about = {entry.subject for entry in entries if entry.action in (SET, "remove_admin")}
    names = await sources.names.of({entry.by for entry in entries} | about)
    return {"entries": [_shown(entry, names) for entry in entries], "names": names}


def _shown(entry: AuditEntry, names: Mapping[int, str]) -> Entry:
    what = "everything" if entry.target == EVERYTHING else entry.target
    match entry.action:
        case "set":
            return _setting(entry, names)
        case "remove_admin":
            page = f"/admin/people/{entry.subject}"
            return Entry(entry.at, entry.by, did(entry), names.get(entry.subject, entry.target), page)
        case "pause" if entry.by == THE_DISK:
            return Entry(entry.at, THE_MACHINE, f"paused {what}: its disk takes no videos")
        case "pause":
            return Entry(entry.at, entry.by, f"paused {what}")
        case "resume":
            return Entry(entry.at, entry.by, f"went on with {what}")
        case _:
            return Entry(entry.at, entry.by, did(entry), entry.target[:8], f"/admin/tasks/{entry.target}")


def _setting(entry: AuditEntry, names: Mapping[int, str]) -> Entry:
    if entry.subject == THE_BOT:
        is_set = entry.value is not None
        words = f"set {entry.name} to {entry.value}" if is_set else f"took back {entry.name}"
        return Entry(entry.at, entry.by, words)
    value = entry.value or "as the settings say"
    page = f"/admin/people/{entry.subject}"
    return Entry(
        entry.at,
        entry.by,
        value if entry.name == "role" and entry.value else f"{entry.name.replace('_', ' ')}: {value}",
        names.get(entry.subject, entry.target),
        page,
    )
