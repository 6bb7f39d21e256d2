"""The media queue: who may have a file read, and when. One step a person at a time; people take turns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Set
from contextlib import AsyncExitStack, asynccontextmanager

from bot.errors import ChatBusy
from bot.store.leases import SINGLE_PROCESS, LeaseStore
from bot.worker.user_locks import UserLocks

_STEPS = 8
"""Files that are fetched or read at once, each of another person; each lies on the disk meanwhile."""
_JOINS = 1
"""Joining encodes two whole videos, which takes minutes if they are long."""
_A_PERSON = 3
_IN_ALL = 96
"""Steps in progress or waiting. More than that go back to the store with their update, and are retried."""
_WAIT_S = 20.0
_LATER_S = 2.0
_LEASE_S = 300.0


class MediaQueue:
    """Places go in the order of arrival, and each person waits for one at most: people take turns, however
    much one of them has sent, and in however many chats."""

    def __init__(self, leases: LeaseStore = SINGLE_PROCESS) -> None:
        self._locks = UserLocks("media of", _LEASE_S, leases)
        self._steps = asyncio.Semaphore(_STEPS)
        self._joins = asyncio.Semaphore(_JOINS)
        self._entered: Counter[int] = Counter()
        self._inside: set[asyncio.Task[object]] = set()

    @property
    def inside(self) -> Set[asyncio.Task[object]]:
        """Return the tasks that wait for a step or are in one. They need nothing but this queue, which bounds
        them, so a bound on what is handled at once need not count them."""
        return self._inside

    @asynccontextmanager
    async def step(self, user_id: int, *, patient: bool = False) -> AsyncIterator[None]:
        """Wait for a place for one step of work. Raises ChatBusy if there is none soon, unless the caller is
        `patient`."""
        if not patient and (self._entered[user_id] >= _A_PERSON or self._entered.total() >= _IN_ALL):
            raise ChatBusy(_LATER_S)
        async with self._turn(user_id, self._steps, None if patient else _WAIT_S):
            yield

    @asynccontextmanager
    async def join(self, user_id: int) -> AsyncIterator[None]:
        """Wait for a place for a long step, for as long as it takes."""
        async with self._turn(user_id, self._joins, None):
            yield

    @asynccontextmanager
    async def _turn(
        self, user_id: int, places: asyncio.Semaphore, wait_s: float | None
    ) -> AsyncIterator[None]:
        async with AsyncExitStack() as held:
            held.callback(self._leave, user_id, self._enter(user_id))
            try:
                async with asyncio.timeout(wait_s):
                    await held.enter_async_context(self._locks.of(user_id))
                    await held.enter_async_context(places)
            except TimeoutError:
                raise ChatBusy(_LATER_S) from None
            yield

    def _enter(self, user_id: int) -> asyncio.Task[object] | None:
        self._entered[user_id] += 1
        task = asyncio.current_task()
        if task is not None:
            self._inside.add(task)
        return task

    def _leave(self, user_id: int, task: asyncio.Task[object] | None) -> None:
        self._entered -= Counter((user_id,))
        if task is not None:
            self._inside.discard(task)
