"""Atomic writes: a file appears only when it is complete."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_disk_full(error: Exception) -> bool:
    """Return True if there was no room to write to, which says nothing about the file that was read."""
    return getattr(error, "errno", None) in _DISK_FULL


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it is renamed to `target` at the end, or removed on an error.

    A process that is killed meanwhile leaves `<target>.part` behind; the next attempt removes it first, since
    it may be a link to a file that is in use.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
