"""How much space a disk has, and whether it can be written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


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
