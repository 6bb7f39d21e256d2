"""Check whether the nightly backups of the database are made."""

from __future__ import annotations

from datetime import date, timedelta

from bot.cli.doctor.finding import Finding
from bot.settings import Settings

_MISSED = timedelta(days=2)
"""One night may be missed: the machine may have been off."""


def judge_backups(settings: Settings, newest: date | None, today: date, *, is_running: bool) -> Finding:
    """Judge the date of the newest backup. Only a running bot can be blamed for its age."""
    if settings.backups is None:
        return Finding("backups", "ok", "None are made: BACKUP_HOUR is off.")
    if newest is None:
        return Finding(
            "backups", "ok", f"None so far in {settings.backups}; the first comes soon after a start."
        )
    if is_running and today - newest >= _MISSED:
        mend = "The log says why: the database was not copied. Look at that disk and its permissions."
        return Finding("backups", "warning", f"The newest in {settings.backups} is of {newest}.", mend)
    return Finding("backups", "ok", f"The newest in {settings.backups} is of {newest}.")
