"""Writing the row of a task. Every function runs on the writer thread."""

from __future__ import annotations

import dataclasses
import sqlite3

from bot.errors import StaleTask
from bot.store.tasks import Attempt
from bot.stores.sqlite import queue
from bot.stores.sqlite.rows import COLUMNS, LOOSE, STEADY, task_values, to_text
from bot.task import Task, changed

# The only texts put into these are the names of our own columns. Values have places, not names: SQLite finds
# forty of them twice as fast.
_INSERT = f"INSERT INTO tasks ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_P = {column: f"?{place}" for place, column in enumerate((*COLUMNS, "leased"), 1)}
_SET_LOOSE = (
    ", ".join(f"{column} = {_P[column]}" for column in LOOSE) + ", version = version + 1,"
    f" due_before_lease = CASE WHEN {_P['leased']} THEN coalesce(due_before_lease, due_at) END"
)
_SET_STEADY = ", ".join(f"{column} = {_P[column]}" for column in STEADY)
_IS_STEADY = " AND ".join(f"{column} IS {_P[column]}" for column in STEADY)
_UPDATE_LOOSE = (
    f"UPDATE tasks SET {_SET_LOOSE}"  # noqa: S608 - see above
    f" WHERE id = {_P['id']} AND version = {_P['version']} AND {_IS_STEADY}"
)
_UPDATE = (
    # Another provider has queue tags of its own.
    f"UPDATE tasks SET {_SET_LOOSE}, {_SET_STEADY},"  # noqa: S608 - see above
    f" queue_tag = CASE WHEN provider = {_P['provider']} THEN queue_tag END"
    f" WHERE id = {_P['id']} AND version = {_P['version']}"
)


def insert(connection: sqlite3.Connection, task: Task) -> None:
    connection.execute(_INSERT, task_values(task))
    queue.tag(connection, task)


def save(connection: sqlite3.Connection, task: Task, attempt: Attempt | None, *, leased: bool) -> Task:
    """Do what `bot.store.TaskStore.save` says."""
    if not _update(connection, task, leased=leased):
        raise StaleTask(f"{task.id}: version {task.version} is not the stored one")
    queue.tag(connection, task)
    if attempt is not None:
        insert_attempt(connection, attempt)
    return changed(task, version=task.version + 1)


def insert_attempt(connection: sqlite3.Connection, attempt: Attempt) -> None:
    connection.execute(
        "INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
        " VALUES (:task_id, :provider, :call, :at, :took_s, :answer, :detail)",
        dataclasses.asdict(attempt) | {"at": to_text(attempt.at)},
    )


def _update(connection: sqlite3.Connection, task: Task, *, leased: bool) -> bool:
    """Write the row; return False if its version is another one.

    SQLite writes every index again of which a column is named, changed or not. So the steady columns are
    named only if one of them has changed: that halves what a poll costs.
    """
    values = [*task_values(task), leased or task.in_flight]
    return any(connection.execute(sql, values).rowcount for sql in (_UPDATE_LOOSE, _UPDATE))
