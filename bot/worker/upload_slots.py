"""Lanes: how many deliveries run side by side, so that those that hang hold up no others for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_HOLD_S = 15.0
"""By then most videos are up. What takes longer waits for something, and lends out its place."""
_REMEMBERED = 1000


class Lane:
    """`places`, and with those that were lent out `at_most` side by side."""

    def __init__(self, places: int, at_most: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._room = asyncio.Semaphore(at_most)

    async def enter(self) -> None:
        await self._room.acquire()
        try:
            await self._free.acquire()
        except BaseException:
            self._room.release()
            raise

    def release_early(self) -> None:
        self._free.release()

    def leave(self, *, lent: bool) -> None:
        self._room.release()
        if not lent:
            self._free.release()


class UploadSlots:
    """A delivery runs in the first lane until it takes long once; its next try in one with its like."""

    def __init__(self, hold_s: float = _HOLD_S) -> None:
        # Each holds a film and a part of the line, which all deliveries share.
        self._first, self._slow = Lane(8, at_most=24), Lane(4, at_most=4)
        self._hold_s = hold_s
        self._took_long: dict[str, None] = {}

    @asynccontextmanager
    async def place(self, task_id: str, wait_s: float) -> AsyncIterator[bool]:
        """Whether there is a place within `wait_s`. Who came first gets one first."""
        lane = self._slow if task_id in self._took_long else self._first
        entered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await lane.enter()
                entered = True
        if not entered:
            yield False
            return
        lent = False

        def lend() -> None:
            nonlocal lent
            lent = True
            lane.release_early()
            self._remember(task_id)

        loan = asyncio.get_running_loop().call_later(self._hold_s, lend)
        try:
            yield True
        finally:
            loan.cancel()
            lane.leave(lent=lent)

    def _remember(self, task_id: str) -> None:
        while len(self._took_long) >= _REMEMBERED:
            del self._took_long[next(iter(self._took_long))]
        self._took_long[task_id] = None
