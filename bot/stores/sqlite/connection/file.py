"""The database file: made private, locked for one process, checked, and brought up to date."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.errors import SettingsError, StartError, StoreError
from bot.stores.write_outage import ROOM_BYTES

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SCHEMA_VERSION = 23
"""How many migrations `schema.py` has; stands here because importing that one is slow."""
_BUSY_TIMEOUT_S = 5.0
"""How long a write waits for a program that looks into the file."""


_IN_FORCE = (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1))  # 2 is FULL


class AlreadyOpen(SettingsError):
    """A bot has the file."""


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """An open connection, in autocommit mode, and the lock that makes it the only bot on the file.

    A visitor has no lock: a bot may be at work beside it.
    """

    connection: sqlite3.Connection
    lock: int | None
    folder: Path

    def has_room(self) -> bool:
        """Return True if its disk is not full."""
        try:
            return shutil.disk_usage(self.folder).free >= ROOM_BYTES
        except OSError:
            return False

    def close(self) -> None:
        if self.lock is not None:
            # What cannot be moved out of the write-ahead log stays there and is read at the next start.
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        if self.lock is not None:
            os.close(self.lock)


def open_file(path: Path) -> DatabaseFile:
    """Open, lock, check and migrate the database at `path`; blocks for as long as reading all of it takes.

    A new folder is readable by its owner alone, and so is a new file. SettingsError with one sentence for
    the operator if it cannot be used.
    """
    if sqlite3.sqlite_version_info < (3, 37):  # STRICT tables
        raise SettingsError(
            f"Dreamreel needs SQLite 3.37 or newer; this Python has {sqlite3.sqlite_version}."
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(path)
    except OSError as error:
        raise SettingsError(f"The database {path} cannot be opened: {_reason(error)}.") from error
    try:
        return DatabaseFile(_connect(path), lock, path.parent)
    except BaseException:
        os.close(lock)
        raise


def visit_file(path: Path) -> DatabaseFile:
    """Open the database at `path`, which must be there, beside the bot that may be using it.

    If none does, it is checked and migrated as at a start. SettingsError, one sentence, if it cannot be
    used.
    """
    if not path.exists():
        raise SettingsError(f"There is no database at {path} so far: the bot makes it at its first start.")
    try:
        own = open_file(path)
    except AlreadyOpen:
        return DatabaseFile(_connect_beside(path), None, path.parent)
    # The lock is let go of at once: a bot must be able to start meanwhile.
    assert own.lock is not None  # noqa: S101 - only visitors have none
    os.close(own.lock)
    return DatabaseFile(own.connection, None, path.parent)


_PASSING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explain(error: sqlite3.Error) -> str:
    """Return why SQLite refused, as the second half of a sentence."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    match code & 0xFF:  # the upper bits only refine it
        case sqlite3.SQLITE_FULL:
            return "its disk is full, free some space"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "it is damaged, restore a backup or move it away to begin with an empty one"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "another program holds it"
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_IOERR:
            return "it cannot be read and written, look at its folder, its permissions and its disk"
        case _:
            return f"SQLite reports {getattr(error, 'sqlite_errorname', type(error).__name__)}"


_OF_THE_FILE = (
    *_PASSING,
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
)


def is_of_the_file(error: sqlite3.Error) -> bool:
    """Return True if the file or its disk refuses, whatever was to be written."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_FILE


def is_damage(error: sqlite3.Error) -> bool:
    """Return True if the file is lost: no later try can work."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def may_pass(error: BaseException | None) -> bool:
    """Return True if a later try may work by itself: a full disk, or another program's lock."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING


def _lock(path: Path) -> int:
    """Take the lock, which is held until the process ends, whatever ends it. The file stays: removing it
    would let two in."""
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        os.close(lock)
        raise AlreadyOpen(f"Another Dreamreel already uses {path}: stop it first.") from error
    except OSError:
        os.close(lock)
        raise
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    def make_ready(connection: sqlite3.Connection) -> None:
        _check(connection, path)
        _set_up(connection, path)
        _migrate(connection, path)

    return _connected(path, make_ready)


def _connect_beside(path: Path) -> sqlite3.Connection:
    """Connect to a file that a running bot has checked, and has brought to its own version."""

    def make_ready(connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            raise SettingsError(f"Another version of Dreamreel uses {path} at the moment: use that one.")
        _set_up(connection, path)

    return _connected(path, make_ready)


def _connected(path: Path, make_ready: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    try:
        # SQLite itself would let everybody read it; its -wal and -shm files take over these rights.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        # Opened on one thread, then used by one other alone.
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
    except OSError as error:
        raise SettingsError(f"The database {path} cannot be opened: {_reason(error)}.") from error
    except sqlite3.Error as error:
        raise _refusal(path, error) from error
    try:
        make_ready(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise _refusal(path, error) from error
        raise
    return connection


def _refusal(path: Path, error: sqlite3.Error) -> SettingsError | StartError:
    """Return the error for a database that cannot be opened. A full disk and another program's lock may pass;
    the rest has to be mended."""
    kind = StartError if may_pass(error) else SettingsError
    return kind(f"The database {path} cannot be opened: {explain(error)}.")


def sound(connection: sqlite3.Connection, check: Literal["quick_check", "integrity_check"]) -> bool:
    """Return True if every page can be read, and every call to a provider belongs to a task.

    `integrity_check` compares the indexes with their tables too, which takes four times as long.
    """
    return is_whole(connection, check) and connection.execute("PRAGMA foreign_key_check").fetchone() is None


def is_whole(connection: sqlite3.Connection, check: Literal["quick_check", "integrity_check"]) -> bool:
    """Return True if every page can be read."""
    usual = connection.text_factory
    connection.text_factory = bytes  # what it says of a damaged file may quote bytes that are no text
    try:
        return bool(connection.execute(f"PRAGMA {check}(1)").fetchone()[0] == b"ok")
    except UnicodeDecodeError:  # so may its error
        return False
    finally:
        connection.text_factory = usual


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Return True if the file has tables, and none of the first ones of ours: another program made it."""
    rows = connection.execute("SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'table'")
    tables = {bytes(row[0]) for row in rows}
    return bool(tables) and not {b"tasks", b"updates", b"people"} <= tables


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if not sound(connection, "quick_check"):
        raise SettingsError(
            f"The database {path} is damaged: restore a backup, or move it away to begin with an empty one."
        )
    if is_foreign(connection):
        raise SettingsError(f"The database {path} is of another program: set another DATABASE_URL.")
    if connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
        raise SettingsError(f"The database {path} was made by a newer Dreamreel: update this one.")


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL may lose the last commits with the power; among them could be the id of a job that was paid for.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # SQLite refuses such a wish without a word: on a network drive there is no write-ahead log.
    for pragma, value in _IN_FORCE:
        found = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != value:
            raise SettingsError(
                f"The database {path} cannot be kept safely there ({pragma} is {found}, not {value}): "
                "put it on a disk of this machine."
            )
    connection.row_factory = sqlite3.Row


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
        if connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]:
            _copy_before_migration(path)
        # sqlite-utils is a third of the bot's start-up, and most starts have nothing to migrate.
        from bot.stores.sqlite.schema import migrate  # noqa: PLC0415

        migrate(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _copy_before_migration(path: Path) -> None:
    """Copy a database beside itself, so that somebody can go back to the version that wrote it."""
    from bot.stores.sqlite.backup import back_up, copy_before_migration  # noqa: PLC0415 - rarely needed

    try:
        back_up(path, copy_before_migration(path, SCHEMA_VERSION), lambda: False)
    except StoreError as error:
        raise StartError(f"The database {path} is not migrated without a copy: {error}.") from error


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
