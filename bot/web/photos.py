"""Serve a task's photo to the provider that fetches it: opened on demand and kept for seconds only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from bot.media.media_info import FitPhoto

OpenPhoto = Callable[[str, int], Awaitable[FitPhoto | None]]
"""Returns a photo by its task's id and its index; None if there is none."""

_AT_ONCE = 2
"""Each needs a call to Telegram and up to a quarter of a gigabyte in a worker process."""
_KEPT_S = 10.0
"""Clients send HEAD before GET, and retry at once if something fails on their side."""


class SharedPhotos:
    """Opens a photo once for all requests within some seconds, and only a few at the same time; others wait.

    A failure is not kept: the next request tries again.
    """

    def __init__(self, open_photo: OpenPhoto) -> None:
        self._open_photo = open_photo
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._openings: dict[tuple[str, int], asyncio.Task[FitPhoto | None]] = {}

    async def get(self, task_id: str, index: int) -> FitPhoto | None:
        """Return the photo, or the None or error with which opening it ended."""
        key = (task_id, index)
        if key not in self._openings:
            opening = asyncio.create_task(self._open(task_id, index), name=f"photo {index} of {task_id}")
            self._openings[key] = opening
            opening.add_done_callback(partial(self._opened, key))
        # A client that disconnects must not cancel the photo for the others.
        return await asyncio.shield(self._openings[key])

    async def close(self) -> None:
        """Cancel what is being opened and drop what is kept."""
        openings = list(self._openings.values())
        self._openings.clear()
        for opening in openings:
            opening.cancel()
        await asyncio.gather(*openings, return_exceptions=True)

    async def _open(self, task_id: str, index: int) -> FitPhoto | None:
        async with self._turns:
            return await self._open_photo(task_id, index)

    def _opened(self, key: tuple[str, int], opening: asyncio.Task[FitPhoto | None]) -> None:
        if opening.cancelled() or opening.exception() is not None or opening.result() is None:
            self._openings.pop(key, None)
        else:
            asyncio.get_running_loop().call_later(_KEPT_S, self._openings.pop, key, None)
