"""One person or group: permission, limits, recent requests, and their cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.admin.permissions import FIGURES
from bot.store import TaskFilter
from bot.store.audit import SET
from bot.store.statistics import NO_MONEY, day_edges, outcome_of
from bot.web.admin.context import AdminContext
from bot.web.admin.offered_actions import ActionButton, offers_for_admin, offers_for_subject

_DAYS = 30
_TASKS = 20
_CHANGES = 20


async def subject_page(
    sources: AdminContext, subject: int, by: int, *, wrong: str = "", tried: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Draw the page for the admin `by`. `subject`: a person's id, or a group's (negative) id. `wrong`: why
    the limits that were `tried` do not work."""
    store, is_person = sources.store, subject > 0
    whose, where = (subject, None) if is_person else (None, subject)
    which = TaskFilter(is_ordered=True, user_id=whose, chat_id=where)
    tasks = await store.tasks.list_tasks(which, _TASKS)
    permission = await sources.permissions.of(subject)
    changes = await store.audit.entries(_CHANGES, target=str(subject), action=SET)
    limits = {figure: getattr(permission, figure) for figure in FIGURES}
    shown = {figure: "" if most is None else str(most) for figure, most in limits.items()}
    name = next((task.user_name for task in tasks if task.user_name), "") if is_person else ""
    known = (await sources.names.of([subject]))[subject]
    groups = {task.card.chat_id for task in tasks if task.card.chat_id < 0}
    since = day_edges(sources.clock(), sources.zone, _DAYS)[0]
    decided_by = {permission.decided_by} if permission.decided_by else set()
    return {
        "subjects": {change.by for change in changes} | decided_by | groups,
        "wrong": wrong,
        "limits": shown | dict(tried or {}),
        "since": f"{since:%Y-%m-%d}",
        "subject": subject,
        "is_person": is_person,
        "name": name or ("" if known == str(subject) else known),
        "is_admin": is_person and await sources.is_admin(subject),
        "permission": permission,
        "actions": await subject_offers(sources, subject, by),
        "days": _DAYS,
        "figures": await _figures(sources, subject) if is_person else None,
        "tasks": tasks,
        "count": await store.tasks.count_tasks(which),
        "changes": changes,
    }


async def subject_offers(sources: AdminContext, subject: int, by: int) -> list[ActionButton]:
    if not await sources.is_admin(subject):
        return offers_for_subject(await sources.permissions.of(subject))
    is_claimed = subject not in sources.configured_admins
    return offers_for_admin(is_claimed=is_claimed, is_self=subject == by)


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
