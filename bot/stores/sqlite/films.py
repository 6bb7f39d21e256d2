"""Films."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.errors import StaleTask
from bot.film import Film
from bot.store.films import film_of, film_text, update_film
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_time


class SQLiteFilms(Subject):
    """A `bot.store.FilmStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, film: Film) -> Film:
        there = _all(connection, "update_id = :update_id", {"update_id": film.update_id})
        if there:
            return there[0]
        connection.execute(
            "INSERT INTO films (id, version, chat_id, user_id, is_open, body, update_id, due_at, finished_at)"
            " VALUES (:id, :version, :chat_id, :user_id, :is_open, :body, :update_id, :due_at, :finished_at)",
            _values(film),
        )
        return film

    @reads
    def get(self, connection: sqlite3.Connection, film_id: str) -> Film | None:
        return next(iter(_all(connection, "id = :id", {"id": film_id})), None)

    @reads
    def find(self, connection: sqlite3.Connection, update_id: int) -> Film | None:
        return next(iter(_all(connection, "update_id = :update_id", {"update_id": update_id})), None)

    @writes
    def save(self, connection: sqlite3.Connection, film: Film) -> Film:
        saved = connection.execute(
            "UPDATE films SET version = version + 1, chat_id = :chat_id, is_open = :is_open, body = :body,"
            " due_at = :due_at, finished_at = :finished_at WHERE id = :id AND version = :version",
            _values(film),
        )
        if not saved.rowcount:
            raise StaleTask(f"{film.id}: another version")
        return replace(film, version=film.version + 1)

    async def update(self, film_id: str, move: Callable[[Film], Film]) -> Film | None:
        return await update_film(self, film_id, move)

    @reads
    def due(self, connection: sqlite3.Connection, now: datetime, limit: int) -> list[Film]:
        where = "due_at <= :now ORDER BY due_at LIMIT :limit"
        return _all(connection, where, {"now": to_text(now), "limit": limit})

    @reads
    def next_due(self, connection: sqlite3.Connection, after: datetime) -> datetime | None:
        sql = "SELECT min(due_at) FROM films WHERE due_at > ?"
        return to_time(connection.execute(sql, [to_text(after)]).fetchone()[0])

    @reads
    def open_films(
        self, connection: sqlite3.Connection, chat_id: int | None = None, user_id: int | None = None
    ) -> list[Film]:
        where = "is_open = 1"
        where += " AND chat_id = :chat_id" if chat_id is not None else ""
        where += " AND user_id = :user_id" if user_id is not None else ""
        where += " ORDER BY rowid DESC"
        return _all(connection, where, {"chat_id": chat_id, "user_id": user_id})

    @writes
    def forget(self, connection: sqlite3.Connection, user_id: int) -> list[Film]:
        films = _all(connection, "user_id = :user_id", {"user_id": user_id})
        connection.execute("DELETE FROM films WHERE user_id = ?", [user_id])
        return films


def _all(connection: sqlite3.Connection, where: str, values: dict[str, Any]) -> list[Film]:
    rows = connection.execute(f"SELECT body, version, chat_id FROM films WHERE {where}", values)  # noqa: S608 - our own words
    return [film_of(row["body"], row["version"], row["chat_id"]) for row in rows]


def _values(film: Film) -> dict[str, Any]:
    return {
        "id": film.id,
        "version": film.version,
        "chat_id": film.card.chat_id,
        "user_id": film.user_id,
        "is_open": int(film.is_open),
        "body": film_text(film),
        "update_id": film.update_id,
        "due_at": to_text(film.due_at) if film.due_at else None,
        "finished_at": to_text(film.finished_at) if film.finished_at else None,
    }
