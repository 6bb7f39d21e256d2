"""Files that appear only when they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Gives a place beside `target` to write to, which takes its name at the end, or is removed on an error.

    A process that is killed in between leaves `<target>.part` behind; the next attempt overwrites it.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
