"""The watchdog: end a process whose event loop has been blocked for most of a lease.

A process that was stopped and goes on may still send what it had begun after its lease was given to another
one, and no version in a database can prevent that. So it must not go on.
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
    """Watches the event loop that `start` is called on, from a thread, until `stop`."""

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
    # Not through the logs: what blocks the loop may block them too.
    words = "The event loop stood still for too long: this process ends and has to be started again."
    sys.stderr.write(last_words(words))
    sys.stderr.flush()
    os._exit(_EXIT_CODE)
