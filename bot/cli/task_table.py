"""Draw tasks: a table and a full page for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bot.store import Attempt, audit
from bot.task import Task, TaskState

_COLOURS = {
    TaskState.DRAFT: "dim",
    TaskState.QUEUED: "yellow",
    TaskState.SUBMITTING: "bold cyan",
    TaskState.RUNNING: "cyan",
    TaskState.SUCCEEDED: "green",
    TaskState.FAILED: "red",
    TaskState.CANCELLED: "dim",
}
_SHOWN_CALLS = 12


def draw_table(tasks: Sequence[Task], ahead: Mapping[str, int], now: datetime, below: str = "") -> Table:
    """Return a table with a row for each task. `ahead`: how many are served before a waiting one. Prompts are
    not in it."""
    table = Table(box=box.SIMPLE_HEAD, caption=below or None, caption_justify="left", pad_edge=False)
    table.add_column("task", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("model", overflow="fold")
    table.add_column("who", overflow="ellipsis", no_wrap=True, max_width=20)
    table.add_column("chat", no_wrap=True, justify="right")
    table.add_column("asked", no_wrap=True, justify="right")
    table.add_column("note", overflow="fold")
    for task in tasks:
        table.add_row(
            task.id,
            Text(task.state.value, style=_COLOURS[task.state]),
            escape(task.request.model),
            escape(task.user_name or str(task.user_id)),
            str(task.card.chat_id),
            age(now - task.created_at),
            escape(_note(task, ahead, now)),
        )
    return table


def draw_task_page(task: Task, attempts: Sequence[Attempt], ahead: int, now: datetime) -> RenderableType:
    """Return everything about one task, and the calls that were made for it."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(task, ahead, now):
        facts.add_row(name, value if isinstance(value, Text) else escape(value))
    if not attempts:
        return Group("", facts, "")
    calls = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for column in ("call", "at", "took", "answer", "detail"):
        calls.add_column(column, overflow="fold")
    earlier, shown = attempts[:-_SHOWN_CALLS], list(attempts[-_SHOWN_CALLS:])
    # The bill is about the submit, so show it even after many polls.
    orders = [one for one in attempts if one.call == "submit"][-1:]
    if orders and orders[0] in shown:
        orders = []
    if earlier:
        calls.add_row("…", f"{len(earlier) - len(orders)} more", "", "", "")
    for one in [*orders, *shown]:
        answer = Text(one.answer, style="" if one.answer == "ok" else "red")
        calls.add_row(one.call, _moment(one.at), f"{one.took_s:.1f} s", answer, escape(one.detail))
    return Group("", facts, "", calls)


_JSON_NAMES: dict[str, str] = {
    **{"detached": "hidden", "tried_models": "passed_over", "polled_at": "looked_at"},
    "has_photo": "card_has_photo",
}
"""Fields whose names in the JSON, which scripts read, are older than their own."""


def task_json(task: Task) -> dict[str, Any]:
    """Return every field; times as ISO 8601, the price as text, what is unknown as null."""
    fields = asdict(task) | {"request": task.request.model_dump(exclude_none=True), "state": task.state.value}
    fields |= fields.pop("card")
    return {str(_JSON_NAMES.get(name, name)): _plain(value) for name, value in fields.items()}


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(attempt).items()}


def write_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def age(span: Any) -> str:
    """Return a time span as text: `42 s`, `17 min`, `5 h`, `3 d`."""
    seconds = max(round(span.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _note(task: Task, ahead: Mapping[str, int], now: datetime) -> str:
    """Return what the state alone does not tell."""
    parts = []
    if task.is_cancelled and task.state is not TaskState.CANCELLED:
        parts.append("cancelled")
    elif task.detached:
        parts.append("nobody waits for it")
    match task.state:
        case TaskState.QUEUED:
            before = ahead.get(task.id, 0)
            parts.append(f"{before} before it" if before else "next")
            if task.error_code:
                parts.append(task.error_code)
        case TaskState.RUNNING:
            parts.append("late" if task.late_at else age(now - (task.submitted_at or now)))
            if task.progress is not None:
                parts.append(f"{task.progress:.0%}")
        case TaskState.FAILED | TaskState.CANCELLED:
            parts.append(task.error_code or "")
        case _:
            pass
    if task.state in (TaskState.SUCCEEDED, TaskState.FAILED) and task.delivered_at is None:
        parts.append("not delivered yet")
    return ", ".join(filter(None, parts))


def _facts(task: Task, ahead: int, now: datetime) -> list[tuple[str, str | Text]]:
    request, card = task.request.model_dump(exclude_none=True), task.card
    known = {
        "task": task.id,
        "who": f"{task.user_name} ({task.user_id})" if task.user_name else str(task.user_id),
        "chat": f"{card.chat_id}, topic {card.thread_id}" if card.thread_id else str(card.chat_id),
        "model": f"{task.request.model}, at {task.provider}",
        "prompt": request.pop("prompt", ""),
        "photos": str(len(request.pop("photos", ())) or ""),
        "options": ", ".join(f"{name} {value}" for name, value in request.items() if name != "model"),
        "price": str(task.price or ""),
        "tokens": str(task.billed_tokens or ""),
        "remote id": task.remote_id or "",
        "error": ": ".join(filter(None, (task.error_code, task.error_detail))),
        "made from": task.parent_id or "",
        "cancelled by": _canceller(task),
        "passed over": ", ".join(task.tried_models),
    }
    times = {
        "created": task.created_at,
        "queued": task.queued_at,
        "submitted": task.submitted_at,
        "cancelled": task.cancelled_at,
        "finished": task.finished_at,
        "delivered": task.delivered_at,
        "due": task.due_at,
        "kept at the provider until": task.keep_until,
    }
    state = Text(task.state.value, style=_COLOURS[task.state])
    if note := _note(task, {task.id: ahead}, now):
        state.append(f"  {note}", style="default")
    lines: list[tuple[str, str | Text]] = [("state", state)]
    lines += [(name, value) for name, value in known.items() if value]
    lines += [(name, _moment(value)) for name, value in times.items() if value]
    if task.has_unknown_outcome:
        look = f"look for the job at {task.provider}, then run: tasks attach {task.id} REMOTE_ID"
        lines.append(("what to do", f"{look}, or if it is not there: tasks not-made {task.id}"))
    return lines


def _canceller(task: Task) -> str:
    match task.cancelled_by:
        case None:
            return ""
        case audit.THE_MACHINE:
            return "the command line"
        case by:
            name = task.user_name if by == task.user_id else task.cancelled_by_name
            return f"{name} ({by})" if name else str(by)


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str() | list() | dict():
            return value
        case tuple():
            return list(value)
        case _:
            return str(value)
