"""Atomic writes: a file appears only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; it is renamed to `target` at the end, or removed on an error.

    A process that is killed meanwhile leaves `<target>.part` behind; the next attempt overwrites it.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
