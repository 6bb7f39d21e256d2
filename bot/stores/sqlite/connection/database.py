"""What the subjects of the store share: the writer, the reader, and how a method's SQL gets to them."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.stores.sqlite.connection.reader import Reader
from bot.stores.sqlite.connection.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    path: Path
    writer: Writer
    reader: Reader
    clock: Callable[[], datetime]


class Subject:
    """One subject of the store. Its methods are written with the connection as their first argument, which
    the decorators below supply: they run on a database thread, and what the database refuses is a
    StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db


S = TypeVar("S", bound=Subject)
Query = Callable[Concatenate[S, sqlite3.Connection, P], T]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def reads(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run it on the writer thread, where it sees every write asked for before."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.writer.read(lambda connection: query(self, connection, *args, **kwargs))

    return method


def writes(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run it on the writer thread in a transaction, and return once that is durable. It may run twice, and
    sees nothing of its first run then."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.writer.write(lambda connection: query(self, connection, *args, **kwargs))

    return method


def reads_apart(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run a long question on the reader's connection, beside the writer's work."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.reader.read(lambda connection: query(self, connection, *args, **kwargs))

    return method
