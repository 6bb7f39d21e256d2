"""Check that the nightly database backups are made."""

from __future__ import annotations

from datetime import date, timedelta

from bot.cli.doctor.finding import Finding
from bot.settings import Settings

_MISSED = timedelta(days=2)
"""One missed night is accepted."""


def judge_backups(settings: Settings, newest: date | None, today: date, *, is_running: bool) -> Finding:
    """Check the age of the newest backup. `newest` is its night. Only a running bot can be late with one."""
    if settings.backups is None:
        return Finding("backups", "ok", "Off: BACKUP_HOUR is off.")
    if newest is None:
        return Finding(
            "backups", "ok", f"None so far in {settings.backups}; the first is made soon after a start."
        )
    if is_running and today - newest >= _MISSED:
        mend = "The log says why: the database backup failed. Check that disk and its permissions."
        return Finding("backups", "warning", f"The newest in {settings.backups} is from {newest}.", mend)
    return Finding("backups", "ok", f"The newest in {settings.backups} is from {newest}.")
