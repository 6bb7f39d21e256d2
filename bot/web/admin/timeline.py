"""A task's history: what was asked for, what happened when, and every call to a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store import Attempt
from bot.task import Task, TaskState
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import code_words, cost_of
from bot.web.admin.offered_actions import offers_for_task

_ACTIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    words: str
    style: str = ""


async def task_page(sources: AdminContext, task_id: str, *, shows_words: bool) -> dict[str, Any] | None:
    task = await sources.store.tasks.get(task_id)
    if task is None:
        return None
    attempts = await sources.store.tasks.attempts(task_id)
    model = sources.models.get(task.request.model)
    return {
        "task": task,
        "model": model,
        "company": (model.company if model else "") or task.provider,
        "attempts": attempts,
        "done": await sources.store.audit.entries(_ACTIONS_SHOWN, target=task_id),
        "events": tell(task, attempts),
        "usual_s": sources.usual_s(task),
        "actions": offers_for_task(task, cost_of(sources, task)),
        "shows_words": shows_words,
        "forgotten": task.delivered_at is not None and not task.request.prompt and not task.request.photos,
    }


def tell(task: Task, attempts: Sequence[Attempt]) -> list[Event]:
    """Return the events in order of time. Polls without news are only in the table of calls."""
    events = [Event(task.created_at, "asked")]
    if task.queued_at is not None and task.queued_at != task.created_at:
        events.append(Event(task.queued_at, "wanted: it waits for its turn"))
    for attempt in attempts:
        if attempt.call == "submit":
            words = (
                "the provider took it"
                if attempt.answer == "ok"
                else f"not taken: {code_words(attempt.answer)}"
            )
            events.append(Event(attempt.at, words, "good" if attempt.answer == "ok" else "bad"))
        elif attempt.call == "fetch":
            words = (
                "the video was fetched"
                if attempt.answer == "ok"
                else f"not fetched: {code_words(attempt.answer)}"
            )
            events.append(Event(attempt.at, words, "" if attempt.answer == "ok" else "bad"))
    if task.running_at is not None:
        events.append(Event(task.running_at, "the provider began"))
    if task.late_at is not None:
        events.append(Event(task.late_at, "late: the person was told", "bad"))
    if task.finished_at is not None:
        match task.state:
            case TaskState.SUCCEEDED:
                events.append(Event(task.finished_at, "made", "good"))
            case TaskState.FAILED:
                events.append(Event(task.finished_at, f"failed: {code_words(task.error_code)}", "bad"))
            case _:
                events.append(Event(task.finished_at, f"over: {code_words(task.error_code)}"))
    if task.delivered_at is not None:
        events.append(Event(task.delivered_at, "not shown" if task.detached else "the person was told"))
    return sorted(events, key=lambda event: event.at)
