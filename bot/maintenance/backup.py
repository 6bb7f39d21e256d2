"""Backups: copy the database once a night, and keep the copies of a week."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.settings import Settings
from bot.store import Store

ReportBackup = Callable[[str | None], Awaitable[None]]
"""Called with the reason why a copy failed, or with None after one was made."""

_KEPT = 7
_RETRY_AFTER = timedelta(hours=1)
_NAME = re.compile(r"dreamreel-(\d{4}-\d{2}-\d{2})\.db")


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """The copies of the database, a file for each date, and the hour at which the next one is due."""

    folder: Path
    hour: int
    zone: ZoneInfo

    @classmethod
    def from_settings(cls, settings: Settings) -> BackupFolder | None:
        """Return None if BACKUP_HOUR is off."""
        if settings.backups is None or settings.backup_hour is None:
            return None
        return cls(settings.backups, settings.backup_hour, settings.zone)

    def path(self, day: date) -> Path:
        return self.folder / f"dreamreel-{day.isoformat()}.db"

    def latest_due(self, now: datetime) -> date:
        """Return the date of the latest copy that should exist by now."""
        local = now.astimezone(self.zone)
        return local.date() if local.hour >= self.hour else local.date() - timedelta(days=1)

    def is_due(self, now: datetime) -> bool:
        return not self.path(self.latest_due(now)).exists()

    def newest(self) -> date | None:
        """Return the date of the newest copy."""
        found = (_NAME.fullmatch(path.name) for path in self._copies())
        return max((date.fromisoformat(one[1]) for one in found if one), default=None)

    def delete_old(self) -> None:
        """Delete all copies but the newest seven. Other files in the folder are left alone."""
        for old in sorted(self._copies())[:-_KEPT]:
            old.unlink(missing_ok=True)

    def _copies(self) -> list[Path]:
        return [path for path in self.folder.glob("dreamreel-*.db") if _NAME.fullmatch(path.name)]


class Backup:
    def __init__(
        self,
        store: Store,
        folder: BackupFolder,
        report: ReportBackup,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._folder = folder
        self._report = report
        self._clock = clock
        self._not_before = clock()
        self._log = get_log(__name__)

    async def run_if_due(self) -> None:
        """Copy the database if the latest copy is missing. Never raises; retries a failure after an hour."""
        now = self._clock()
        if now < self._not_before or not self._folder.is_due(now):
            return
        self._not_before = now + _RETRY_AFTER
        target = self._folder.path(self._folder.latest_due(now))
        try:
            made = await self._store.maintenance.back_up(target)
            self._folder.delete_old()
        except (StoreError, OSError) as error:
            self._log.log(level_of(error), "the database backup failed", reason=str(error))
            await self._report(str(error))
            return
        if made:
            took_s = round((self._clock() - now).total_seconds(), 1)
            size = target.stat().st_size
            self._log.info("the database was backed up", file=target.name, bytes=size, took_s=took_s)
            await self._report(None)
