"""Leases on names, the common clock, and who has moved a task last.

Leases live in a table that is not logged: a crash of the server ends them all, and nobody waits for the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bot.errors import StoreError
from bot.stores.postgres.connection.database import Database, Subject, reads, writes
from bot.stores.postgres.connection.notifications import NotificationListener
from bot.stores.postgres.connection.pool import Connection

_GOOD_S = 0.1
"""A clock that was read in a round trip longer than this is good enough only if there is no better."""


class ServerClock:
    """The server's time, carried on by this machine's own counter, whatever its calendar says."""

    def __init__(self) -> None:
        self._read: tuple[datetime, float] | None = None

    def set(self, at: datetime, asked: float, answered: float) -> None:
        """Take over that the server said `at`, at some time between the two moments of the counter."""
        if self._read is None or answered - asked < _GOOD_S:
            self._read = (at, (asked + answered) / 2)

    def __call__(self) -> datetime:
        if self._read is None:
            return datetime.now(UTC)
        at, counted = self._read
        return at + timedelta(seconds=time.monotonic() - counted)


class PostgresLeases(Subject):
    """A `bot.store.LeaseStore`."""

    is_shared = True
    tick_s = 1.0

    def __init__(self, db: Database, listener: NotificationListener) -> None:
        super().__init__(db)
        self._listener = listener

    def now(self) -> datetime:
        return self._db.clock()

    def on_work(self, wake: Callable[[], None]) -> None:
        self._listener.on_work(wake)

    @writes
    async def take_lease(self, connection: Connection, name: str, lease_s: float) -> bool:
        taken = await connection.fetchval(
            "INSERT INTO leases (name, owner, until)"
            " VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3)) ON CONFLICT (name) DO UPDATE"
            " SET owner = excluded.owner, until = excluded.until"
            " WHERE leases.owner = excluded.owner OR leases.until < clock_timestamp() RETURNING TRUE",
            name,
            self._db.me,
            lease_s,
        )
        return taken is not None

    async def end_lease(self, name: str) -> None:
        with suppress(StoreError):  # it runs out
            await self._end(name)

    @writes
    async def _end(self, connection: Connection, name: str) -> None:
        await connection.execute("DELETE FROM leases WHERE name = $1 AND owner = $2", name, self._db.me)

    @reads
    async def holds_lease(self, connection: Connection, name: str) -> bool:
        held: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM leases"
            " WHERE name = $1 AND owner = $2 AND until >= clock_timestamp())",
            name,
            self._db.me,
        )
        return held

    @reads
    async def count_processes(self, connection: Connection) -> int:
        live: int = await connection.fetchval(
            "SELECT count(*) FROM processes WHERE alive_until >= clock_timestamp()"
        )
        return live

    @reads
    async def is_ours(self, connection: Connection, task_id: str) -> bool:
        # One that is not stored so far cannot be anybody else's.
        ours: bool | None = await connection.fetchval(
            "SELECT moved_by = $2 OR moved_by NOT IN (SELECT id FROM processes) FROM tasks WHERE id = $1",
            task_id,
            self._db.me,
        )
        return ours is not False
