"""The store in one SQLite file: opens it, holds an object a subject, and closes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self

from bot.errors import SettingsError, StartError, StoreError
from bot.log import get_log
from bot.send_rates import MemoryRateStore
from bot.store.leases import SingleProcess, utc_now
from bot.stores.sqlite.audit import SQLiteAudit
from bot.stores.sqlite.budget import SQLiteBudget
from bot.stores.sqlite.connection.clock import follow_back
from bot.stores.sqlite.connection.database import Database
from bot.stores.sqlite.connection.file import may_pass, open_file, visit_file
from bot.stores.sqlite.connection.reader import Reader
from bot.stores.sqlite.connection.writer import Writer
from bot.stores.sqlite.films import SQLiteFilms
from bot.stores.sqlite.maintenance import SQLiteMaintenance
from bot.stores.sqlite.people import SQLitePeople
from bot.stores.sqlite.providers import SQLiteProviders
from bot.stores.sqlite.statistics import SQLiteStatistics
from bot.stores.sqlite.tasks import SQLiteTasks
from bot.stores.sqlite.tokens import SQLiteTokens
from bot.stores.sqlite.updates import SQLiteUpdates


class SQLiteStore:
    """A `bot.store.Store` in one file. What the database refuses is a StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.tasks = SQLiteTasks(db)
        self.films = SQLiteFilms(db)
        self.updates = SQLiteUpdates(db)
        self.people = SQLitePeople(db)
        self.audit = SQLiteAudit(db)
        self.budget = SQLiteBudget(db)
        self.providers = SQLiteProviders(db)
        self.statistics = SQLiteStatistics(db)
        self.tokens = SQLiteTokens(db)
        self.maintenance = SQLiteMaintenance(db)
        # The process that owns the file is the only one: it alone sends, and every lease is its own.
        self.rates = MemoryRateStore()
        self.leases = SingleProcess(db.clock)

    @classmethod
    async def open(
        cls,
        path: Path,
        clock: Callable[[], datetime] = utc_now,
        counter: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Open the database at `path`, made with its folder if it is missing, and brought up to date.

        The process that opened it is its only owner, so the leases that an earlier one left end here.
        `clock` dates what arrives, `counter` times outages. SettingsError, one sentence, if the file cannot
        be used; StartError if that may pass by itself.
        """
        writer = Writer(await asyncio.to_thread(open_file, path), counter)
        store = cls(Database(path, writer, Reader(path), clock))
        try:
            await store.updates.count_deaths()
            await store.tasks.release()
            if back := await store._db.writer.write(lambda connection: follow_back(connection, clock())):
                get_log(__name__).warning(
                    "the clock has been set back since the bot last ran: what is due is moved along",
                    by=str(back),
                )
        except BaseException as error:
            await store.close()
            if isinstance(error, StoreError):
                kind = StartError if may_pass(error.__cause__) else SettingsError
                raise kind(f"The database {path} cannot be used: {error}.") from error
            raise
        return store

    @classmethod
    async def visit(cls, path: Path, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open the database at `path` beside the bot that may be using it: its leases are its own, and so is
        the file. SettingsError, one sentence, if there is none or it cannot be used."""
        return cls(Database(path, Writer(await asyncio.to_thread(visit_file, path)), Reader(path), clock))

    @property
    def commits(self) -> int:
        """How many transactions were made durable: writes that wait together share one."""
        return self._db.writer.commits

    async def close(self) -> None:
        await self._db.reader.close()
        await self._db.writer.close()
