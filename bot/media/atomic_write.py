"""Atomic writes: a file appears only when it is complete."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.codes import FailureCode
from bot.errors import MediaError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
_BROKEN = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.ENODEV, errno.ENXIO, errno.ESTALE})
"""FFmpeg says some of them of a damaged file, too: only of the system itself they are about the disk."""


def is_disk_error(error: Exception) -> bool:
    """Return True if the disk takes nothing: full, read-only or broken. That says nothing about the file that
    was read."""
    code = getattr(error, "errno", None)
    return code in _NO_ROOM or (code in _BROKEN and type(error).__module__ == "builtins")


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise what the system says about the disk as MediaError `disk_full`."""
    try:
        yield
    except OSError as error:
        if not is_disk_error(error):
            raise
        raise MediaError(FailureCode.DISK_FULL, f"on our disk: {error.strerror}") from error


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
