"""Films."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.errors import StaleTask
from bot.film import Film
from bot.store.films import film_of, film_text, update_film
from bot.stores.postgres.connection.database import Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection

_READ = "SELECT body, version, chat_id FROM films WHERE "


class PostgresFilms(Subject):
    """A `bot.store.FilmStore`."""

    @transacts
    async def add(self, connection: Connection, film: Film) -> Film:
        await connection.execute(
            "INSERT INTO films (id, version, chat_id, user_id, is_open, body, update_id, due_at, finished_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " ON CONFLICT (update_id) WHERE update_id IS NOT NULL DO NOTHING",
            film.id,
            film.version,
            film.card.chat_id,
            film.user_id,
            film.is_open,
            film_text(film),
            film.update_id,
            film.due_at,
            film.finished_at,
        )
        there = await _all(connection, "update_id = $1", film.update_id)
        return there[0] if there else film

    @reads
    async def get(self, connection: Connection, film_id: str) -> Film | None:
        return next(iter(await _all(connection, "id = $1", film_id)), None)

    @reads
    async def find(self, connection: Connection, update_id: int) -> Film | None:
        return next(iter(await _all(connection, "update_id = $1", update_id)), None)

    @writes
    async def save(self, connection: Connection, film: Film) -> Film:
        saved = await connection.execute(
            "UPDATE films SET version = version + 1, chat_id = $3, is_open = $4, body = $5, due_at = $6,"
            " finished_at = $7 WHERE id = $1 AND version = $2",
            film.id,
            film.version,
            film.card.chat_id,
            film.is_open,
            film_text(film),
            film.due_at,
            film.finished_at,
        )
        if saved == "UPDATE 0":
            raise StaleTask(f"{film.id}: another version")
        return replace(film, version=film.version + 1)

    async def update(self, film_id: str, move: Callable[[Film], Film]) -> Film | None:
        return await update_film(self, film_id, move)

    @reads
    async def due(self, connection: Connection, now: datetime, limit: int) -> list[Film]:
        return await _all(connection, "due_at <= $1 ORDER BY due_at LIMIT $2", now, limit)

    @reads
    async def next_due(self, connection: Connection, after: datetime) -> datetime | None:
        at: datetime | None = await connection.fetchval(
            "SELECT min(due_at) FROM films WHERE due_at > $1", after
        )
        return at

    @reads
    async def open_films(
        self, connection: Connection, chat_id: int | None = None, user_id: int | None = None
    ) -> list[Film]:
        where = "is_open AND ($1::bigint IS NULL OR chat_id = $1) AND ($2::bigint IS NULL OR user_id = $2)"
        films = await _all(connection, where, chat_id, user_id)
        return sorted(films, key=lambda film: film.created_at, reverse=True)

    @writes
    async def forget(self, connection: Connection, user_id: int) -> list[Film]:
        rows = await connection.fetch(
            "DELETE FROM films WHERE user_id = $1 RETURNING body, version, chat_id", user_id
        )
        return [film_of(row["body"], row["version"], row["chat_id"]) for row in rows]


async def _all(connection: Connection, where: str, *values: object) -> list[Film]:
    rows = await connection.fetch(_READ + where, *values)
    return [film_of(row["body"], row["version"], row["chat_id"]) for row in rows]
