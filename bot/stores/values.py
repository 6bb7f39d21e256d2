"""Between values and rows, as every engine does it: a Task as columns and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Protocol

from bot.request import VideoRequest
from bot.store import ChatRecord, ChatSettings, Notice, Person
from bot.task import CardRef, Task, TaskState

TASK_FIELDS = tuple(field.name for field in dataclasses.fields(Task))
_OWN = tuple(name for name in TASK_FIELDS if name != "card")
TASK_TIMES = (
    *("cancelled_at", "failing_since", "keep_until", "polled_at", "running_at", "late_at", "sending_at"),
    *("created_at", "queued_at", "submitted_at", "finished_at", "delivered_at", "due_at", "deleted_at"),
)
_DERIVED = ("waits_for_slot", "slot_until", "is_active", "counts_toward_quota")
_IN_CARD = ("chat_id", "thread_id", "message_id", "card_id")
TASK_PATHS = {
    **{name: name for name in (*_OWN, *_DERIVED)},
    **{name: f"card.{name}" for name in _IN_CARD},
    "card_has_photo": "card.has_photo",
}
"""The columns of a task, each with the attribute that it holds."""
TASK_COLUMNS = tuple(TASK_PATHS)
"""The keys of what `task_row` returns."""
_read = attrgetter(*TASK_PATHS.values())


class Row(Protocol):
    """A row as a driver returns it: values by the names of their columns."""

    def __getitem__(self, column: str, /) -> Any: ...


def task_row(task: Task) -> dict[str, Any]:
    """Return column names and their values: texts, numbers, booleans, times."""
    row = dict(zip(TASK_COLUMNS, _read(task), strict=True))
    row["request"] = request_text(task.request)
    row["price"] = None if task.price is None else str(task.price)
    row["state"] = task.state.value
    row["tried_models"] = json.dumps(task.tried_models) if task.tried_models else "[]"
    return row


def task_of(row: Row) -> Task:
    values = {name: row[name] for name in _OWN}
    values["request"] = request_of(row["request"])
    values["price"] = None if row["price"] is None else Decimal(row["price"])
    values["state"] = TaskState(row["state"])
    values["detached"] = bool(row["detached"])
    place = {name: row[name] for name in _IN_CARD}
    values["card"] = CardRef(**place, has_photo=bool(row["card_has_photo"]))
    values["tried_models"] = (
        tuple(json.loads(tried_models)) if (tried_models := row["tried_models"]) != "[]" else ()
    )
    return Task(**values)


def request_text(request: VideoRequest) -> str:
    return request.model_dump_json(exclude_none=True)


def request_of(text: str) -> VideoRequest:
    return VideoRequest.model_validate_json(text)


def person_of(row: Row, **times: Any) -> Person:
    """Make a Person of a row; `times` are the values that are read in another form."""
    return Person(
        row["user_id"],
        **{
            "role": row["role"],
            "language": row["language"],
            "told_at": row["told_at"],
            "companies": frozenset(json.loads(row["companies"])),
            "crop_preview": bool(row["crop_preview"]),
        }
        | times,
    )


def companies_text(companies: Iterable[str]) -> str:
    return json.dumps(sorted(companies))


def chat_of(row: Row, **times: Any) -> ChatRecord:
    return ChatRecord(
        row["chat_id"],
        **{
            "told_at": row["told_at"],
            "settings": ChatSettings(**json.loads(row["settings"])),
            "moved_from": row["moved_from"],
        }
        | times,
    )


def settings_text(settings: ChatSettings) -> str:
    return json.dumps(dataclasses.asdict(settings))


def notice_of(row: Row) -> Notice:
    return Notice(row["key"], json.loads(row["values_json"]))


def values_text(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values), ensure_ascii=False)
