"""A whole copy of the database file, made and checked while the bot works on it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bot.errors import StoreError
from bot.stores.sqlite.connection.file import explain, sound

_STEPS = 20_000
"""Of SQLite's machine between two looks at whether to stop: a few milliseconds."""
_KEPT_S = 7 * 24 * 3600.0
"""As long as nightly backups: a copy holds what people have deleted since."""


def copy_before_migration(path: Path, version: int) -> Path:
    """Return where the copy of a database goes before it is migrated to `version`."""
    return path.with_name(f"{path.name}.before-{version}")


def delete_old_copies(path: Path) -> None:
    """Delete the copies that were made before migrations, a week after they were made."""
    for copy in path.parent.glob(f"{path.name}.before-*"):
        if time.time() - copy.stat().st_mtime > _KEPT_S:
            copy.unlink(missing_ok=True)


def back_up(path: Path, target: Path, stopping: Callable[[], bool]) -> None:
    """Copy the database at `path` to `target`, readable by its owner alone; blocks.

    It has a connection of its own, and a reader holds up nobody who writes. StoreError when the disk refuses,
    the copy is not sound, or `stopping` says so in the middle; then `target` is as it was before.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            _copy(path, partial, stopping)
            # SQLite leaves it to the system when this copy reaches the disk.
            _sync(partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        _sync(target.parent)
    except sqlite3.Error as error:
        raise StoreError(f"no backup: {explain(error)}") from error
    except OSError as error:
        raise StoreError(f"no backup: {error.strerror or type(error).__name__}") from error


def _copy(path: Path, partial: Path, stopping: Callable[[], bool]) -> None:
    with closing(_open(path, stopping)) as source:
        source.execute("VACUUM INTO ?", [str(partial)])
        version = _version(source)
    with closing(_open(partial, stopping)) as copy:
        if not sound(copy, "integrity_check") or _version(copy) != version:
            raise StoreError("no backup: the copy is damaged")


def _open(path: Path, stopping: Callable[[], bool]) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.set_progress_handler(stopping, _STEPS)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no such call for folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
