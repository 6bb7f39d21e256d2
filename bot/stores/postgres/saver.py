"""Saves tasks: saves that wait together share one round trip and one commit.

A save is what every poll ends with, so it is the one write whose number counts. While one group is on its way
the next one gathers; if many come, a group is given a moment to grow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import StaleTask, StoreError
from bot.store import Attempt
from bot.stores.postgres import queue
from bot.stores.postgres.connection.pool import Connection, Connections, DatabaseLost
from bot.stores.postgres.writing import Write, insert, write
from bot.stores.values import task_of
from bot.task import Task, changed

T = TypeVar("T")

_MOST_IN_GROUP = 256
_GATHER_S = 0.02
_RECHECK_PAUSES_S = (0.3, 1.0, 2.0, 4.0)
"""After a lost connection: for as long as a server takes to start again."""

_MOST_KNOWN = 1024
"""More than a process works on at once: a step that saves nothing leaves one behind."""


class Saver:
    def __init__(self, connections: Connections, owner: str) -> None:
        self.commits = 0
        self._connections = connections
        self._owner = owner
        self._waiting: list[_Save] = []
        self._known: dict[str, Task] = {}
        self._runner: asyncio.Task[None] | None = None

    def claimed(self, tasks: Sequence[Task]) -> None:
        """Remember rows that were just read, and are about to be saved."""
        self._known.update((task.id, task) for task in tasks)
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def save(
        self, task: Task, attempt: Attempt | None, *, leased: bool, siblings: Sequence[Task] = ()
    ) -> Task:
        """Save it with others. A caller that is cancelled stops waiting but does not take the write back."""
        change = Write(task, attempt, leased, self._known.pop(task.id, None))
        if task.waits_for_slot or siblings:
            # It may need a queue tag, for which all who queue at its provider stand in line.
            writing = self._connections.transact(_write_with_tag, change, siblings, self._owner)
            return await self.saved_or(task, writing)
        save = _Save(change, asyncio.get_running_loop().create_future())
        self._waiting.append(save)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="saving")
        return await save.answer

    async def saved_or(self, task: Task, write: Awaitable[T]) -> T | Task:
        """Return what `write` returns; if the connection was lost, the task if it is found to be saved."""
        try:
            return await write
        except DatabaseLost:
            if saved(task) in await self._stored([task.id]):
                return saved(task)
            raise

    async def close(self) -> None:
        """Wait until all that was asked for is saved."""
        while self._runner is not None and not self._runner.done():
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        while self._waiting:
            group = self._next_group()
            await self._save(group)
            if len(group) > 1 and len(self._waiting) < _MOST_IN_GROUP:
                await asyncio.sleep(_GATHER_S)

    def _next_group(self) -> list[_Save]:
        """Return the longest waiting save, and more like it; of each task one: of two with one version the
        first wins."""
        is_poll = self._waiting[0].write.is_poll
        group: dict[str, _Save] = {}
        for save in self._waiting[:_MOST_IN_GROUP]:
            if save.write.is_poll == is_poll:
                group.setdefault(save.write.task.id, save)
        self._waiting = [save for save in self._waiting if group.get(save.write.task.id) is not save]
        return list(group.values())

    async def _save(self, group: Sequence[_Save]) -> None:
        try:
            ids = await self._connections.write(write, [save.write for save in group], self._owner)
            self.commits += 1
        except DatabaseLost as error:
            stored = await self._stored([save.write.task.id for save in group])
            for save in group:
                save.end(error, was_saved=saved(save.write.task) in stored)
        except StoreError as error:
            if len(group) == 1:
                group[0].end(error, was_saved=False)
                return
            # One that the database refuses ends the transaction: each has to show whether it was the one.
            for save in group:
                await self._save([save])
        except Exception as error:  # noqa: BLE001 - it belongs to the callers
            for save in group:
                save.end(error, was_saved=False)
        else:
            for save in group:
                save.end(_stale(save.write.task), was_saved=save.write.task.id in ids)

    async def _stored(self, ids: Sequence[str]) -> list[Task]:
        """Read rows whose connection may have been lost between the commit and its confirmation."""
        for pause_s in (0.0, *_RECHECK_PAUSES_S):
            await asyncio.sleep(pause_s)
            with contextlib.suppress(DatabaseLost):
                return await self._connections.read(_read, ids)
        return []


@dataclass(frozen=True, slots=True, eq=False)
class _Save:
    write: Write
    answer: asyncio.Future[Task]

    def end(self, error: Exception, *, was_saved: bool) -> None:
        if self.answer.done():
            return
        if was_saved:
            self.answer.set_result(saved(self.write.task))
        else:
            self.answer.set_exception(error)


def saved(task: Task) -> Task:
    """Return it as a save stores it."""
    return changed(task, version=task.version + 1)


async def save_leased(connection: Connection, task: Task, owner: str) -> Task:
    """Save it within another transaction, keeping the lease. StaleTask."""
    return await _write_one(connection, Write(task, leased=True), owner)


async def _write_one(connection: Connection, one: Write, owner: str) -> Task:
    if not await write(connection, [one], owner):
        raise _stale(one.task)
    return saved(one.task)


async def _write_with_tag(connection: Connection, one: Write, siblings: Sequence[Task], owner: str) -> Task:
    stored = await _write_one(connection, one, owner)
    await queue.tag(connection, one.task)
    for sibling in siblings:
        if not await insert(connection, sibling, owner):
            raise StoreError("the database refused: a task of this id is already there")
    return stored


async def _read(connection: Connection, ids: Sequence[str]) -> list[Task]:
    return [task_of(row) for row in await connection.fetch("SELECT * FROM tasks WHERE id = ANY($1)", ids)]


def _stale(task: Task) -> StaleTask:
    return StaleTask(f"{task.id}: version {task.version} is not the stored one")
