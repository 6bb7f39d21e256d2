"""Between values and rows of SQLite, which has no times and no truths: texts and numbers stand for them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from bot.stores import values
from bot.stores.values import TASK_TIMES
from bot.task import Task


def to_text(moment: datetime) -> str:
    """UTC with microseconds, always as long: texts sort as their times do."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def to_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def task_row(task: Task) -> dict[str, Any]:
    """Column names, and what SQLite stores there."""
    row = values.task_row(task)
    for name in (*TASK_TIMES, "slot_until"):
        if row[name] is not None:
            row[name] = to_text(row[name])
    return row


def task_of(row: sqlite3.Row) -> Task:
    columns = dict(row)
    for name in TASK_TIMES:
        columns[name] = to_time(columns[name])
    return values.task_of(columns)
