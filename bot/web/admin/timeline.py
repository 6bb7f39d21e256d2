"""A task's history: what was asked for, what happened when, and every call to a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.codes import FailureCode
from bot.store import Attempt
from bot.store.audit import AuditEntry
from bot.task import Task, TaskState
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import canceller, code_words, cost_of
from bot.web.admin.needs import why_waiting
from bot.web.admin.now_page import read_queue_state
from bot.web.admin.offered_actions import offers_for_task
from bot.worker.cancel import NOT_STOPPED

_ACTIONS_SHOWN = 50
_NO_NAMES: Mapping[int, str] = {}
_STOPPED = {
    "ok": "the provider stopped it: nothing is charged",
    NOT_STOPPED: "the provider does not stop it: it is paid for and goes on",
}
_NOT_HEARD = "the provider did not answer whether it can be stopped"


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    words: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a provider, or polls in a row with the same answer."""

    first: Attempt
    last: Attempt
    count: int


async def task_page(sources: AdminContext, task_id: str, *, shows_words: bool) -> dict[str, Any] | None:
    task = await sources.store.tasks.get(task_id)
    if task is None:
        return None
    attempts = await sources.store.tasks.attempts(task_id)
    done = await sources.store.audit.entries(_ACTIONS_SHOWN, target=task_id)
    group = task.card.chat_id if task.card.chat_id < 0 else 0
    names = await sources.names.of([*(entry.by for entry in done), group])
    model = sources.models.get(task.request.model)
    return {
        "task": task,
        "model": model,
        "company": (model.company if model else "") or task.provider,
        "calls": fold_polls(attempts),
        "done": done,
        "names": names,
        "events": tell(task, attempts, done, names),
        "why_waiting": await _why_waiting(sources, task) if task.waits_for_slot else "",
        "usual_s": sources.usual_s(task),
        "actions": offers_for_task(task, cost_of(sources, task)),
        "shows_words": shows_words,
        "forgotten": task.delivered_at is not None and not task.request.prompt and not task.request.photos,
    }


def fold_polls(attempts: Sequence[Attempt]) -> list[Call]:
    """Return the calls in order of time; polls in a row with the same answer are one."""
    calls: list[Call] = []
    for attempt in attempts:
        last = calls[-1] if calls else None
        if last is not None and attempt.call == "poll" and _alike(last.last) == _alike(attempt):
            calls[-1] = Call(last.first, attempt, last.count + 1)
        else:
            calls.append(Call(attempt, attempt, 1))
    return calls


def _alike(attempt: Attempt) -> tuple[str, ...]:
    return attempt.call, attempt.provider, attempt.answer, attempt.detail


async def _why_waiting(sources: AdminContext, task: Task) -> str:
    ahead = await sources.store.tasks.count_ahead(task)
    return why_waiting(task, ahead, await read_queue_state(sources), await sources.at_once(task.provider))


def tell(
    task: Task,
    attempts: Sequence[Attempt],
    done: Sequence[AuditEntry] = (),
    names: Mapping[int, str] = _NO_NAMES,
) -> list[Event]:
    """Return the events in order of time. Polls without news are only in the table of calls."""
    events = [Event(task.created_at, "asked")]
    if task.queued_at is not None and task.queued_at != task.created_at:
        events.append(Event(task.queued_at, "wanted: it waits for its turn"))
    events += [event for attempt in attempts if (event := _called(attempt))]
    if task.cancelled_at is not None:
        events.append(Event(task.cancelled_at, f"cancelled by {canceller(task, done, names)}"))
    if task.running_at is not None:
        events.append(Event(task.running_at, "the provider began"))
    if task.late_at is not None:
        events.append(Event(task.late_at, "late: the person was told", "bad"))
    if task.finished_at is not None:
        match task.state:
            case TaskState.SUCCEEDED:
                events.append(Event(task.finished_at, "made", "good"))
            case TaskState.FAILED if task.has_unknown_outcome:
                events.append(Event(task.finished_at, "unknown whether it is being made", "bad"))
            case TaskState.FAILED:
                events.append(Event(task.finished_at, f"failed: {code_words(task.error_code)}", "bad"))
            case _ if task.cancelled_at is None:
                events.append(Event(task.finished_at, code_words(task.error_code or "cancelled")))
            case _:
                pass  # told above, by whom
    if task.delivered_at is not None:
        events.append(Event(task.delivered_at, "not shown" if task.detached else "the person was told"))
    return sorted(events, key=lambda event: event.at)


def _called(attempt: Attempt) -> Event | None:
    is_ok = attempt.answer == "ok"
    match attempt.call:
        case "submit":
            if attempt.answer == FailureCode.SUBMIT_UNKNOWN:
                return Event(attempt.at, "ordered, and no answer came", "bad")
            words = "the provider took it" if is_ok else f"not taken: {code_words(attempt.answer)}"
            return Event(attempt.at, words, "good" if is_ok else "bad")
        case "fetch":
            words = "the video was fetched" if is_ok else f"not fetched: {code_words(attempt.answer)}"
            return Event(attempt.at, words, "" if is_ok else "bad")
        case "cancel":
            return Event(attempt.at, _STOPPED.get(attempt.answer, _NOT_HEARD))
        case "poll":
            return None
