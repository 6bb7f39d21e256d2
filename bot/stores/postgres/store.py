"""The store on one PostgreSQL: opens it, holds an object a subject, and closes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Self

from bot.stores.postgres.audit import PostgresAudit
from bot.stores.postgres.budget import PostgresBudget
from bot.stores.postgres.connection.database import Database
from bot.stores.postgres.connection.heartbeat import ProcessHeartbeat, lock_of, new_process
from bot.stores.postgres.connection.notifications import NotificationListener
from bot.stores.postgres.connection.opening import PATIENCE_S, open_database
from bot.stores.postgres.connection.pool import Connections
from bot.stores.postgres.films import PostgresFilms
from bot.stores.postgres.leases import PostgresLeases, ServerClock
from bot.stores.postgres.maintenance import PostgresMaintenance
from bot.stores.postgres.people import PostgresPeople
from bot.stores.postgres.providers import PostgresProviders
from bot.stores.postgres.rates import PostgresRates
from bot.stores.postgres.saver import Saver
from bot.stores.postgres.statistics import PostgresStatistics
from bot.stores.postgres.tasks import PostgresTasks
from bot.stores.postgres.tokens import PostgresTokens
from bot.stores.postgres.updates import PostgresUpdates


class PostgresStore:
    """A `bot.store.Store` that any number of processes share. What the database refuses is a StoreError."""

    def __init__(self, url: str, connections: Connections, clock: Callable[[], datetime] | None) -> None:
        server_clock = ServerClock()
        me = new_process()
        self._db = db = Database(connections, clock or server_clock, me)
        self._listener = NotificationListener(url, lock_of(me))
        connections.on_standby = self._listener.reconnect
        self._saver = Saver(connections, me)
        self._heartbeat = ProcessHeartbeat(db, server_clock)
        self.tasks = PostgresTasks(db, self._saver)
        self.films = PostgresFilms(db)
        self.updates = PostgresUpdates(db)
        self.people = PostgresPeople(db)
        self.audit = PostgresAudit(db)
        self.budget = PostgresBudget(db, self._saver)
        self.providers = PostgresProviders(db)
        self.statistics = PostgresStatistics(db)
        self.tokens = PostgresTokens(db)
        self.maintenance = PostgresMaintenance(db)
        self.rates = PostgresRates(db)
        self.leases = PostgresLeases(db, self._listener)

    @classmethod
    async def open(
        cls, url: str, clock: Callable[[], datetime] | None = None, *, patience_s: float = PATIENCE_S
    ) -> Self:
        """Connect, and bring the schema up to date. The leases of processes that have left end here.

        `clock` dates what arrives, the server's if it is None. SettingsError or StartError, one sentence
        without the password, if the database cannot be used.
        """
        store = cls(url, await open_database(url, patience_s), clock)
        try:
            store._listener.begin()
            await store._heartbeat.begin()
            await store.tasks.release()
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def commits(self) -> int:
        """How many transactions saved tasks: saves that wait together share one."""
        return self._saver.commits

    async def close(self) -> None:
        await self._listener.end()
        await self._saver.close()
        await self._heartbeat.end()
        await self._db.connections.close()
