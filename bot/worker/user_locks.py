"""User locks: one piece of work of a person after another, also across processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bot.store.leases import SINGLE_PROCESS, LeaseStore, lease


class UserLocks:
    """Locks by person, first come, first served. A lock lives as long as somebody holds it or waits for it.

    `lease_s` is longer than the work takes: after that only a dead process has it.
    """

    def __init__(self, purpose: str, lease_s: float, leases: LeaseStore = SINGLE_PROCESS) -> None:
        self._purpose = purpose
        self._lease_s = lease_s
        self._leases = leases
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, user_id: int) -> AsyncIterator[None]:
        lock = self._locks.get(user_id)
        if lock is None:
            lock = self._locks[user_id] = asyncio.Lock()
        async with lock, lease(self._leases, f"{self._purpose} {user_id}", self._lease_s):
            yield
