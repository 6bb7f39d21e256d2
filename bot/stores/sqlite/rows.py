"""Between values and rows: a Task as columns and back, and times as text."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.request import VideoRequest
from bot.task import Task, TaskState

_FIELDS = tuple(field.name for field in dataclasses.fields(Task))
_TIMES = (
    *("failing_since", "keep_until", "looked_at", "running_at", "late_at", "sending_at"),
    *("created_at", "queued_at", "submitted_at", "finished_at", "delivered_at", "due_at"),
)
_DERIVED = ("waits_for_slot", "slot_until", "is_open", "counts")
TASK_COLUMNS = (*_FIELDS, *_DERIVED)
"""The keys of what `task_row` returns."""


def to_text(moment: datetime) -> str:
    """UTC with microseconds, always as long: texts sort as their times do."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def to_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def task_row(task: Task) -> dict[str, Any]:
    """Column names, and what SQLite stores there."""
    row = {name: getattr(task, name) for name in TASK_COLUMNS}
    for name in (*_TIMES, "slot_until"):
        if row[name] is not None:
            row[name] = to_text(row[name])
    return row | {
        "request": task.request.model_dump_json(exclude_none=True),
        "price": None if task.price is None else str(task.price),
        "state": task.state.value,
        "passed_over": json.dumps(task.passed_over),
    }


def task_of(row: sqlite3.Row) -> Task:
    values = {name: row[name] for name in _FIELDS}
    for name in _TIMES:
        values[name] = to_time(values[name])
    return Task(
        **values
        | {
            "request": VideoRequest.model_validate_json(row["request"]),
            "price": None if row["price"] is None else Decimal(row["price"]),
            "state": TaskState(row["state"]),
            "hidden": bool(row["hidden"]),
            "card_has_photo": bool(row["card_has_photo"]),
            "passed_over": tuple(json.loads(row["passed_over"])),
        }
    )
