"""One person or group: permission, limits, recent requests, and their cost."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.store import TaskFilter
from bot.store.audit import SET
from bot.store.statistics import NO_MONEY, day_edges, outcome_of
from bot.web.admin.context import AdminContext
from bot.web.admin.offered_actions import offers_for_subject

_DAYS = 30
_TASKS = 20
_CHANGES = 20


async def subject_page(sources: AdminContext, subject: int) -> dict[str, Any]:
    """Draw the page. `subject`: a person's id, or a group's (negative) id."""
    store, is_person = sources.store, subject > 0
    which = TaskFilter(user_id=subject) if is_person else TaskFilter(chat_id=subject)
    tasks = await store.tasks.list_tasks(which, _TASKS)
    permission = await sources.permissions.of(subject)
    return {
        "subject": subject,
        "is_person": is_person,
        "name": next((task.user_name for task in tasks if task.user_name), "") if is_person else "",
        "is_admin": is_person and await sources.is_admin(subject),
        "permission": permission,
        "actions": offers_for_subject(permission),
        "days": _DAYS,
        "figures": await _figures(sources, subject) if is_person else None,
        "tasks": tasks,
        "count": await store.tasks.count_tasks(which),
        "changes": await store.audit.entries(_CHANGES, target=str(subject), action=SET),
    }


async def _figures(sources: AdminContext, user_id: int) -> dict[str, Any]:
    edges = day_edges(sources.clock(), sources.zone, _DAYS)
    since, until = edges[0], edges[-1]
    tallies = await sources.store.statistics.task_counts([since, until], user_id)
    waits = await sources.store.statistics.waits([since, until], user_id)
    outcomes: Counter[str] = Counter()
    for tally in tallies:
        outcomes[outcome_of(tally.state)] += tally.count
    spent = sum((tally.spent for tally in tallies), NO_MONEY)
    return {"outcomes": outcomes, "wait": waits[0] if waits else None, "spent": spent}
