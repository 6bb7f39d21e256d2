"""People, chats, recipes and notices."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from bot.store.people import ChatRecord, Notice, Person, Recipe
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time, to_utc
from bot.stores.values import (
    chat_of,
    companies_text,
    notice_of,
    person_of,
    request_of,
    request_text,
    settings_text,
    values_text,
)


class SQLitePeople(Subject):
    """A `bot.store.PeopleStore`."""

    @reads
    def person(self, connection: sqlite3.Connection, user_id: int) -> Person:
        return _person(connection, user_id)

    @writes
    def put_person(self, connection: sqlite3.Connection, person: Person) -> None:
        _put_person(connection, person)

    @reads
    def admins(self, connection: sqlite3.Connection) -> list[int]:
        return admins(connection)

    @writes
    def claim_admin(self, connection: sqlite3.Connection, flag: str, user_id: int) -> bool:
        deleted = connection.execute("DELETE FROM flags WHERE key = ?", [flag]).rowcount
        if deleted == 0 or admins(connection):
            return False
        _put_person(connection, replace(_person(connection, user_id), role="admin"))
        return True

    @writes
    def remove_admin(self, connection: sqlite3.Connection, user_id: int) -> bool:
        known = _person(connection, user_id)
        if known.role is None:
            return False
        _put_person(connection, replace(known, role=None))
        connection.execute("DELETE FROM tokens WHERE user_id = ?", [user_id])
        connection.execute("DELETE FROM flags WHERE key LIKE 'claim %'")
        return True

    @reads
    def chat(self, connection: sqlite3.Connection, chat_id: int) -> ChatRecord:
        row = connection.execute("SELECT * FROM chats WHERE chat_id = ?", [chat_id]).fetchone()
        if row is None:
            return ChatRecord(chat_id)
        return chat_of(row, told_at=to_time(row["told_at"]))

    @writes
    def put_chat(self, connection: sqlite3.Connection, chat: ChatRecord) -> None:
        told_at = None if chat.told_at is None else to_text(chat.told_at)
        connection.execute(
            "INSERT OR REPLACE INTO chats (chat_id, told_at, settings, moved_from) VALUES (?, ?, ?, ?)",
            [chat.chat_id, told_at, settings_text(chat.settings), chat.moved_from],
        )

    @writes
    def forget(self, connection: sqlite3.Connection, user_id: int) -> int:
        forgotten = connection.execute(
            "UPDATE tasks SET request = json_object('model', json_extract(request, '$.model')),"
            " user_name = '', error_detail = NULL, video_url = NULL, file_id = NULL, version = version + 1"
            " WHERE user_id = ? AND delivered_at IS NOT NULL",
            [user_id],
        ).rowcount
        connection.execute(
            "UPDATE tasks SET cancelled_by_name = '', version = version + 1"
            " WHERE cancelled_by = ? AND delivered_at IS NOT NULL",
            [user_id],
        )
        connection.execute("DELETE FROM recipes WHERE user_id = ?", [user_id])
        connection.execute("DELETE FROM notices WHERE user_id = ?", [user_id])
        connection.execute("DELETE FROM chats WHERE chat_id = ?", [user_id])
        connection.execute("DELETE FROM tokens WHERE user_id = ?", [user_id])
        known = _person(connection, user_id)
        if known.role is None:
            connection.execute("DELETE FROM people WHERE user_id = ?", [user_id])
        else:
            _put_person(connection, Person(user_id, role=known.role))
        return forgotten

    @writes
    def add_recipe(self, connection: sqlite3.Connection, recipe: Recipe) -> Recipe:
        request = request_text(recipe.request)
        there = connection.execute(
            "SELECT * FROM recipes WHERE task_id = ? AND request = ?", [recipe.task_id, request]
        ).fetchone()
        if there is not None:
            return _recipe(there)
        _insert_recipe(connection, recipe)
        return recipe

    @writes
    def replace_recipe(self, connection: sqlite3.Connection, recipe: Recipe) -> Recipe:
        replaced = connection.execute(
            "UPDATE recipes SET request = ?, created_at = ? WHERE task_id = ? AND user_id = ? RETURNING *",
            [request_text(recipe.request), to_text(recipe.created_at), recipe.task_id, recipe.user_id],
        ).fetchall()
        if replaced:
            return _recipe(replaced[0])
        _insert_recipe(connection, recipe)
        return recipe

    @reads
    def recipe(self, connection: sqlite3.Connection, token: str) -> Recipe | None:
        row = connection.execute("SELECT * FROM recipes WHERE token = ?", [token]).fetchone()
        return None if row is None else _recipe(row)

    @writes
    def keep_notice(self, connection: sqlite3.Connection, user_id: int, notice: Notice) -> None:
        connection.execute(
            "INSERT INTO notices (user_id, key, values_json, kept_at) VALUES (?, ?, ?, ?)",
            [user_id, notice.key, values_text(notice.values), to_text(self._db.clock())],
        )

    @writes
    def take_notices(self, connection: sqlite3.Connection, user_id: int) -> list[Notice]:
        rows = connection.execute(
            "SELECT key, values_json FROM notices WHERE user_id = ? ORDER BY id", [user_id]
        ).fetchall()
        connection.execute("DELETE FROM notices WHERE user_id = ?", [user_id])
        return [notice_of(row) for row in rows]


def admins(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("SELECT user_id FROM people WHERE role = 'admin' ORDER BY user_id")
    return [row["user_id"] for row in rows]


def _person(connection: sqlite3.Connection, user_id: int) -> Person:
    row = connection.execute("SELECT * FROM people WHERE user_id = ?", [user_id]).fetchone()
    if row is None:
        return Person(user_id)
    return person_of(row, told_at=to_time(row["told_at"]))


def _put_person(connection: sqlite3.Connection, person: Person) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO people (user_id, role, language, told_at, companies, crop_preview)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            person.user_id,
            person.role,
            person.language,
            None if person.told_at is None else to_text(person.told_at),
            companies_text(person.companies),
            person.crop_preview,
        ],
    )


def _insert_recipe(connection: sqlite3.Connection, recipe: Recipe) -> None:
    request, created_at = request_text(recipe.request), to_text(recipe.created_at)
    connection.execute(
        "INSERT INTO recipes (token, task_id, user_id, request, created_at) VALUES (?, ?, ?, ?, ?)",
        [recipe.token, recipe.task_id, recipe.user_id, request, created_at],
    )


def _recipe(row: sqlite3.Row) -> Recipe:
    request = request_of(row["request"])
    return Recipe(row["token"], row["task_id"], row["user_id"], request, to_utc(row["created_at"]))
