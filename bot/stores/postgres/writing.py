"""Writes tasks: one statement for many rows, in which every column is one parameter.

A poll is most of what is ever written, and changes little: it has a statement of its own, a third as long.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from bot.store import Attempt
from bot.stores.postgres import queue
from bot.stores.postgres.connection.pool import Connection
from bot.stores.values import TASK_COLUMNS, TASK_FIELDS, TASK_TIMES, task_row
from bot.task import Task

_TYPES = {
    **dict.fromkeys((*TASK_TIMES, "slot_until"), "timestamptz"),
    **dict.fromkeys(("version", "update_id", "chat_id", "thread_id", "user_id", "cancelled_by"), "bigint"),
    **dict.fromkeys(("message_id", "card_id", "attempts", "billed_tokens"), "bigint"),
    **dict.fromkeys(("batch_place", "batch_size"), "bigint"),
    **dict.fromkeys(("card_has_photo", "detached", "waits_for_slot", "is_active"), "boolean"),
    "counts_toward_quota": "boolean",
    **dict.fromkeys(("progress", "expected_s", "bar_floor"), "float8"),
}
"""Of columns that are no text."""
_ATTEMPT = {
    **{"provider": "text", "call": "text", "at": "timestamptz"},
    **{"took_s": "float8", "answer": "text", "detail": "text"},
}
_NO_ATTEMPT = (None,) * len(_ATTEMPT)

_POLL = (
    *("progress", "bar_floor", "polled_at", "running_at", "late_at"),
    *("attempts", "failing_since", "due_at"),
)
"""What a poll may change of a task that it does not end."""
_KEPT_BY_POLL = attrgetter(*(name for name in TASK_FIELDS if name not in _POLL))
_POLL_COLUMNS = ("id", "version", "provider", *_POLL)
_poll_values = attrgetter(*_POLL_COLUMNS)


def _statement(columns: Sequence[str]) -> str:
    kinds = {column: _TYPES.get(column, "text") for column in columns}
    kinds |= {"leased": "boolean"} | {f"attempt_{name}": kind for name, kind in _ATTEMPT.items()}
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(kinds.values(), 2))
    changes = ", ".join(f"{column} = new.{column}" for column in columns if column not in ("id", "version"))
    return (
        # The only text put in are the names of our own columns and types.
        f"WITH new AS (SELECT * FROM unnest({arrays}) AS given ({', '.join(kinds)})),"  # noqa: S608 - see above
        f" saved AS (UPDATE tasks SET {changes}, version = tasks.version + 1,"
        # Another provider has queue tags of its own.
        " queue_tag = CASE WHEN tasks.provider = new.provider THEN queue_tag END,"
        " due_before_lease = CASE WHEN new.leased THEN coalesce(due_before_lease, tasks.due_at) END,"
        " leased_by = CASE WHEN new.leased THEN coalesce(leased_by, $1) END, moved_by = $1"
        " FROM new WHERE tasks.id = new.id AND tasks.version = new.version RETURNING tasks.id),"
        f" noted AS (INSERT INTO attempts (task_id, {', '.join(_ATTEMPT)})"
        f" SELECT id, {', '.join(f'attempt_{name}' for name in _ATTEMPT)}"
        " FROM new JOIN saved USING (id) WHERE attempt_call IS NOT NULL) SELECT id FROM saved"
    )


_INSERT = (
    f"INSERT INTO tasks ({', '.join(TASK_COLUMNS)}, moved_by)"  # noqa: S608 - the names of our own columns
    f" VALUES ({', '.join(f'${number}' for number in range(1, len(TASK_COLUMNS) + 2))})"
    " ON CONFLICT DO NOTHING"
)
_SAVE = _statement(TASK_COLUMNS)
_SAVE_POLL = _statement(_POLL_COLUMNS)


@dataclass(frozen=True, eq=False)
class Write:
    """A task to be saved, with the call that led to it. `base`: the row as it is stored, if that is known."""

    task: Task
    attempt: Attempt | None = None
    leased: bool = False
    base: Task | None = None

    @cached_property
    def is_poll(self) -> bool:
        """Return True if it changes no more than a poll does. A base of another version never counts."""
        return self.base is not None and _KEPT_BY_POLL(self.base) == _KEPT_BY_POLL(self.task)

    def values(self) -> tuple[object, ...]:
        """Return what the statement for it takes of a row."""
        row = _poll_values(self.task) if self.is_poll else text_row(self.task).values()
        attempt = _NO_ATTEMPT if self.attempt is None else attempt_row(self.attempt)[1:]
        return (*row, self.leased or self.task.in_flight, *attempt)


async def write(connection: Connection, group: Sequence[Write], owner: str) -> set[str]:
    """Save them; return the ids of those that were saved, the others being stale. A group is of polls, or of
    others; each task is in it once."""
    columns = zip(*(one.values() for one in group), strict=True)
    statement = _SAVE_POLL if group[0].is_poll else _SAVE
    return {row["id"] for row in await connection.fetch(statement, owner, *columns)}


async def insert(connection: Connection, task: Task, owner: str) -> bool:
    """Store a new row; return False if another one stands in its place."""
    done = await connection.execute(_INSERT, *text_row(task).values(), owner)
    if done != "INSERT 0 1":
        return False
    await queue.tag(connection, task)
    return True


def text_row(task: Task) -> dict[str, object]:
    """Return column names, and what PostgreSQL stores there: its texts cannot hold the character NUL."""
    row = task_row(task)
    for name in ("user_name", "cancelled_by_name"):
        row[name] = getattr(task, name).replace("\0", "")
    if task.error_detail is not None:
        row["error_detail"] = task.error_detail.replace("\0", "")
    return row


def attempt_row(attempt: Attempt) -> tuple[object, ...]:
    """Return its values in the order of the fields."""
    return dataclasses.astuple(dataclasses.replace(attempt, detail=attempt.detail.replace("\0", "")))
