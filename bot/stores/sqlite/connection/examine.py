"""Examines the database file without changing anything, also while a bot is running on it."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bot.store.audit import AuditEntry
from bot.stores.examination import DatabaseCheck
from bot.stores.sqlite.audit import settings_in_force
from bot.stores.sqlite.connection.file import SCHEMA_VERSION, is_foreign, is_whole
from bot.stores.sqlite.maintenance import bot_of, key_mark_of
from bot.stores.sqlite.people import admins

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BUSY_TIMEOUT_S = 2.0


def examine(path: Path) -> DatabaseCheck:
    """Examine the database at `path`; blocks for as long as reading all of it takes. Never raises.

    Writing is tried only if no bot is running on it: that takes the write lock.
    """
    try:
        if not path.exists():
            return _examine_folder(path)
        in_use = _is_in_use(path)
    except OSError as error:
        return DatabaseCheck(True, problem=f"cannot be looked at: {error.strerror}", mend=_PERMISSIONS)
    try:
        with closing(_connect(path, "ro" if in_use else "rw")) as connection:
            return _examine_content(connection, in_use)
    except sqlite3.Error as error:
        problem, mend = _explain(error)
        return DatabaseCheck(True, in_use, problem, mend)


def stored_settings(path: Path, subject: int) -> list[AuditEntry]:
    """Return the settings of a subject that are in force; none if they cannot be read. Leaves no file
    behind."""
    try:
        # Reading a file that nobody else has open leaves two files beside it.
        mode = "ro" if not path.exists() or _is_in_use(path) else "rw"
        with closing(_connect(path, mode)) as connection:
            return settings_in_force(connection, subject)
    except (sqlite3.Error, OSError):
        return []


_PERMISSIONS = "Look at its permissions, at those of its folder, and at the disk."
_FOREIGN = ("is a database of another program", "Set another DATABASE_URL: the bot makes a file of its own.")
_DAMAGED = ("is damaged", "Restore a backup, or move it away to begin with an empty one.")


def _examine_folder(path: Path) -> DatabaseCheck:
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return DatabaseCheck(False)
    return DatabaseCheck(
        False, problem=f"cannot be made: nothing can be written to {folder}", mend=_PERMISSIONS
    )


def _is_in_use(path: Path) -> bool:
    """Return True if a running bot holds the lock of this database. The lock is tried for an instant, and its
    file is never made."""
    try:
        lock = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
        )
    except FileNotFoundError:
        return False
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            msvcrt.locking(lock, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(lock)
    return False


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    return connection


def _examine_content(connection: sqlite3.Connection, in_use: bool) -> DatabaseCheck:
    if not is_whole(connection, "quick_check"):
        return DatabaseCheck(True, in_use, *_DAMAGED)
    if is_foreign(connection):
        return DatabaseCheck(True, in_use, *_FOREIGN)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        return DatabaseCheck(True, in_use, "was made by a newer Dreamreel", "Update this one.")
    if not in_use:
        connection.execute("BEGIN IMMEDIATE")
        # SQLite opens a file for reading that cannot be written, and only a write shows it.
        connection.execute(f"PRAGMA user_version = {version:d}")
        connection.execute("ROLLBACK")
    if version < SCHEMA_VERSION:  # the next start brings it up to date
        return DatabaseCheck(True, in_use, admins=tuple(admins(connection)) if version else ())
    return DatabaseCheck(
        True,
        in_use,
        admins=tuple(admins(connection)),
        bot_id=bot_of(connection),
        key_mark=key_mark_of(connection),
    )


def _explain(error: sqlite3.Error) -> tuple[str, str]:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:  # the upper bits only refine it
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _DAMAGED
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "is held by another program", "Close that program: the bot could not write."
        case sqlite3.SQLITE_FULL:
            return "cannot be written: its disk is full", "Free some space."
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_IOERR:
            return "cannot be read and written", _PERMISSIONS
        case _:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            return (
                f"is refused by SQLite ({name})",
                "Restore a backup, or move it away to begin with an empty one.",
            )
