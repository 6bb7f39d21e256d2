"""Leases on names, and one clock: what several processes of the bot need of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

POLLING_LEASE = "polling"
"""Of all processes, the one that holds this lease polls Telegram."""
_RETRY_S = 0.03
"""Between two tries to get a lease that another process has."""


class LeaseStore(Protocol):
    """A process holds a lease on a name; its own parts need other locks among themselves."""

    @property
    def is_shared(self) -> bool:
        """True if other processes may write too, so that nothing read is true for long."""

    @property
    def tick_s(self) -> float:
        """How long a process may rest while nothing is known to be due: others may have added something."""

    def now(self) -> datetime:
        """Return the time of the one clock of all processes: leases of one are read by the others."""

    def on_work(self, wake: Callable[[], None]) -> None:
        """Call `wake` if another process may have made something due. It may be called too often."""

    async def take_lease(self, name: str, lease_s: float) -> bool:
        """Get it, or keep it for so long from now; return False while another process has it."""

    async def end_lease(self, name: str) -> None:
        """End it before its time. Somebody else's is left alone."""

    async def holds_lease(self, name: str) -> bool:
        """Return True while this process has it."""

    async def count_processes(self) -> int:
        """Count the live processes that share the store."""

    async def is_ours(self, task_id: str) -> bool:
        """Return True if this process was the last to store, save or claim the task, or one that is gone by
        now."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class SingleProcess:
    """The `LeaseStore` of a bot that is one process: every lease is its own."""

    is_shared = False
    tick_s = 30.0

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()

    def on_work(self, wake: Callable[[], None]) -> None:
        """Do nothing: there is no other process."""

    async def take_lease(self, name: str, lease_s: float) -> bool:
        return True

    async def end_lease(self, name: str) -> None:
        """Do nothing: nobody waits for the lease."""

    async def holds_lease(self, name: str) -> bool:
        return True

    async def count_processes(self) -> int:
        return 1

    async def is_ours(self, task_id: str) -> bool:
        return True


SINGLE_PROCESS = SingleProcess()


@asynccontextmanager
async def lease(leases: LeaseStore, name: str, lease_s: float) -> AsyncIterator[None]:
    """Hold the lease on `name` until the end of the block; for `lease_s` at most, if this process dies.
    StoreError if that cannot be known."""
    while not await leases.take_lease(name, lease_s):  # noqa: ASYNC110 - it ends in another process
        await asyncio.sleep(_RETRY_S)
    try:
        yield
    finally:
        await asyncio.shield(leases.end_lease(name))
