"""Films, and the contract of a store that keeps them. Their shots are tasks (`Task.film_id`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter

from bot.errors import StaleTask
from bot.film import Film

_UPDATE_TRIES = 100
_FILM = TypeAdapter(Film)


class FilmStore(Protocol):
    async def add(self, film: Film) -> Film:
        """Store a new film and return it as stored; if one of the same `update_id` is there, return that."""

    async def get(self, film_id: str) -> Film | None: ...

    async def find(self, update_id: int) -> Film | None:
        """Return the film that an update made."""

    async def save(self, film: Film) -> Film:
        """Write the row and return it as stored. Compares `film.version` and raises it by one.

        StaleTask if the row has another version, or is gone.
        """

    async def update(self, film_id: str, move: Callable[[Film], Film]) -> Film | None:
        """Read a film, save what `move` makes of it and return it as stored; None if it is gone.

        If somebody else moved it in between, it is read again, so `move` must be pure.
        """

    async def due(self, now: datetime, limit: int) -> list[Film]:
        """Return those whose `due_at` has come, the oldest first. They are not leased."""

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the next one becomes due after that time; None if there is none."""

    async def open_films(self, chat_id: int | None = None, user_id: int | None = None) -> list[Film]:
        """Return the films with `is_open`, of a chat or a person, newest first."""

    async def forget(self, user_id: int) -> list[Film]:
        """Delete all films of a person and return them."""


def film_text(film: Film) -> str:
    """Return the JSON that is stored of a film."""
    return _FILM.dump_json(film).decode()


def film_of(body: str, version: int, chat_id: int) -> Film:
    """Return the film in a row. A group that has another id now took its films along, but not their cards."""
    film = _FILM.validate_json(body)
    card = film.card if film.card.chat_id == chat_id else film.card.in_chat(chat_id)
    return replace(film, version=version, card=card)


async def update_film(films: FilmStore, film_id: str, move: Callable[[Film], Film]) -> Film | None:
    """Do what `FilmStore.update` says with any store."""
    for tries_left in reversed(range(_UPDATE_TRIES)):
        film = await films.get(film_id)
        if film is None:
            return None
        try:
            return await films.save(move(film))
        except StaleTask:
            if not tries_left:
                raise
    return None
