"""The watchdog: ends a process whose event loop has stood still for most of a lease.

A process that was stopped and comes back may still send what it had begun, after its lease was given to
somebody else: a late write that no version in a database can hold back. So it must not come back.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable

from bot.log import last_words
from bot.worker import schedule

STILL_S = 0.7 * schedule.LEASE_S
_EXIT_CODE = 70  # EX_SOFTWARE: service managers start it again


class Watchdog:
    """Watches the loop it is started on, from a thread, until `stop`."""

    def __init__(self, still_s: float = STILL_S, end: Callable[[], None] | None = None) -> None:
        self._still_s = still_s
        self._end = end or _end_process
        self._turned_at = time.monotonic()
        self._stopping = threading.Event()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop,), name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.wait(self._still_s / 10):
            if time.monotonic() - self._turned_at > self._still_s:
                self._end()
                return
            try:
                loop.call_soon_threadsafe(self._turn)
            except RuntimeError:
                return  # the loop is closed: there is nothing left to watch

    def _turn(self) -> None:
        self._turned_at = time.monotonic()


def _end_process() -> None:
    # Not through the logs: whatever holds up the loop may hold them up too.
    words = "The event loop stood still for too long: this process ends and has to be started again."
    sys.stderr.write(last_words(words))
    sys.stderr.flush()
    os._exit(_EXIT_CODE)
