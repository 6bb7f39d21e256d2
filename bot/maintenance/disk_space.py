"""Room on a disk."""

from __future__ import annotations

import shutil
from pathlib import Path


def size_and_room(folder: Path) -> tuple[int, int]:
    """How many bytes the disk has on which `folder` lies, or will lie once it is made; how many are free."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(there)
    return usage.total, usage.free
