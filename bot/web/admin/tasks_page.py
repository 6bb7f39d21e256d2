"""All tasks, page by page, filtered by state, provider, person, chat or the beginning of an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from bot.integers import read_integer
from bot.store import TaskFilter
from bot.task import TaskState
from bot.web.admin.context import AdminContext

_PAGE: Final = 50
STATES: Final[Mapping[str, frozenset[TaskState]]] = {
    "waiting": frozenset({TaskState.QUEUED}),
    "making": frozenset({TaskState.SUBMITTING, TaskState.RUNNING}),
    "made": frozenset({TaskState.SUCCEEDED}),
    "failed": frozenset({TaskState.FAILED}),
    "cancelled": frozenset({TaskState.CANCELLED}),
    "asking": frozenset({TaskState.DRAFT}),
}


async def tasks_page(sources: AdminContext, query: Mapping[str, str]) -> dict[str, Any]:
    chosen = {name: query.get(name, "").strip() for name in ("state", "provider", "person", "chat", "id")}
    which = TaskFilter(
        states=STATES.get(chosen["state"], frozenset()),
        provider=chosen["provider"] or None,
        user_id=_number(chosen["person"]),
        chat_id=_number(chosen["chat"]),
        id_prefix=chosen["id"],
    )
    after = query.get("after", "")
    last = await sources.store.tasks.get(after) if after else None
    found = await sources.store.tasks.list_tasks(which, _PAGE + 1, last)
    kept = {name: value for name, value in chosen.items() if value}
    older = urlencode(kept | {"after": found[_PAGE - 1].id}) if len(found) > _PAGE else ""
    return {
        "tasks": found[:_PAGE],
        "count": await sources.store.tasks.count_tasks(which),
        "chosen": chosen,
        "states": list(STATES),
        "providers": sorted({model.provider for model in sources.models.values()}),
        "older": older,
        "newest": urlencode(kept) if last else None,
    }


def _number(text: str) -> int | None:
    """What is not the number of anybody finds nobody."""
    return (read_integer(text) or 0) if text else None
