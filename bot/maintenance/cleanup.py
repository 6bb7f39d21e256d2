"""Cleanup: delete tasks, updates and other rows that are older than they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.store import Store

_EVERY = timedelta(hours=1)
_UPDATES_KEPT = timedelta(days=3)
"""Ids of handled updates: Telegram repeats none older than a day."""
_BATCH = 100
"""Rows in one transaction: six milliseconds of the writer's time."""
_BETWEEN_S = 0.2


class Cleanup:
    def __init__(
        self,
        store: Store,
        keep_days: int,
        discard: Callable[[str], None],
        clock: Callable[[], datetime],
        between_s: float = _BETWEEN_S,
    ) -> None:
        """`discard` deletes the files of a deleted task; `between_s` is the pause between transactions."""
        self._store = store
        self._kept = timedelta(days=keep_days)
        self._discard = discard
        self._clock = clock
        self._between_s = between_s
        self._not_before = clock()
        self._log = get_log(__name__)

    async def run_if_due(self) -> None:
        """Delete old rows, once an hour. Never raises; a failure is retried after an hour."""
        now = self._clock()
        if now < self._not_before:
            return
        self._not_before = now + _EVERY
        try:
            await self._prune(now)
        except (StoreError, OSError) as error:
            self._log.log(level_of(error), "old data could not be deleted", reason=str(error))

    async def _prune(self, now: datetime) -> None:
        await self._store.updates.prune(now - _UPDATES_KEPT)
        before = now - self._kept
        deleted = 0
        while task_ids := await self._store.maintenance.prune_tasks(before, _BATCH):
            deleted += len(task_ids)
            for task_id in task_ids:
                self._discard(task_id)
            await asyncio.sleep(self._between_s)
        more = True
        while more:
            await asyncio.sleep(self._between_s)
            more = await self._store.maintenance.prune_rest(before, _BATCH) > 0
        if deleted:
            self._log.info("old tasks were deleted", tasks=deleted)
