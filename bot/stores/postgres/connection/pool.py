"""The pool of connections to the server, which mends itself, and the server's errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import asyncpg

from bot.errors import StoreError, StoreUnavailable, Unstorable
from bot.stores.write_outage import WriteOutage

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 8
"""Connections of one process; a server takes 100 unless it is told otherwise."""
_CONNECT_LIMIT_S = 5.0
_COMMAND_LIMIT_S = 20.0
"""After that a server does not answer any more: its machine may be gone."""
_DEADLOCKS = 5
"""Two transactions may wait for each other; the server ends one of them, and it begins again."""
CONNECT: Mapping[str, Any] = {
    "timeout": _CONNECT_LIMIT_S,
    "server_settings": {"application_name": "dreamreel"},
    # Of several hosts the one that takes writes; a standby that is alone counts as no answer.
    "target_session_attrs": "read-write",
}
"""How every connection of the bot is made. A pooler such as PgBouncer refuses most other parameters here."""
_SET_UP = (
    "SET jit = off; SET timezone = 'UTC';"
    # Each question of every day has its index. While a table is small, or its figures are old, the planner
    # would read all of it, and a prepared statement keeps to its plan.
    " SET enable_seqscan = off; SET enable_bitmapscan = off"
)
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server that shuts down speaks out of turn
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it shuts down, or has not started up
)
"""No answer, or half of one. asyncpg.DataError is an InterfaceError too, and no loss."""


_READ_ONLY = asyncpg.ReadOnlySQLTransactionError
"""The server has become a standby. What was asked of it is certainly not done."""


class DatabaseLost(StoreUnavailable):
    """The server did not answer: what was asked of it may have been done, or not."""


class Connections:
    """Runs functions that take a connection. What goes wrong is a StoreError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.outage = WriteOutage()
        self._closing = False
        self.on_standby: Callable[[], None] = _ignore
        """Called when the server takes no writes any more: connections to it are worth nothing."""
        self._writes: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, url: str) -> Connections:
        """Open the pool. Raises asyncpg's own errors."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,  # else the pool looks after that number itself, and logs each failure
            max_size=_MOST,
            command_timeout=_COMMAND_LIMIT_S,
            init=_set_up,
            # No session of ours changes anything that had to be put back.
            reset=_leave_as_it_is,
            **CONNECT,
        )
        return cls(pool)

    async def prepare(self, do: Callable[[Connection], Awaitable[None]]) -> None:
        """Run it once, with errors as asyncpg raises them."""
        async with self._pool.acquire() as connection:
            await do(connection)

    async def read(
        self, do: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `do(connection, …)` returns. It changes nothing, so it may run again on a new
        connection."""
        if self._closing:
            raise StoreError("the database was closed")
        with translated(self.outage):
            try:
                async with self._acquired() as connection:
                    return await do(connection, *args, **kwargs)
            except LOST as error:
                if isinstance(error, asyncpg.DataError) or self._closing:
                    raise
            async with self._acquired() as connection:
                return await do(connection, *args, **kwargs)

    async def write(
        self, do: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `do(connection, …)` returns, once its one statement that writes is durable.

        A caller that is cancelled stops waiting but does not take the write back: it may hold the id of a job
        that was paid for.
        """
        return await self._finish(self._write(do, *args, **kwargs))

    async def transact(
        self, do: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `do(connection, …)` returns, once its statements are durable: all of them, or none. It
        may run again."""
        return await self._finish(self._transact(do, *args, **kwargs))

    async def _finish(self, write: Coroutine[Any, Any, T]) -> T:
        if self._closing:
            write.close()
            raise StoreError("the database was closed")
        task = asyncio.create_task(write)
        self._writes.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _write(
        self, do: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with translated(self.outage):
            with suppress(_READ_ONLY):
                async with self._acquired() as connection:
                    return await do(connection, *args, **kwargs)
            async with self._acquired() as connection:
                return await do(connection, *args, **kwargs)

    async def _transact(
        self, do: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with translated(self.outage):
            for _ in range(_DEADLOCKS):
                with suppress(asyncpg.DeadlockDetectedError, _READ_ONLY):
                    async with self._acquired() as connection, connection.transaction():
                        return await do(connection, *args, **kwargs)
        raise StoreError("the database refused: others were in the way again and again")

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        # The caller may be gone, and nobody else is to hear of an error.
        if not task.cancelled() and task.exception() is None:
            self.outage.worked()

    async def settle(self) -> None:
        """Wait until the writes under way have ended, also those that nobody waits for any more."""
        await asyncio.gather(*self._writes, return_exceptions=True)

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        self._closing = True
        await self.settle()
        try:
            await asyncio.wait_for(self._pool.close(), _CONNECT_LIMIT_S)
        except (*LOST, asyncpg.PostgresError):
            self._pool.terminate()

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        """Yield a connection; one that was lost is not used again."""
        async with self._pool.acquire() as connection:
            try:
                yield connection
            except LOST as error:
                if not isinstance(error, asyncpg.DataError):
                    connection.terminate()
                raise
            except _READ_ONLY:
                connection.terminate()
                await self._pool.expire_connections()
                self.on_standby()
                raise


def affected(done: str) -> int:
    """Return how many rows, from what the server says of a command: "UPDATE 3"."""
    return int(done.rsplit(" ", 1)[1])


_FULL_OR_STANDBY = (_READ_ONLY, asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)


@contextmanager
def translated(outage: WriteOutage) -> Iterator[None]:
    """Raise errors of the driver and the server as StoreError. Report to `outage` those that every write
    meets."""
    try:
        yield
    except (asyncpg.DataError, OverflowError, UnicodeEncodeError) as error:
        raise Unstorable(f"the database holds no such value ({type(error).__name__})") from None
    except LOST as error:
        reason = f"it does not answer ({type(error).__name__})"
        outage.failed(reason)
        raise DatabaseLost(f"the database refused: {reason}") from None
    except _FULL_OR_STANDBY as error:
        outage.failed(explain(error))
        raise StoreUnavailable(f"the database refused: {explain(error)}") from None
    except asyncpg.PostgresError as error:
        # Its own text may quote the row, and with it somebody's words.
        raise StoreError(f"the database refused: {explain(error)}") from None


def explain(error: asyncpg.PostgresError) -> str:
    """Return why the server refused, as the second half of a sentence."""
    match error:
        case asyncpg.DiskFullError():
            return "its disk is full, free some space"
        case asyncpg.ReadOnlySQLTransactionError():
            return "it takes no writes, a standby perhaps"
        case asyncpg.TooManyConnectionsError():
            return "it has too many connections already"
        case _:
            return f"PostgreSQL reports {error.sqlstate} ({type(error).__name__})"


async def _set_up(connection: Connection) -> None:
    await connection.execute(_SET_UP)


def _ignore() -> None:
    pass


async def _leave_as_it_is(_: object) -> None:
    pass
