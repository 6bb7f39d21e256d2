"""Which processes are alive: the heartbeat of this one, and an eye on the others.

All times here are the server's. A process holds a lock for as long as its connection lives, so the server
knows if it is gone: killed, and its machine has said so. The leases of a dead process end as soon as
another one notices. Of one that is merely silent a submit in flight keeps its lease: it may be alive,
blocked or cut off, and only the end of the lease says that the answer is lost.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from datetime import datetime

from bot.errors import StoreError
from bot.log import get_log
from bot.stores.postgres.connection.database import Database, Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection, affected
from bot.stores.postgres.leases import ServerClock

ALIVE_S = 15.0
"""Without a heartbeat for so long a process is dead."""
_RENEW_S = 3.0
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"


def new_process() -> str:
    return secrets.token_hex(8)


def lock_of(process: str) -> int:
    """Return the key of the lock that it holds while it is connected."""
    return int.from_bytes(bytes.fromhex(process), signed=True)


class ProcessHeartbeat(Subject):
    def __init__(self, db: Database, clock: ServerClock) -> None:
        super().__init__(db)
        self._clock = clock
        self._log = get_log(__name__)
        self._watch: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._renew()
        await self._read_clock()
        self._watch = asyncio.create_task(self._keep_watch(), name="heartbeat")

    async def end(self) -> None:
        """End in order: nobody has to wait until this process is thought dead."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            with suppress(StoreError):
                await self._leave()

    @transacts
    async def release_dead_leases(self, connection: Connection) -> tuple[int, int]:
        """End the leases of processes whose time has run out; return how many processes, and leases.

        Versions are raised: a process that was only thought dead is refused, and reads again.
        """
        dead = await connection.fetch(
            "DELETE FROM processes WHERE alive_until < clock_timestamp() RETURNING id"
        )
        if not dead:
            return 0, 0
        ids = [row["id"] for row in dead]
        gone = [one for one in ids if await connection.fetchval(_TRY_LOCK, lock_of(one))]
        tasks = await connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL,"
            " version = version + 1 WHERE leased_by = ANY($1)"
            " AND (slot_until IS NULL OR remote_id IS NOT NULL OR leased_by = ANY($2))",
            ids,
            gone,
        )
        updates = await connection.execute(
            "UPDATE updates SET leased_until = NULL, leased_by = NULL, due_at = NULL,"
            " attempts = attempts + 1, deaths = deaths + 1 WHERE leased_by = ANY($1) AND state = 'open'",
            ids,
        )
        # Of one that is merely silent they run out: it may be in the middle of what they guard.
        names = await connection.execute("DELETE FROM leases WHERE owner = ANY($1)", gone)
        return len(ids), affected(tasks) + affected(updates) + affected(names)

    async def _keep_watch(self) -> None:
        """Renew the heartbeat until cancelled. After an outage of the database no process has renewed its own
        for a while: the others get as long as they need for it before they are thought dead."""
        since = time.monotonic()
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                await self._renew()
                await self._read_clock()
                if time.monotonic() - since > ALIVE_S:
                    dead, leases = await self.release_dead_leases()
                    if dead:
                        self._log.warning("another process died", processes=dead, leases=leases)
            except StoreError:
                since = time.monotonic()

    @transacts
    async def _renew(self, connection: Connection) -> None:
        # What a crash of the server forgets of these is older than the crash.
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute(
            "INSERT INTO processes (id, alive_until)"
            " VALUES ($1, clock_timestamp() + make_interval(secs => $2))"
            " ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until",
            self._db.me,
            ALIVE_S,
        )

    @writes
    async def _leave(self, connection: Connection) -> None:
        await connection.execute("DELETE FROM processes WHERE id = $1", self._db.me)

    async def _read_clock(self) -> None:
        asked = time.monotonic()
        at = await self._server_time()
        self._clock.set(at, asked, time.monotonic())

    @reads
    async def _server_time(self, connection: Connection) -> datetime:
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return at
