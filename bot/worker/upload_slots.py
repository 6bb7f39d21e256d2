"""Upload slots: how many deliveries run side by side, so that slow ones delay the others only briefly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_SLOW_AFTER_S = 15.0
"""Most videos are uploaded by then. A slower one waits for something, and no longer takes a place."""
_REMEMBERED = 1000


class _Lane:
    """`places` deliveries run at once, and with those that gave up their place early `at_most`."""

    def __init__(self, places: int, at_most: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._all = asyncio.Semaphore(at_most)

    async def enter(self) -> None:
        await self._all.acquire()
        try:
            await self._places.acquire()
        except BaseException:
            self._all.release()
            raise

    def give_up_place(self) -> None:
        self._places.release()

    def leave(self, *, has_place: bool) -> None:
        self._all.release()
        if has_place:
            self._places.release()


class UploadSlots:
    """A delivery runs in the fast lane until it has been slow once; its next tries run in the slow lane."""

    def __init__(self, slow_after_s: float = _SLOW_AFTER_S) -> None:
        # Each holds a film in memory and a part of the bandwidth, which all deliveries share.
        self._fast, self._slow = _Lane(8, at_most=24), _Lane(4, at_most=4)
        self._slow_after_s = slow_after_s
        self._were_slow: dict[str, None] = {}

    @asynccontextmanager
    async def acquire(self, task_id: str, wait_s: float) -> AsyncIterator[bool]:
        """Hold a slot in the block; yields False if none gets free within `wait_s`. In order of arrival."""
        lane = self._slow if task_id in self._were_slow else self._fast
        entered = False
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await lane.enter()
                entered = True
        if not entered:
            yield False
            return
        has_place = True

        def become_slow() -> None:
            nonlocal has_place
            has_place = False
            lane.give_up_place()
            self._remember(task_id)

        timer = asyncio.get_running_loop().call_later(self._slow_after_s, become_slow)
        try:
            yield True
        finally:
            timer.cancel()
            lane.leave(has_place=has_place)

    def _remember(self, task_id: str) -> None:
        while len(self._were_slow) >= _REMEMBERED:
            del self._were_slow[next(iter(self._were_slow))]
        self._were_slow[task_id] = None
