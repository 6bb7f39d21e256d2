"""The one thread that uses the connection: jobs in the order they were asked for, many writes in one commit.

All jobs that wait when the thread is free form a group. Its writes share one `BEGIN IMMEDIATE … COMMIT`, each
in a savepoint of its own, and nobody hears of a result before the commit. On a disk that needs 10 ms to make
a commit durable, 256 waiting writes cost one such wait instead of 256.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.errors import StoreError, StoreUnavailable, Unstorable
from bot.stores.sqlite.connection.file import DatabaseFile, explain, is_damage, is_of_the_file
from bot.stores.write_outage import WriteOutage

T = TypeVar("T")

_MOST_IN_GROUP = 512
"""About: in a flood the first of a group should not wait long for the last."""


class Writer:
    """Made on the event loop that uses it. Closes the file when it is closed."""

    def __init__(self, file: DatabaseFile, counter: Callable[[], float] = time.monotonic) -> None:
        self.commits = 0
        self.outage = WriteOutage(counter, file.has_room)
        self.damage: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why the file is lost, as the second half of a sentence, once that shows."""
        self._file = file
        self._connection = file.connection
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._asked: list[_Job] = []
        """In this turn of the loop. Handed over one by one, the first would have a commit of its own."""
        self._closing = False
        self._ended = self._loop.create_future()
        threading.Thread(target=self._run, name="sqlite", daemon=True).start()

    async def read(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `do(connection)` returns; it sees every write asked for before."""
        result: T = await self._ask(do, writes=False)
        return result

    async def write(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a write returns, once it is durable. Raises StoreError, or what `do` raised: nothing of
        it is stored then.

        `do` may run twice, and sees nothing of its first run then. A caller that is cancelled stops waiting
        but does not take the write back: it may hold the id of a job that was paid for.
        """
        result: T = await self._ask(do, writes=True)
        return result

    async def close(self) -> None:
        """Finish what was asked for, then close the file."""
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._jobs.put(None)
        await asyncio.shield(self._ended)

    async def _ask(self, do: Callable[[sqlite3.Connection], Any], *, writes: bool) -> Any:
        if self._closing:
            raise StoreError("the database was closed")
        job = _Job(do, writes, self._loop.create_future())
        if not self._asked:
            self._loop.call_soon(self._hand_over)
        self._asked.append(job)
        return await job.answer

    def _hand_over(self) -> None:
        for first in range(0, len(self._asked), _MOST_IN_GROUP):
            self._jobs.put(self._asked[first : first + _MOST_IN_GROUP])
        self._asked = []

    # From here on: the thread's side.

    def _run(self) -> None:
        try:
            closing = False
            while not closing:
                group, closing = self._next_group()
                self._do(group)
                self._tell_loop(self._answer, group)
        finally:
            self._file.close()
            self._tell_loop(self._ended.set_result, None)

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        jobs = self._jobs.get()
        while jobs is not None:
            group += jobs
            if len(group) >= _MOST_IN_GROUP:
                return group, False
            try:
                jobs = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _do(self, group: Sequence[_Job]) -> None:
        if not any(job.writes for job in group):
            for job in group:
                job.run(self._connection)
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for job in group:
                job.error = error
            return
        try:
            for job in group:
                self._do_in_transaction(job)
            self._connection.execute("COMMIT")
            self.commits += 1
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            if len(group) == 1:
                group[0].error = group[0].error or error
                return
            # A full disk, say, ends the whole transaction: each job has to show whether it was the one.
            for job in group:
                self._do([job])

    def _do_in_transaction(self, job: _Job) -> None:
        if not job.writes:
            job.run(self._connection)
            return
        self._connection.execute("SAVEPOINT job")
        job.run(self._connection)
        if job.error is not None:
            self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")

    def _answer(self, group: Sequence[_Job]) -> None:
        """Answer a whole group with one visit to the event loop."""
        if any(job.writes and job.error is None for job in group):
            self.outage.worked()
        for job in group:
            if isinstance(job.error, sqlite3.Error):
                if is_damage(job.error) and not self.damage.done():
                    self.damage.set_result(explain(job.error))
                kind = StoreError
                if is_of_the_file(job.error):
                    self.outage.failed(explain(job.error))
                    kind = StoreUnavailable
                job.error = _caused(kind(f"the database refused: {explain(job.error)}"), job.error)
            elif isinstance(job.error, OverflowError | UnicodeEncodeError):
                what = type(job.error).__name__
                job.error = _caused(Unstorable(f"the database holds no such value ({what})"), job.error)
            if job.answer.done():
                continue
            if job.error is None:
                job.answer.set_result(job.result)
            else:
                job.answer.set_exception(job.error)

    def _tell_loop(self, callback: Callable[[Any], object], value: object) -> None:
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, value)


@dataclass(slots=True, eq=False)
class _Job:
    do: Callable[[sqlite3.Connection], Any]
    writes: bool
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        self.result, self.error = None, None
        try:
            self.result = self.do(connection)
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it after the commit
            self.error = error


def _caused(refused: StoreError, cause: Exception) -> StoreError:
    refused.__cause__ = cause
    return refused
