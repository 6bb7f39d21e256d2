"""What the subjects of the store share: the pool, this process, and how a method's SQL gets a connection."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.stores.postgres.connection.pool import Connection, Connections

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    connections: Connections
    clock: Callable[[], datetime]
    me: str
    """The id of this process."""


class Subject:
    """One subject of the store. Its methods are written with the connection as their first argument, which
    the decorators below supply. What goes wrong is a StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db


S = TypeVar("S", bound=Subject)
Query = Callable[Concatenate[S, Connection, P], Awaitable[T]]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def reads(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run it on a connection. It changes nothing, so it may run again on a new one."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.connections.read(lambda connection: query(self, connection, *args, **kwargs))

    return method


def writes(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run one statement that writes, and return once that is durable."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.connections.write(lambda connection: query(self, connection, *args, **kwargs))

    return method


def transacts(query: Query[S, P, T]) -> Method[S, P, T]:
    """Run several statements in a transaction: all of them, or none. It may run again."""

    @functools.wraps(query)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.connections.transact(
            lambda connection: query(self, connection, *args, **kwargs)
        )

    return method
