"""Turns: one order of a person after another, so that a limit counts what was ordered just before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bot.store.leases import LeaseStore, lease

_LEASE_S = 60.0
"""Longer than an order takes, with its card to post: after that only a dead process has it."""


class UserLocks:
    """In whatever process. A lock lives as long as somebody holds it or waits for it."""

    def __init__(self, sharing: LeaseStore) -> None:
        self._sharing = sharing
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, user_id: int) -> AsyncIterator[None]:
        lock = self._locks.get(user_id)
        if lock is None:
            lock = self._locks[user_id] = asyncio.Lock()
        async with lock, lease(self._sharing, f"orders of {user_id}", _LEASE_S):
            yield
