"""Between values and rows of SQLite, which has no times and no booleans: texts and numbers stand for them."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from bot.stores import values
from bot.stores.values import TASK_COLUMNS, TASK_PATHS, TASK_TIMES
from bot.task import Task


def to_text(moment: datetime) -> str:
    """Return it in UTC with microseconds, always as long: texts sort as their times do."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")


def to_utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


STEADY = (
    *("update_id", "chat_id", "user_id", "card_id", "album_id", "provider", "question", "price", "state"),
    *("created_at", "queued_at", "submitted_at", "finished_at", "delivered_at", "cancelled_by"),
    *("waits_for_slot", "slot_until", "is_active", "counts_toward_quota"),
)
"""Columns that stand in indexes and that most saves leave as they are: those of polls, above all."""
LOOSE = tuple(name for name in TASK_COLUMNS if name not in ("id", "version", *STEADY))
COLUMNS = (*LOOSE, *STEADY, "id", "version")
"""The order of what `task_values` returns."""
_read = attrgetter(*map(TASK_PATHS.__getitem__, COLUMNS))
_TIME_PLACES = tuple(COLUMNS.index(name) for name in (*TASK_TIMES, "slot_until"))
_REQUEST, _PRICE, _STATE, _TRIED_MODELS = map(COLUMNS.index, ("request", "price", "state", "tried_models"))


def task_values(task: Task) -> list[Any]:
    """Return what SQLite stores of it, in the order of `COLUMNS`."""
    row = list(_read(task))
    for place in _TIME_PLACES:
        if row[place] is not None:
            row[place] = to_text(row[place])
    row[_REQUEST] = values.request_text(task.request)
    row[_PRICE] = None if task.price is None else str(task.price)
    row[_STATE] = task.state.value
    row[_TRIED_MODELS] = json.dumps(task.tried_models) if task.tried_models else "[]"
    return row


def task_of(row: sqlite3.Row) -> Task:
    columns = dict(row)
    for name in TASK_TIMES:
        columns[name] = to_time(columns[name])
    return values.task_of(columns)
