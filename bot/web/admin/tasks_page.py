"""All tasks, page by page, filtered by state, provider, model, person, chat, reason, time or id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from bot.integers import read_integer
from bot.store import TaskFilter
from bot.task import TaskState
from bot.web.admin.context import AdminContext

_PAGE: Final = 50
_GROUPS: Final = 90
"""Telegram is asked for the names of so many at most, those that asked last."""
_FIELDS: Final = ("state", "provider", "model", "person", "chat", "reason", "since", "until", "id")
_ASKING: Final = "asking"
"""Drafts, and what became of those that were never ordered."""
STATES: Final[Mapping[str, frozenset[TaskState]]] = {
    "waiting": frozenset({TaskState.QUEUED}),
    "making": frozenset({TaskState.SUBMITTING, TaskState.RUNNING}),
    "made": frozenset({TaskState.SUCCEEDED}),
    "failed": frozenset({TaskState.FAILED}),
    "cancelled": frozenset({TaskState.CANCELLED}),
    "on the way": frozenset({TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING}),
    _ASKING: frozenset(),
}


async def tasks_page(sources: AdminContext, query: Mapping[str, str]) -> dict[str, Any]:
    store = sources.store
    chosen = {name: query.get(name, "").strip() for name in _FIELDS}
    people, groups = await _people(sources, chosen["person"]), await _groups(sources, chosen["chat"])
    since, until, wrong = _window(sources, chosen["since"], chosen["until"])
    which = TaskFilter(
        states=STATES.get(chosen["state"], frozenset()),
        provider=chosen["provider"] or None,
        model=chosen["model"] or None,
        user_ids=frozenset(people) if chosen["person"] else None,
        chat_ids=frozenset(groups) if chosen["chat"] else None,
        error_code=chosen["reason"] or None,
        queued_since=since,
        queued_before=until,
        is_ordered=chosen["state"] != _ASKING,
        id_prefix=chosen["id"],
    )
    after = query.get("after", "")
    last = await store.tasks.get(after) if after else None
    found = await store.tasks.list_tasks(which, _PAGE + 1, last)
    shown = found[:_PAGE]
    kept = {name: value for name, value in chosen.items() if value}
    older = urlencode(kept | {"after": shown[-1].id}) if len(found) > _PAGE else ""
    drafts = replace(which, states=frozenset(), is_ordered=False)
    is_folded = not chosen["state"] and since is None and until is None
    return {
        "tasks": shown,
        "subjects": {task.card.chat_id for task in shown if task.card.chat_id < 0},
        "count": await store.tasks.count_tasks(which),
        "drafts": await store.tasks.count_tasks(drafts) if is_folded else 0,
        "drafts_query": urlencode(kept | {"state": _ASKING}),
        "people": {} if read_integer(chosen["person"]) is not None else people,
        "groups": {} if read_integer(chosen["chat"]) is not None else groups,
        "chosen": chosen,
        "wrong": wrong,
        "states": list(STATES),
        "providers": sorted({model.provider for model in sources.models.values()}),
        "models": sorted(sources.models),
        "older": older,
        "newest": urlencode(kept) if last else None,
    }


async def _people(sources: AdminContext, text: str) -> dict[int, str]:
    """Return the person with this id, or those with such a name; what is nobody finds nobody."""
    if not text:
        return {}
    number = read_integer(text)
    return await sources.store.statistics.people_named(text) if number is None else {number: text}


async def _groups(sources: AdminContext, text: str) -> dict[int, str]:
    """Return the chat with this id, or the groups with such a name; what is none finds nothing."""
    if not text:
        return {}
    if (number := read_integer(text)) is not None:
        return {number: text}
    return await sources.names.groups_named(await sources.store.statistics.groups(_GROUPS), text)


def _window(sources: AdminContext, since: str, until: str) -> tuple[datetime | None, datetime | None, str]:
    """Return the edges of the days from `since` to `until`, and what is wrong with them."""
    try:
        first = date.fromisoformat(since) if since else None
        last = date.fromisoformat(until) + timedelta(days=1) if until else None
    except (ValueError, OverflowError):
        return None, None, "A day is written as 2026-11-30."
    midnights = [
        None if day is None else datetime.combine(day, time(), sources.zone) for day in (first, last)
    ]
    return midnights[0], midnights[1], ""
