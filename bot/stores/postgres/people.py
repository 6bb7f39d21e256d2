"""People, chats, recipes and notices."""

from __future__ import annotations

from dataclasses import replace

from bot.store.people import ChatRecord, Notice, Person, Recipe
from bot.stores.postgres.connection.database import Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection, affected
from bot.stores.values import (
    Row,
    chat_of,
    companies_text,
    notice_of,
    person_of,
    request_of,
    request_text,
    settings_text,
    values_text,
)

_CLAIM_LOCK = 0x61_64_6D_69_6E
"""One claim after another, through whatever links: "admin"."""


class PostgresPeople(Subject):
    """A `bot.store.PeopleStore`."""

    @reads
    async def person(self, connection: Connection, user_id: int) -> Person:
        return await _person(connection, user_id)

    @writes
    async def put_person(self, connection: Connection, person: Person) -> None:
        await _put_person(connection, person)

    @reads
    async def admins(self, connection: Connection) -> list[int]:
        return await admins(connection)

    @transacts
    async def claim_admin(self, connection: Connection, flag: str, user_id: int) -> bool:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        deleted = await connection.execute("DELETE FROM flags WHERE key = $1", flag)
        if not affected(deleted) or await admins(connection):
            return False
        await _put_person(connection, replace(await _person(connection, user_id), role="admin"))
        return True

    @transacts
    async def remove_admin(self, connection: Connection, user_id: int) -> bool:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CLAIM_LOCK)
        known = await _person(connection, user_id)
        if known.role is None:
            return False
        await _put_person(connection, replace(known, role=None))
        await connection.execute("DELETE FROM tokens WHERE user_id = $1", user_id)
        await connection.execute("DELETE FROM flags WHERE key LIKE 'claim %'")
        return True

    @reads
    async def chat(self, connection: Connection, chat_id: int) -> ChatRecord:
        row = await connection.fetchrow("SELECT * FROM chats WHERE chat_id = $1", chat_id)
        return ChatRecord(chat_id) if row is None else chat_of(row)

    @writes
    async def put_chat(self, connection: Connection, chat: ChatRecord) -> None:
        await connection.execute(
            "INSERT INTO chats (chat_id, told_at, settings, moved_from) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (chat_id) DO UPDATE SET (told_at, settings, moved_from)"
            " = (excluded.told_at, excluded.settings, excluded.moved_from)",
            chat.chat_id,
            chat.told_at,
            settings_text(chat.settings),
            chat.moved_from,
        )

    @transacts
    async def forget(self, connection: Connection, user_id: int) -> int:
        forgotten = await connection.execute(
            "UPDATE tasks SET request = json_build_object('model', request::json->>'model')::text,"
            " user_name = '', error_detail = NULL, video_url = NULL, file_id = NULL, version = version + 1"
            " WHERE user_id = $1 AND delivered_at IS NOT NULL",
            user_id,
        )
        await connection.execute(
            "UPDATE tasks SET cancelled_by_name = '', version = version + 1"
            " WHERE cancelled_by = $1 AND delivered_at IS NOT NULL",
            user_id,
        )
        await connection.execute("DELETE FROM recipes WHERE user_id = $1", user_id)
        await connection.execute("DELETE FROM notices WHERE user_id = $1", user_id)
        await connection.execute("DELETE FROM chats WHERE chat_id = $1", user_id)
        await connection.execute("DELETE FROM tokens WHERE user_id = $1", user_id)
        known = await _person(connection, user_id)
        if known.role is None:
            await connection.execute("DELETE FROM people WHERE user_id = $1", user_id)
        else:
            await _put_person(connection, Person(user_id, role=known.role))
        return affected(forgotten)

    @transacts
    async def add_recipe(self, connection: Connection, recipe: Recipe) -> Recipe:
        request = request_text(recipe.request)
        await connection.execute("SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", recipe.task_id)
        there = await connection.fetchrow(
            "SELECT * FROM recipes WHERE task_id = $1 AND request = $2", recipe.task_id, request
        )
        if there is not None:
            return _recipe(there)
        await _insert_recipe(connection, recipe)
        return recipe

    @transacts
    async def replace_recipe(self, connection: Connection, recipe: Recipe) -> Recipe:
        row = await connection.fetchrow(
            "UPDATE recipes SET (request, created_at) = ($1, $2) WHERE task_id = $3 AND user_id = $4"
            " RETURNING *",
            request_text(recipe.request),
            recipe.created_at,
            recipe.task_id,
            recipe.user_id,
        )
        if row is not None:
            return _recipe(row)
        await _insert_recipe(connection, recipe)
        return recipe

    @reads
    async def recipe(self, connection: Connection, token: str) -> Recipe | None:
        row = await connection.fetchrow("SELECT * FROM recipes WHERE token = $1", token)
        return None if row is None else _recipe(row)

    @writes
    async def keep_notice(self, connection: Connection, user_id: int, notice: Notice) -> None:
        await connection.execute(
            "INSERT INTO notices (user_id, key, values_json, kept_at) VALUES ($1, $2, $3, $4)",
            user_id,
            notice.key,
            values_text(notice.values),
            self._db.clock(),
        )

    @writes
    async def take_notices(self, connection: Connection, user_id: int) -> list[Notice]:
        rows = await connection.fetch("DELETE FROM notices WHERE user_id = $1 RETURNING *", user_id)
        return [notice_of(row) for row in sorted(rows, key=lambda row: row["id"])]


async def admins(connection: Connection) -> list[int]:
    rows = await connection.fetch("SELECT user_id FROM people WHERE role = 'admin' ORDER BY user_id")
    return [row["user_id"] for row in rows]


async def _person(connection: Connection, user_id: int) -> Person:
    row = await connection.fetchrow("SELECT * FROM people WHERE user_id = $1", user_id)
    return Person(user_id) if row is None else person_of(row)


async def _put_person(connection: Connection, person: Person) -> None:
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


async def _insert_recipe(connection: Connection, recipe: Recipe) -> None:
    await connection.execute(
        "INSERT INTO recipes (token, task_id, user_id, request, created_at) VALUES ($1, $2, $3, $4, $5)",
        recipe.token,
        recipe.task_id,
        recipe.user_id,
        request_text(recipe.request),
        recipe.created_at,
    )


def _recipe(row: Row) -> Recipe:
    request = request_of(row["request"])
    return Recipe(row["token"], row["task_id"], row["user_id"], request, row["created_at"])
