"""Tasks and attempts in SQL. Every function runs on the writer thread and holds to `bot.store.TaskStore`."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import datetime
from typing import Any

from bot.errors import StaleTask
from bot.store import Attempt
from bot.stores.sqlite import changes, turns
from bot.stores.sqlite.rows import COLUMNS, LOOSE, STEADY, task_of, task_values, to_text, to_time
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
    # Another provider has turns of its own.
    f"UPDATE tasks SET {_SET_LOOSE}, {_SET_STEADY},"  # noqa: S608 - see above
    f" turn = CASE WHEN provider = {_P['provider']} THEN turn END"
    f" WHERE id = {_P['id']} AND version = {_P['version']}"
)


def add(connection: sqlite3.Connection, task: Task) -> Task:
    album = None if task.album_id is None else (task.chat_id, task.album_id)
    there = find(connection, update_id=task.update_id) or find(connection, album=album)
    if there is not None:
        return there
    connection.execute(_INSERT, task_values(task))
    turns.take(connection, task)
    return task


def get(connection: sqlite3.Connection, task_id: str) -> Task | None:
    return _first(connection, "SELECT * FROM tasks WHERE id = ?", task_id)


def find(
    connection: sqlite3.Connection,
    *,
    update_id: int | None = None,
    card: tuple[int, int] | None = None,
    album: tuple[int, str] | None = None,
) -> Task | None:
    if update_id is not None:
        return _first(connection, "SELECT * FROM tasks WHERE update_id = ?", update_id)
    if card is not None:
        return _first(
            connection, "SELECT * FROM tasks WHERE chat_id = ? AND card_id = ? ORDER BY rowid DESC", *card
        )
    if album is not None:
        return _first(connection, "SELECT * FROM tasks WHERE chat_id = ? AND album_id = ?", *album)
    return None


def drafts(connection: sqlite3.Connection, chat_id: int, user_id: int | None) -> list[Task]:
    sql, values = _lowered(
        "SELECT * FROM tasks WHERE question IS NOT NULL AND finished_at IS NULL",
        chat_id=chat_id,
        user_id=user_id,
    )
    rows = connection.execute(f"{sql} ORDER BY created_at DESC, rowid DESC", values)
    return [task_of(row) for row in rows]


def save(connection: sqlite3.Connection, task: Task, attempt: Attempt | None, *, leased: bool) -> Task:
    if not _update(connection, task, leased=leased):
        raise StaleTask(f"{task.id}: version {task.version} is not the stored one")
    turns.take(connection, task)
    if attempt is not None:
        record(connection, attempt)
    return changed(task, version=task.version + 1)


def _update(connection: sqlite3.Connection, task: Task, *, leased: bool) -> bool:
    """SQLite writes every index anew of which a column is named, changed or not. So the steady ones are named
    only where one of them has changed: that halves what a look costs."""
    values = [*task_values(task), leased or task.in_flight]
    return any(connection.execute(sql, values).rowcount for sql in (_UPDATE_LOOSE, _UPDATE))


def record(connection: sqlite3.Connection, attempt: Attempt) -> None:
    connection.execute(
        "INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
        " VALUES (:task_id, :provider, :call, :at, :took_s, :answer, :detail)",
        dataclasses.asdict(attempt) | {"at": to_text(attempt.at)},
    )


def attempts(connection: sqlite3.Connection, task_id: str) -> list[Attempt]:
    rows = connection.execute(
        "SELECT task_id, provider, call, at, took_s, answer, detail FROM attempts"
        " WHERE task_id = ? ORDER BY at, id",
        [task_id],
    )
    return [Attempt(**dict(row) | {"at": to_time(row["at"])}) for row in rows]


def count_open(connection: sqlite3.Connection, *, user_id: int | None, chat_id: int | None) -> int:
    sql = "SELECT count(*) FROM tasks WHERE is_open = 1"
    return _count(connection, sql, user_id=user_id, chat_id=chat_id)


def count_since(
    connection: sqlite3.Connection, since: datetime, *, user_id: int | None, chat_id: int | None
) -> int:
    sql = "SELECT count(*) FROM tasks WHERE counts = 1 AND queued_at >= ?"
    return _count(connection, sql, to_text(since), user_id=user_id, chat_id=chat_id)


def open_tasks(connection: sqlite3.Connection, *, user_id: int | None, chat_id: int | None) -> list[Task]:
    sql, values = _lowered(
        "SELECT tasks.* FROM tasks LEFT JOIN slots USING (provider) WHERE is_open = 1",
        user_id=user_id,
        chat_id=chat_id,
    )
    # Turns of one provider mean nothing to another: what is compared is how many are before them.
    order = "waits_for_slot, iif(waits_for_slot, turn - coalesce(reached, 0), 0),"
    order += " iif(waits_for_slot, chat_turn, 0), queued_at, tasks.rowid"
    rows = connection.execute(f"{sql} ORDER BY {order}", values)
    return [task_of(row) for row in rows]


def unclosed(connection: sqlite3.Connection, user_id: int) -> list[Task]:
    rows = connection.execute(
        "SELECT * FROM tasks WHERE user_id = ? AND delivered_at IS NULL ORDER BY rowid", [user_id]
    )
    return [task_of(row) for row in rows]


def history(
    connection: sqlite3.Connection, chat_id: int, user_id: int, limit: int, offset: int
) -> list[Task]:
    rows = connection.execute(
        "SELECT * FROM tasks WHERE chat_id = ? AND user_id = ? AND state = 'succeeded'"
        " AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
        " ORDER BY finished_at DESC, rowid DESC LIMIT ? OFFSET ?",
        [chat_id, user_id, limit, offset],
    )
    return [task_of(row) for row in rows]


def move_chat(connection: sqlite3.Connection, chat_id: int, new_id: int) -> int:
    # Whoever holds a lease is refused from here on, so it ends; but a submit in flight (it has a slot, and no
    # id so far) goes on, and the end of its lease says that its answer is lost.
    connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL WHERE chat_id = ?"
        " AND due_before_lease IS NOT NULL AND (slot_until IS NULL OR remote_id IS NOT NULL)",
        [chat_id],
    )
    moved = connection.execute(
        "UPDATE tasks SET chat_id = ?, thread_id = NULL, message_id = NULL, card_id = NULL,"
        " card_has_photo = 0, version = version + 1 WHERE chat_id = ?",
        [new_id, chat_id],
    ).rowcount
    connection.execute(
        "INSERT INTO chats (chat_id, moved_from) VALUES (?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE SET moved_from = excluded.moved_from",
        [new_id, chat_id],
    )
    connection.execute(
        "UPDATE chats SET (told_at, settings) = (old.told_at, old.settings) FROM chats AS old"
        " WHERE chats.chat_id = ? AND old.chat_id = ?",
        [new_id, chat_id],
    )
    connection.execute("DELETE FROM chats WHERE chat_id = ?", [chat_id])
    changes.move(connection, chat_id, new_id)
    return moved


def forget(connection: sqlite3.Connection, user_id: int) -> int:
    """The part of `PeopleStore.forget` that concerns tasks."""
    return connection.execute(
        "UPDATE tasks SET request = json_object('model', json_extract(request, '$.model')), user_name = '',"
        " error_detail = NULL, video_url = NULL, file_id = NULL, version = version + 1"
        " WHERE user_id = ? AND delivered_at IS NOT NULL",
        [user_id],
    ).rowcount


def _first(connection: sqlite3.Connection, sql: str, *values: object) -> Task | None:
    row = connection.execute(sql, values).fetchone()
    return None if row is None else task_of(row)


def _count(
    connection: sqlite3.Connection, sql: str, *values: object, user_id: int | None, chat_id: int | None
) -> int:
    return _number(connection, *_lowered(sql, *values, user_id=user_id, chat_id=chat_id))


def _lowered(
    sql: str, *values: object, user_id: int | None, chat_id: int | None
) -> tuple[str, tuple[object, ...]]:
    if user_id is not None:
        sql, values = sql + " AND user_id = ?", (*values, user_id)
    if chat_id is not None:
        sql, values = sql + " AND chat_id = ?", (*values, chat_id)
    return sql, values


def _number(connection: sqlite3.Connection, sql: str, values: Any) -> int:
    number: int = connection.execute(sql, values).fetchone()[0]
    return number
