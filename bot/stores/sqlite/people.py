"""People and chats in SQL. Every function runs on the writer thread and holds to `bot.store.PeopleStore`."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from bot.store import ChatRecord, Person
from bot.stores.sqlite.rows import to_text, to_time


def person(connection: sqlite3.Connection, user_id: int) -> Person:
    row = connection.execute("SELECT * FROM people WHERE user_id = ?", [user_id]).fetchone()
    if row is None:
        return Person(user_id)
    return Person(
        user_id,
        role=row["role"],
        language=row["language"],
        told_at=to_time(row["told_at"]),
        companies=frozenset(json.loads(row["companies"])),
        crop_preview=bool(row["crop_preview"]),
    )


def put_person(connection: sqlite3.Connection, person: Person) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO people (user_id, role, language, told_at, companies, crop_preview)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            person.user_id,
            person.role,
            person.language,
            _text(person.told_at),
            json.dumps(sorted(person.companies)),
            person.crop_preview,
        ],
    )


def admins(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute("SELECT user_id FROM people WHERE role = 'admin' ORDER BY user_id")
    return [row["user_id"] for row in rows]


def chat(connection: sqlite3.Connection, chat_id: int) -> ChatRecord:
    row = connection.execute("SELECT told_at FROM chats WHERE chat_id = ?", [chat_id]).fetchone()
    return ChatRecord(chat_id, None if row is None else to_time(row["told_at"]))


def put_chat(connection: sqlite3.Connection, chat: ChatRecord) -> None:
    connection.execute(
        "INSERT INTO chats (chat_id, told_at) VALUES (?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE SET told_at = excluded.told_at",
        [chat.chat_id, _text(chat.told_at)],
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
