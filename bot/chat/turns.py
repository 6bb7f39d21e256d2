"""Turns: one order of a person after another, so that a limit counts what was ordered just before."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """Within this process. A lock lives as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def of(self, user_id: int) -> asyncio.Lock:
        lock = self._locks.get(user_id)
        if lock is None:
            lock = self._locks[user_id] = asyncio.Lock()
        return lock
