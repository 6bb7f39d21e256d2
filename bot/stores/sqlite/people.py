"""People and chats in SQL. Every function runs on the writer thread and holds to `bot.store.PeopleStore`."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from bot.store import ChatRecord, Person
from bot.stores.sqlite import tasks
from bot.stores.sqlite.rows import to_text, to_time
from bot.stores.values import chat_of, companies_text, person_of, settings_text


def person(connection: sqlite3.Connection, user_id: int) -> Person:
    row = connection.execute("SELECT * FROM people WHERE user_id = ?", [user_id]).fetchone()
    if row is None:
        return Person(user_id)
    return person_of(row, told_at=to_time(row["told_at"]))


def put_person(connection: sqlite3.Connection, person: Person) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO people (user_id, role, language, told_at, companies, crop_preview)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            person.user_id,
            person.role,
            person.language,
            _text(person.told_at),
            companies_text(person.companies),
            person.crop_preview,
        ],
    )


def admins(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("SELECT user_id FROM people WHERE role = 'admin' ORDER BY user_id")
    return [row["user_id"] for row in rows]


def claim_admin(connection: sqlite3.Connection, mark: str, user_id: int) -> bool:
    if connection.execute("DELETE FROM marks WHERE key = ?", [mark]).rowcount == 0 or admins(connection):
        return False
    put_person(connection, replace(person(connection, user_id), role="admin"))
    return True


def chat(connection: sqlite3.Connection, chat_id: int) -> ChatRecord:
    row = connection.execute("SELECT * FROM chats WHERE chat_id = ?", [chat_id]).fetchone()
    if row is None:
        return ChatRecord(chat_id)
    return chat_of(row, told_at=to_time(row["told_at"]))


def put_chat(connection: sqlite3.Connection, chat: ChatRecord) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO chats (chat_id, told_at, settings, moved_from) VALUES (?, ?, ?, ?)",
        [
            chat.chat_id,
            _text(chat.told_at),
            settings_text(chat.settings),
            chat.moved_from,
        ],
    )


def forget(connection: sqlite3.Connection, user_id: int) -> int:
    changed = tasks.forget(connection, user_id)
    connection.execute("DELETE FROM recipes WHERE user_id = ?", [user_id])
    connection.execute("DELETE FROM notices WHERE user_id = ?", [user_id])
    connection.execute("DELETE FROM chats WHERE chat_id = ?", [user_id])
    connection.execute("DELETE FROM passes WHERE user_id = ?", [user_id])
    known = person(connection, user_id)
    if known.role is None:
        connection.execute("DELETE FROM people WHERE user_id = ?", [user_id])
    else:
        put_person(connection, Person(user_id, role=known.role))
    return changed


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
