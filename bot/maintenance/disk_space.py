"""How much space a disk has, and whether it can be written to."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from bot.errors import SettingsError

OWN_FOLDERS = ("videos", "preview", "backups")
"""What the bot makes in DATA_DIR, and nobody else reads."""


def size_and_free(folder: Path) -> tuple[int, int]:
    """Return the size and the free space, in bytes, of the disk of `folder`, which need not exist yet."""
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    usage = shutil.disk_usage(existing)
    return usage.total, usage.free


def write_problem(folder: Path) -> str:
    """Try to write a file into `folder`; why that fails, as the system says it, empty if it works."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def prepare_data_dir(folder: Path) -> None:
    """Make the folder for videos and keys. Raises SettingsError if nothing can be written to it: what is
    bought could not be delivered. It is closed to others than its owner and group, also if it was open."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(folder)
        problem = write_problem(folder)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise SettingsError(f"Nothing can be written to DATA_DIR {folder}: {problem}.")


def _close_to_others(folder: Path) -> None:
    """Take the rights of others from our folder, and all but the owner's from what the bot makes in it."""
    if sys.platform == "win32":
        return
    for place, kept in ((folder, 0o770), *((folder / name, 0o700) for name in OWN_FOLDERS)):
        if place.is_dir() and place.stat().st_uid == os.geteuid():
            place.chmod(stat.S_IMODE(place.stat().st_mode) & kept)
