"""Bounds on the memory of worker processes: a file of a few kilobytes can ask for gigabytes."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path, PurePosixPath

MOST_BYTES = 1_200_000_000
"""Of data in a worker; docs/decisions.md has the measurements."""
_LEAST_BYTES = 400_000_000
_RESERVED_BYTES = 200_000_000  # the bot itself takes 100 MB; workers that wait for work some 50 MB each
_THREADS = 4
"""Of a library at most: each of them holds pictures of its own."""
_PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
_CGROUPS = Path("/sys/fs/cgroup")
_MY_CGROUP = Path("/proc/self/cgroup")


def worker_bytes(machine_bytes: int) -> int:
    """Return how much data one worker may hold on a machine with this much memory."""
    return min(MOST_BYTES, max(_LEAST_BYTES, machine_bytes - _RESERVED_BYTES))


def worker_count(processors: int, machine_bytes: int) -> int:
    """Return how many workers may run at once: one for each processor, if all of them fit into memory."""
    fitting = (machine_bytes - _RESERVED_BYTES) // worker_bytes(machine_bytes)
    return max(1, min(processors, fitting))


def machine_memory() -> int:
    """Return the bytes of memory that this process and its workers may use: those of the machine, of its
    container or of its service."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([installed, *cgroup_limits(_MY_CGROUP, _CGROUPS)])


def bound_worker(max_bytes: int) -> None:
    """Bound the data of this process; what would exceed it gets a `MemoryError`, or ends with the process.

    If the machine itself runs out of memory, the system ends this process first, not the bot.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = max_bytes if hard == resource.RLIM_INFINITY else min(max_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def choose_processors(foreign: bool) -> None:
    """Run the next work of this process, and the threads of its libraries, on a few processors.

    `foreign` work, on a file that somebody sent, keeps to half of them: however much it computes, the bot and
    finished videos have the others.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    if foreign:
        chosen = _PROCESSORS[: max(1, len(_PROCESSORS) // 2)]
    else:
        first = os.getpid() % len(_PROCESSORS)  # not the same ones in every worker
        chosen = [*_PROCESSORS[first:], *_PROCESSORS[:first]]
    os.sched_setaffinity(0, chosen[:_THREADS])


def cgroup_limits(mine: Path, root: Path) -> list[int]:
    """Return the limits of the control group in `mine` and of those around it; cgroups(7), version 2."""
    limits = []
    with suppress(OSError):
        for line in mine.read_text().splitlines():
            if line.startswith("0::"):
                group = PurePosixPath(line.removeprefix("0::/"))
                for place in (group, *group.parents):
                    with suppress(OSError, ValueError):  # no such file at the root, and "max" for no limit
                        limits.append(int((root / place / "memory.max").read_text()))
    return limits
