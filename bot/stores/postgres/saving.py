"""Saving tasks: saves that wait together share one round trip and one commit.

A save is what every look ends with, so it is the one write whose number counts. While one group is on its way
the next one gathers; where many come, a group is given a moment to grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import StaleTask, StoreError
from bot.store import Attempt
from bot.stores.postgres import turns
from bot.stores.postgres.connections import Connection, Connections, DatabaseLost
from bot.stores.postgres.tasks import attempt_row, text_row
from bot.stores.values import TASK_COLUMNS, task_of
from bot.task import Task

T = TypeVar("T")

_MOST_IN_GROUP = 256
_GATHER_S = 0.015
_RECHECK_PAUSES_S = (0.3, 1.0, 2.0, 4.0)
"""After a lost connection: for as long as a server takes to start again."""

_CHANGES = ", ".join(
    f"{column} = ${number}"
    for number, column in enumerate(TASK_COLUMNS, 1)
    if column not in ("id", "version")
)
_ID, _VERSION, _PROVIDER, _STATE = (
    f"${TASK_COLUMNS.index(column) + 1}" for column in ("id", "version", "provider", "state")
)
_LEASED, _OWNER, *_ATTEMPT = (f"${len(TASK_COLUMNS) + number}" for number in range(1, 10))
_KEEPS_LEASE = f"{_LEASED}::boolean OR state = 'submitting' AND {_STATE} = 'submitting'"
_SAVE = (
    # The only text put in are the names of our own columns, and numbers of parameters.
    f"WITH saved AS (UPDATE tasks SET {_CHANGES}, version = version + 1,"  # noqa: S608 - see above
    # Another provider has turns of its own.
    f" turn = CASE WHEN provider = {_PROVIDER} THEN turn END,"
    f" due_before_lease = CASE WHEN {_KEEPS_LEASE} THEN coalesce(due_before_lease, due_at) END,"
    f" leased_by = CASE WHEN {_LEASED}::boolean THEN {_OWNER}::text WHEN {_KEEPS_LEASE} THEN leased_by END,"
    f" moved_by = {_OWNER}::text"
    f" WHERE id = {_ID} AND version = {_VERSION} RETURNING id, version),"
    " noted AS (INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
    f" SELECT {_ATTEMPT[0]}::text, {_ATTEMPT[1]}::text, {_ATTEMPT[2]}::text, {_ATTEMPT[3]}::timestamptz,"
    f" {_ATTEMPT[4]}::float8, {_ATTEMPT[5]}::text, {_ATTEMPT[6]}::text"
    f" FROM saved WHERE {_ATTEMPT[0]}::text IS NOT NULL)"
    " SELECT id, version FROM saved"
)
_NO_ATTEMPT = (None,) * len(_ATTEMPT)


class Saver:
    def __init__(self, connections: Connections, owner: str) -> None:
        self.commits = 0
        self._connections = connections
        self._owner = owner
        self._waiting: list[_Save] = []
        self._runner: asyncio.Task[None] | None = None

    async def save(self, task: Task, attempt: Attempt | None, *, leased: bool) -> Task:
        """A caller that is cancelled stops waiting but does not take the write back."""
        save = _Save(task, attempt, leased, asyncio.get_running_loop().create_future())
        if task.waits_for_slot:
            # It may need a turn, for which all who queue at its provider stand in line.
            return await self.saved_or(task, self._connections.transact(_write_with_turn, save, self._owner))
        self._waiting.append(save)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="saving")
        return await save.answer

    async def saved_or(self, task: Task, write: Awaitable[T]) -> T | Task:
        """What `write` returns. Where the connection was lost, the task if it is found to be saved."""
        try:
            return await write
        except DatabaseLost:
            if saved(task) in await self._stored([task.id]):
                return saved(task)
            raise

    async def close(self) -> None:
        """Once all that was asked for is saved."""
        while self._runner is not None and not self._runner.done():
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        while self._waiting:
            group = self._waiting[:_MOST_IN_GROUP]
            del self._waiting[: len(group)]
            await self._save(group)
            if len(group) > 1 and len(self._waiting) < _MOST_IN_GROUP:
                await asyncio.sleep(_GATHER_S)

    async def _save(self, group: Sequence[_Save]) -> None:
        try:
            rows = await self._connections.write(_write, group, self._owner)
            self.commits += 1
        except DatabaseLost as error:
            stored = await self._stored([save.task.id for save in group])
            for save in group:
                save.end(error, was_saved=saved(save.task) in stored)
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
                row = (save.task.id, save.task.version + 1)
                save.end(_stale(save.task), was_saved=row in rows)
                rows.discard(row)  # of two with one version the first won

    async def _stored(self, ids: Sequence[str]) -> list[Task]:
        """The connection may have been lost between the commit and its confirmation: the rows tell."""
        for pause_s in (0.0, *_RECHECK_PAUSES_S):
            await asyncio.sleep(pause_s)
            with contextlib.suppress(DatabaseLost):
                return await self._connections.read(_read, ids)
        return []


@dataclass(slots=True, eq=False)
class _Save:
    task: Task
    attempt: Attempt | None
    leased: bool
    answer: asyncio.Future[Task]

    def values(self, owner: str) -> tuple[object, ...]:
        attempt = _NO_ATTEMPT if self.attempt is None else attempt_row(self.attempt)
        return (*text_row(self.task).values(), self.leased, owner, *attempt)

    def end(self, error: Exception, *, was_saved: bool) -> None:
        if self.answer.done():
            return
        if was_saved:
            self.answer.set_result(saved(self.task))
        else:
            self.answer.set_exception(error)


def saved(task: Task) -> Task:
    """As it is stored by a save."""
    return dataclasses.replace(task, version=task.version + 1)


async def save_leased(connection: Connection, task: Task, owner: str) -> Task:
    """The same within a transaction of somebody else's. StaleTask."""
    save = _Save(task, None, True, asyncio.get_running_loop().create_future())
    if not await _write(connection, [save], owner):
        raise _stale(task)
    return saved(task)


async def _write(connection: Connection, group: Sequence[_Save], owner: str) -> set[tuple[str, int]]:
    """The ids and new versions of those that were saved. All in one transaction, without a BEGIN."""
    in_order = sorted(group, key=lambda save: save.task.id)  # no two processes wait for each other
    rows = await connection.fetchmany(_SAVE, [save.values(owner) for save in in_order])
    return {(row["id"], row["version"]) for row in rows}


async def _write_with_turn(connection: Connection, save: _Save, owner: str) -> Task:
    if not await _write(connection, [save], owner):
        raise _stale(save.task)
    await turns.take(connection, save.task)
    return saved(save.task)


async def _read(connection: Connection, ids: Sequence[str]) -> list[Task]:
    return [task_of(row) for row in await connection.fetch("SELECT * FROM tasks WHERE id = ANY($1)", ids)]


def _stale(task: Task) -> StaleTask:
    return StaleTask(f"{task.id}: version {task.version} is not the stored one")
