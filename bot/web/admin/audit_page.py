"""The audit log: who changed what, paused what, and did what with which task; newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.acts import Act
from bot.store.buying import EVERYTHING, PausePast
from bot.store.changes import THE_BOT, Change
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
    store = sources.store
    entries = [_of_change(change) for change in await store.audit.changes(_MOST)]
    entries += [_of_act(act) for act in await store.audit.acts(_MOST)]
    for past in await store.budget.past_pauses(_MOST):
        entries += _of_pause(past)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return {"entries": entries[:_MOST]}


def _of_change(change: Change) -> Entry:
    if change.subject == THE_BOT:
        words = (
            f"set {change.name} to {change.value}" if change.value is not None else f"took back {change.name}"
        )
        return Entry(change.at, change.by, words)
    value = change.value or "as the settings say"
    page = f"/admin/people/{change.subject}"
    return Entry(change.at, change.by, f"{change.name.replace('_', ' ')}: {value}", str(change.subject), page)


def _of_act(act: Act) -> Entry:
    return Entry(act.at, act.by, did(act), act.target[:8], f"/admin/tasks/{act.target}")


def _of_pause(past: PausePast) -> list[Entry]:
    pause = past.pause
    what = "everything" if pause.model == EVERYTHING else pause.model
    entries = [Entry(pause.at, pause.by, f"paused {what}")]
    if past.ended_at is not None:
        entries.append(Entry(past.ended_at, past.ended_by or THE_BOT, f"went on with {what}"))
    return entries
