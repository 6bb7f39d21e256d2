"""Room on a disk, and whether it can be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def size_and_room(folder: Path) -> tuple[int, int]:
    """How many bytes the disk has on which `folder` lies, or will lie once it is made; how many are free."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(there)
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
