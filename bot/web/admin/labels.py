"""Labels of the operator's page: times, money, people, outcomes. In English, like the log. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.request import VideoModel, settle
from bot.store.audit import THE_MACHINE, AuditEntry
from bot.store.statistics import Outcome
from bot.task import Task, TaskState
from bot.text import plain, say_duration, say_money
from bot.web.admin.context import AdminContext

OUTCOMES: Mapping[Outcome, str] = {
    "made": "made",
    "failed": "failed",
    "cancelled": "cancelled",
    "open": "on the way",
}
_STATES = {
    TaskState.DRAFT: "asking",
    TaskState.QUEUED: "waiting",
    TaskState.SUBMITTING: "being handed over",
    TaskState.RUNNING: "being made",
    TaskState.SUCCEEDED: "made",
    TaskState.FAILED: "failed",
    TaskState.CANCELLED: "cancelled",
}


_CODES = {"account": "no balance or not activated", "submit_unknown": "unknown whether taken"}
_ACTIONS = {
    "cancel": "cancelled it",
    "first": "put it first",
    "words": "read the words",
    "attach": "gave it its id",
    "not_made": "said that it was not made",
    "retry": "asked again for it",
    "remove_admin": "took the bot from an admin",
}


def did(entry: AuditEntry) -> str:
    return _ACTIONS.get(entry.action, entry.action)


def state_words(task: Task) -> str:
    if task.has_unknown_outcome:
        return "unknown end"
    if task.is_cancelled:
        before = task.state in (TaskState.QUEUED, TaskState.CANCELLED)
        return "cancelled" if before else f"cancelled, {_STATES[task.state]}"
    if task.state is TaskState.SUCCEEDED and task.delivered_at is None:
        return "made, not shown yet"
    if task.detached and task.delivered_at is None:
        return f"{_STATES[task.state]}, stopped by its person"
    return _STATES[task.state]


def code_words(code: str | None) -> str:
    """Return an error code as words: `prompt_refused` is prompt refused. Some have words of their own."""
    return _CODES.get(code or "", (code or "").replace("_", " "))


def duration(seconds: float) -> str:
    days = round(seconds / 86400)
    return f"{days} days" if days >= 2 else say_duration("en", seconds)


def between(begun: datetime | None, ended: datetime | None) -> str:
    return "" if begun is None or ended is None else duration((ended - begun).total_seconds())


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return (
        "just now"
        if abs(seconds) < 1
        else f"{duration(seconds)} ago"
        if seconds > 0
        else f"in {duration(-seconds)}"
    )


def time_ago(since: datetime, now: datetime) -> str:
    """Return `since 3 min`, or `since just now`."""
    seconds = (now - since).total_seconds()
    return f"since {duration(seconds)}" if seconds >= 1 else "just now"


def day_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time such as `Mon 2 Nov, 14:05:09`."""
    there = moment.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b, %H:%M:%S}"


def money(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else plain(say_money("en", amount, currency))


def charged_price(task: Task, currency: str) -> str:
    """Return what a task was charged, `perhaps …` if nobody knows, or nothing."""
    if not task.counts_toward_quota or task.submitted_at is None:
        return ""
    price = money(task.price, currency)
    return f"perhaps {price}" if price and task.has_unknown_outcome else price


def cost_of(sources: AdminContext, task: Task) -> str:
    """Return what the same would cost now."""
    return money(sources.quote(task.request), sources.currency)


def canceller(task: Task, acts: Sequence[AuditEntry], names: Mapping[int, str]) -> str:
    """Return who cancelled the task, by name if that is known, and what allowed them to."""
    by = task.cancelled_by
    if by == THE_MACHINE:
        return "the command line"
    if by == task.user_id:
        return f"{person(task)}, who asked for it"
    name = task.cancelled_by_name or names.get(by or 0) or str(by)
    is_operator = task.card.chat_id > 0 or any(act.action == "cancel" and act.by == by for act in acts)
    return f"{name}, {'an admin of the bot' if is_operator else 'an admin of the group'}"


def person(task: Task) -> str:
    return task.user_name or str(task.user_id)


def place(task: Task) -> str:
    return "private chat" if task.card.chat_id > 0 else "group"


def facts(task: Task, models: Mapping[str, VideoModel]) -> str:
    """Return `16:9 · 5 s · 720p · one photo`: what is bought, with the model's defaults."""
    request, model = task.request, models.get(task.request.model)
    bought = request if model is None else settle(request, model)
    seconds = f"{bought.seconds} s" if bought.seconds else None
    photos = {0: None, 1: "one photo"}.get(len(request.photos), f"{len(request.photos)} photos")
    parts = [bought.ratio, seconds, bought.resolution, photos, request.camera]
    return " · ".join(part for part in parts if part)
