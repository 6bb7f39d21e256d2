"""How much space a disk has."""

from __future__ import annotations

import shutil
from pathlib import Path


def size_and_free(folder: Path) -> tuple[int, int]:
    """Return the size and the free space, in bytes, of the disk of `folder`, which need not exist yet."""
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    usage = shutil.disk_usage(existing)
    return usage.total, usage.free
