"""People and chats in SQL. Every function takes a connection and holds to `bot.store.PeopleStore`."""

from __future__ import annotations

from dataclasses import replace

from bot.store import ChatRecord, Person
from bot.stores.postgres import tasks
from bot.stores.postgres.connections import Connection, affected
from bot.stores.values import chat_of, companies_text, person_of, settings_text

_CLAIM_LOCK = 0x61_64_6D_69_6E
"""One claim after another, through whatever links: "admin"."""


async def person(connection: Connection, user_id: int) -> Person:
    row = await connection.fetchrow("SELECT * FROM people WHERE user_id = $1", user_id)
    return Person(user_id) if row is None else person_of(row)


async def put_person(connection: Connection, person: Person) -> None:
    await connection.execute(
        "INSERT INTO people (user_id, role, language, told_at, companies, crop_preview)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id) DO UPDATE SET"
        " (role, language, told_at, companies, crop_preview) = (excluded.role, excluded.language,"
        " excluded.told_at, excluded.companies, excluded.crop_preview)",
        person.user_id,
        person.role,
        person.language,
        person.told_at,
        companies_text(person.companies),
        person.crop_preview,
    )


async def admins(connection: Connection) -> list[int]:
    rows = await connection.fetch("SELECT user_id FROM people WHERE role = 'admin' ORDER BY user_id")
    return [row["user_id"] for row in rows]


async def claim_admin(connection: Connection, mark: str, user_id: int) -> bool:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
    deleted = await connection.execute("DELETE FROM marks WHERE key = $1", mark)
    if not affected(deleted) or await admins(connection):
        return False
    await put_person(connection, replace(await person(connection, user_id), role="admin"))
    return True


async def chat(connection: Connection, chat_id: int) -> ChatRecord:
    row = await connection.fetchrow("SELECT * FROM chats WHERE chat_id = $1", chat_id)
    return ChatRecord(chat_id) if row is None else chat_of(row)


async def put_chat(connection: Connection, chat: ChatRecord) -> None:
    await connection.execute(
        "INSERT INTO chats (chat_id, told_at, settings, moved_from) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (chat_id) DO UPDATE SET (told_at, settings, moved_from)"
        " = (excluded.told_at, excluded.settings, excluded.moved_from)",
        chat.chat_id,
        chat.told_at,
        settings_text(chat.settings),
        chat.moved_from,
    )


async def forget(connection: Connection, user_id: int) -> int:
    changed = await tasks.forget(connection, user_id)
    await connection.execute("DELETE FROM recipes WHERE user_id = $1", user_id)
    await connection.execute("DELETE FROM notices WHERE user_id = $1", user_id)
    await connection.execute("DELETE FROM chats WHERE chat_id = $1", user_id)
    await connection.execute("DELETE FROM passes WHERE user_id = $1", user_id)
    known = await person(connection, user_id)
    if known.role is None:
        await connection.execute("DELETE FROM people WHERE user_id = $1", user_id)
    else:
        await put_person(connection, Person(user_id, role=known.role))
    return changed
