"""A bound on the memory that a piece of work may take: a small file can ask for gigabytes."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import MediaError


@contextmanager
def bounded_memory(max_mb: int) -> Iterator[None]:
    """Inside, the whole process may hold `max_mb` of data; `MediaError("photo_too_large")` beyond.

    Only for work in a process of its own. Where the system does not count mapped memory (macOS) nothing is
    bound.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [bound for bound in (max_mb * 1_000_000, soft, hard) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    except MemoryError as error:
        raise MediaError("photo_too_large", f"it takes over {max_mb} MB of memory") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
