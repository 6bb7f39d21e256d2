"""Listens for what another process has made due (LISTEN). What is missed, the next tick finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from bot.log import get_log
from bot.stores.postgres.connection.pool import CONNECT, LOST

_CHANNEL = "dreamreel"
_AGAIN_S = 1.0


class NotificationListener:
    """A connection of its own, made again whenever it is lost. Open from `begin` to `end`.

    While it is open it holds the lock `alive`, by which the server knows that this process is there.
    """

    def __init__(self, url: str, alive: int) -> None:
        self._url = url
        self._alive = alive
        self._is_listening = False
        self._lost = asyncio.Event()
        self._wakes: list[Callable[[], None]] = []
        self._listening: asyncio.Task[None] | None = None
        self._log = get_log(__name__)

    def on_work(self, wake: Callable[[], None]) -> None:
        self._wakes.append(wake)
        if self._is_listening:
            wake()  # who knows what was said before

    def begin(self) -> None:
        self._listening = asyncio.create_task(self._listen(), name="listening to the database")

    async def end(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    def reconnect(self) -> None:
        """Drop the connection: its server is not the one that counts any more."""
        self._lost.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (*LOST, asyncpg.PostgresError) as error:
                self._log.debug("the database cannot be listened to", reason=type(error).__name__)
            await asyncio.sleep(_AGAIN_S)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost."""
        connection = await asyncpg.connect(self._url, **CONNECT)
        lost = self._lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            # Tried, not waited for: a connection that is lost may still be in its place for the server.
            await connection.execute(f"SELECT pg_try_advisory_lock({self._alive:d})")
            await connection.add_listener(_CHANNEL, self._on_notify)
            self._is_listening = True
            self._wake()
            await lost.wait()
        finally:
            self._is_listening = False
            connection.terminate()

    def _on_notify(self, *_: object) -> None:
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()
