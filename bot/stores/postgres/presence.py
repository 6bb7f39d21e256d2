"""This process among those that share the database: signs of life, and an eye on the others."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from bot.errors import StoreError
from bot.log import get_log
from bot.stores.postgres import processes
from bot.stores.postgres.connections import Connections
from bot.stores.postgres.sharing import ServerClock


class ProcessHeartbeat:
    def __init__(self, connections: Connections, me: str, clock: ServerClock) -> None:
        self._db = connections
        self._me = me
        self._clock = clock
        self._log = get_log(__name__)
        self._watch: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._db.transact(processes.renew, self._me)
        await self._read_clock()
        self._watch = asyncio.create_task(self._keep_watch(), name="presence")

    async def end(self) -> None:
        """An orderly end: nobody has to wait until this process is thought dead."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            with suppress(StoreError):
                await self._db.write(processes.leave, self._me)

    async def _keep_watch(self) -> None:
        """Until cancelled. After an outage of the database nobody has given a sign for a while: the others
        get as long as they need for one before they are thought dead."""
        since = time.monotonic()
        while True:
            await asyncio.sleep(processes.RENEW_S)
            try:
                await self._db.transact(processes.renew, self._me)
                await self._read_clock()
                if time.monotonic() - since > processes.ALIVE_S:
                    dead, leases = await self._db.transact(processes.release_dead_leases)
                    if dead:
                        self._log.warning("another process died", processes=dead, leases=leases)
            except StoreError:
                since = time.monotonic()

    async def _read_clock(self) -> None:
        asked = time.monotonic()
        at = await self._db.read(processes.server_time)
        self._clock.set(at, asked, time.monotonic())
