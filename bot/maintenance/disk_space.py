"""How much space a disk has, and whether it can be written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from bot.errors import SettingsError


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
    bought could not be delivered."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = write_problem(folder)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise SettingsError(f"Nothing can be written to DATA_DIR {folder}: {problem}.")
