"""Keeping: what is old is forgotten, and the database is copied each night."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.store import Store

_EVERY_S = 600.0
_FIRST_S = 60.0
"""After a start there is more important work."""
_PRUNE_EVERY = timedelta(hours=1)
_UPDATES_KEPT = timedelta(days=3)
"""Ids of handled updates: Telegram repeats none older than a day."""
_BATCH = 100
"""Rows in one transaction: six milliseconds of the writer's time."""
_BETWEEN_S = 0.2
_COPIES = 7
_AGAIN = timedelta(hours=1)
_NAME = re.compile(r"dreamreel-(\d{4}-\d{2}-\d{2})\.db")


@dataclass(frozen=True, slots=True)
class Backups:
    """When and where the database is copied."""

    folder: Path
    hour: int
    zone: ZoneInfo

    def path(self, night: date) -> Path:
        return self.folder / f"dreamreel-{night.isoformat()}.db"

    def night(self, now: datetime) -> date:
        """The day whose copy should be there by now."""
        local = now.astimezone(self.zone)
        return local.date() if local.hour >= self.hour else local.date() - timedelta(days=1)

    def is_due(self, now: datetime) -> bool:
        return not self.path(self.night(now)).exists()

    def newest(self) -> date | None:
        """Of which night the newest copy is."""
        found = (_NAME.fullmatch(path.name) for path in self._copies())
        return max((date.fromisoformat(one[1]) for one in found if one), default=None)

    def thin_out(self) -> None:
        """Keep those of a week. Other files in the folder are none of ours."""
        for old in sorted(self._copies())[:-_COPIES]:
            old.unlink(missing_ok=True)

    def _copies(self) -> list[Path]:
        return [path for path in self.folder.glob("dreamreel-*.db") if _NAME.fullmatch(path.name)]


class Keeping:
    """`discard` removes what lies beside a task that is forgotten.

    `tell_backup` is given why a copy could not be made, or None once one was.
    """

    def __init__(
        self,
        store: Store,
        *,
        keep_days: int,
        backups: Backups | None,
        discard: Callable[[str], None],
        tell_backup: Callable[[str | None], Awaitable[None]],
        clock: Callable[[], datetime],
        between_s: float = _BETWEEN_S,
    ) -> None:
        self._store = store
        self._kept = timedelta(days=keep_days)
        self._backups = backups
        self._discard = discard
        self._tell_backup = tell_backup
        self._clock = clock
        self._between_s = between_s
        self._prune_at = self._back_up_at = clock()
        self._log = get_log(__name__)

    async def run(self, first_s: float = _FIRST_S, every_s: float = _EVERY_S) -> None:
        """Until cancelled."""
        await asyncio.sleep(first_s)
        while True:
            await self.turn()
            await asyncio.sleep(every_s)

    async def turn(self) -> None:
        """Do what has become due. Never raises; what did not work is tried again in an hour."""
        now = self._clock()
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE_EVERY
            try:
                await self._prune(now)
            except (StoreError, OSError) as error:
                self._log.log(level_of(error), "old data could not be deleted", reason=str(error))
        if self._backups is not None and now >= self._back_up_at and self._backups.is_due(now):
            self._back_up_at = now + _AGAIN
            await self._back_up(self._backups, now)

    async def _prune(self, now: datetime) -> None:
        await self._store.updates.prune(now - _UPDATES_KEPT)
        before = now - self._kept
        forgotten = 0
        while task_ids := await self._store.maintenance.prune_tasks(before, _BATCH):
            forgotten += len(task_ids)
            for task_id in task_ids:
                self._discard(task_id)
            await asyncio.sleep(self._between_s)
        more = True
        while more:
            await asyncio.sleep(self._between_s)
            more = await self._store.maintenance.prune_rest(before, _BATCH) > 0
        if forgotten:
            self._log.info("old tasks were deleted", tasks=forgotten)

    async def _back_up(self, backups: Backups, now: datetime) -> None:
        target = backups.path(backups.night(now))
        began = self._clock()
        try:
            made = await self._store.maintenance.back_up(target)
            backups.thin_out()
        except (StoreError, OSError) as error:
            self._log.log(level_of(error), "the database backup failed", reason=str(error))
            await self._tell_backup(str(error))
            return
        if made:
            took_s = (self._clock() - began).total_seconds()
            size = target.stat().st_size
            self._log.info(
                "the database was backed up", file=target.name, bytes=size, took_s=round(took_s, 1)
            )
            await self._tell_backup(None)
