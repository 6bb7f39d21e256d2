"""Tasks and attempts in SQL. Every function takes a connection and holds to `bot.store.TaskStore`."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from bot.errors import StoreError
from bot.store import Attempt
from bot.stores.postgres import changes, turns
from bot.stores.postgres.connections import Connection, affected
from bot.stores.values import TASK_COLUMNS, task_of, task_row
from bot.task import Task

# The only text put into these are the names of our own columns.
_INSERT = (
    f"INSERT INTO tasks ({', '.join(TASK_COLUMNS)}, moved_by)"  # noqa: S608 - see above
    f" VALUES ({', '.join(f'${number}' for number in range(1, len(TASK_COLUMNS) + 2))})"
    " ON CONFLICT DO NOTHING"
)


async def add(connection: Connection, task: Task, owner: str) -> Task:
    album = None if task.album_id is None else (task.chat_id, task.album_id)
    # Looked for first: a conflict would burn a number of `place`, and is rare.
    for _ in range(2):
        there = await find(connection, update_id=task.update_id) or await find(connection, album=album)
        if there is not None:
            return there
        if await connection.execute(_INSERT, *text_row(task).values(), owner) == "INSERT 0 1":
            await turns.take(connection, task)
            return task
    raise StoreError("the database refused: a task of this id is already there")


async def get(connection: Connection, task_id: str) -> Task | None:
    return await _first(connection, "SELECT * FROM tasks WHERE id = $1", task_id)


async def find(
    connection: Connection,
    *,
    update_id: int | None = None,
    card: tuple[int, int] | None = None,
    album: tuple[int, str] | None = None,
) -> Task | None:
    if update_id is not None:
        return await _first(connection, "SELECT * FROM tasks WHERE update_id = $1", update_id)
    if card is not None:
        return await _first(
            connection,
            "SELECT * FROM tasks WHERE chat_id = $1 AND card_id = $2 ORDER BY place DESC LIMIT 1",
            *card,
        )
    if album is not None:
        return await _first(connection, "SELECT * FROM tasks WHERE chat_id = $1 AND album_id = $2", *album)
    return None


async def drafts(connection: Connection, chat_id: int, user_id: int | None) -> list[Task]:
    sql, values = _lowered(
        "SELECT * FROM tasks WHERE question IS NOT NULL AND finished_at IS NULL",
        chat_id=chat_id,
        user_id=user_id,
    )
    rows = await connection.fetch(f"{sql} ORDER BY created_at DESC, place DESC", *values)
    return [task_of(row) for row in rows]


async def record(connection: Connection, attempt: Attempt) -> None:
    await connection.execute(
        "INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *attempt_row(attempt),
    )


async def attempts(connection: Connection, task_id: str) -> list[Attempt]:
    rows = await connection.fetch(
        "SELECT task_id, provider, call, at, took_s, answer, detail FROM attempts"
        " WHERE task_id = $1 ORDER BY at, id",
        task_id,
    )
    return [Attempt(**dict(row)) for row in rows]


async def count_open(connection: Connection, *, user_id: int | None, chat_id: int | None) -> int:
    return await _count(connection, "SELECT count(*) FROM tasks WHERE is_open", (), user_id, chat_id)


async def count_since(
    connection: Connection, since: datetime, *, user_id: int | None, chat_id: int | None
) -> int:
    sql = "SELECT count(*) FROM tasks WHERE counts AND queued_at >= $1"
    return await _count(connection, sql, (since,), user_id, chat_id)


async def open_tasks(connection: Connection, *, user_id: int | None, chat_id: int | None) -> list[Task]:
    sql, values = _lowered(
        "SELECT tasks.* FROM tasks LEFT JOIN slots USING (provider) WHERE is_open",
        user_id=user_id,
        chat_id=chat_id,
    )
    # Turns of one provider mean nothing to another: what is compared is how many are before them.
    order = "waits_for_slot, CASE WHEN waits_for_slot THEN turn - coalesce(reached, 0) ELSE 0 END,"
    order += " CASE WHEN waits_for_slot THEN chat_turn ELSE 0 END, queued_at, place"
    return [task_of(row) for row in await connection.fetch(f"{sql} ORDER BY {order}", *values)]


async def unclosed(connection: Connection, user_id: int) -> list[Task]:
    rows = await connection.fetch(
        "SELECT * FROM tasks WHERE user_id = $1 AND delivered_at IS NULL ORDER BY place", user_id
    )
    return [task_of(row) for row in rows]


async def history(connection: Connection, chat_id: int, user_id: int, limit: int, offset: int) -> list[Task]:
    rows = await connection.fetch(
        "SELECT * FROM tasks WHERE chat_id = $1 AND user_id = $2 AND state = 'succeeded'"
        " AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
        " ORDER BY finished_at DESC, place DESC LIMIT $3 OFFSET $4",
        chat_id,
        user_id,
        limit,
        offset,
    )
    return [task_of(row) for row in rows]


async def move_chat(connection: Connection, chat_id: int, new_id: int) -> int:
    # Whoever holds a lease is refused from here on, so it ends; but a submit in flight (it has a slot, and no
    # id so far) goes on, and the end of its lease says that its answer is lost.
    await connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL"
        " WHERE chat_id = $1 AND due_before_lease IS NOT NULL"
        " AND (slot_until IS NULL OR remote_id IS NOT NULL)",
        chat_id,
    )
    done = await connection.execute(
        "UPDATE tasks SET chat_id = $2, thread_id = NULL, message_id = NULL, card_id = NULL,"
        " card_has_photo = FALSE, version = version + 1 WHERE chat_id = $1",
        chat_id,
        new_id,
    )
    await connection.execute(
        "INSERT INTO chats (chat_id, moved_from) VALUES ($1, $2)"
        " ON CONFLICT (chat_id) DO UPDATE SET moved_from = excluded.moved_from",
        new_id,
        chat_id,
    )
    await connection.execute(
        "UPDATE chats SET told_at = old.told_at, settings = old.settings FROM chats AS old"
        " WHERE chats.chat_id = $1 AND old.chat_id = $2",
        new_id,
        chat_id,
    )
    await connection.execute("DELETE FROM chats WHERE chat_id = $1", chat_id)
    await changes.move(connection, chat_id, new_id)
    return affected(done)


async def forget(connection: Connection, user_id: int) -> int:
    """The part of `PeopleStore.forget` that concerns tasks."""
    done = await connection.execute(
        "UPDATE tasks SET request = json_build_object('model', request::json->>'model')::text,"
        " user_name = '', error_detail = NULL, video_url = NULL, file_id = NULL, version = version + 1"
        " WHERE user_id = $1 AND delivered_at IS NOT NULL",
        user_id,
    )
    return affected(done)


def text_row(task: Task) -> dict[str, object]:
    """Column names, and what PostgreSQL stores there: its texts cannot hold the character NUL."""
    row = task_row(task)
    row["user_name"] = task.user_name.replace("\0", "")
    if task.error_detail is not None:
        row["error_detail"] = task.error_detail.replace("\0", "")
    return row


def attempt_row(attempt: Attempt) -> tuple[object, ...]:
    """In the order of the fields."""
    return dataclasses.astuple(dataclasses.replace(attempt, detail=attempt.detail.replace("\0", "")))


async def _first(connection: Connection, sql: str, *values: object) -> Task | None:
    row = await connection.fetchrow(sql, *values)
    return None if row is None else task_of(row)


async def _count(
    connection: Connection, sql: str, values: tuple[object, ...], user_id: int | None, chat_id: int | None
) -> int:
    sql, values = _lowered(sql, *values, user_id=user_id, chat_id=chat_id)
    number: int = await connection.fetchval(sql, *values)
    return number


def _lowered(
    sql: str, *values: object, user_id: int | None, chat_id: int | None
) -> tuple[str, tuple[object, ...]]:
    if user_id is not None:
        sql, values = f"{sql} AND user_id = ${len(values) + 1}", (*values, user_id)
    if chat_id is not None:
        sql, values = f"{sql} AND chat_id = ${len(values) + 1}", (*values, chat_id)
    return sql, values
