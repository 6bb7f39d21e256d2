"""The clock of a bot that is alone on its database: a calendar that is set back stops nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.log import get_log
from bot.stores.sqlite.rows import to_text, to_time

_TOLERATED = timedelta(seconds=2)
"""What a time server corrects by and by."""
_NOTICED = timedelta(minutes=1)
_SHIFTED = (("tasks", "due_at"), ("updates", "due_at"), ("films", "due_at"))


class MonotonicClock:
    """The machine's calendar, and its counter while the calendar is behind that.

    A jump forward is followed: the counter stands still while a machine sleeps.
    """

    def __init__(
        self,
        calendar: Callable[[], datetime] = lambda: datetime.now(UTC),
        counter: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calendar = calendar
        self._counter = counter
        self._at, self._counted = calendar(), counter()
        self._is_behind = False
        self._log = get_log(__name__)

    def __call__(self) -> datetime:
        now, counted = self._calendar(), self._counter()
        carried = self._at + timedelta(seconds=counted - self._counted)
        if now < carried - _TOLERATED:
            if not self._is_behind:
                self._is_behind = True
                self._log.warning("the clock was set back: the bot counts on", by=str(carried - now))
            return carried
        if self._is_behind:
            self._log.info("the clock has caught up")
        elif now > carried + _NOTICED:
            self._log.info("the clock went forward, or the machine slept", by=str(now - carried))
        self._at, self._counted, self._is_behind = now, counted, False
        return now


def follow_back(connection: sqlite3.Connection, now: datetime) -> timedelta:
    """Move what is due by as much as the clock has been set back since the bot last lived; by how much."""
    row = connection.execute("SELECT at FROM heartbeat").fetchone()
    last = None if row is None else to_time(row["at"])
    back = timedelta() if last is None else last - now
    if back < _NOTICED:
        return timedelta()
    for table, column in _SHIFTED:
        rows = connection.execute(
            f"SELECT rowid, {column} FROM {table} WHERE {column} > ?",  # noqa: S608 - our own names
            [to_text(now)],
        ).fetchall()
        connection.executemany(
            f"UPDATE {table} SET {column} = ? WHERE rowid = ?",  # noqa: S608 - our own names
            [(to_text(_time(due_at) - back), rowid) for rowid, due_at in rows],
        )
    return back


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
