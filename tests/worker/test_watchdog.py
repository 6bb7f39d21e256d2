"""The watchdog ends a process whose event loop stands still, and no other."""

import asyncio
import threading
import time

from bot.worker.watchdog import Watchdog


async def test_a_loop_that_stands_still_is_ended() -> None:
    ended = threading.Event()
    watchdog = Watchdog(still_s=0.1, end=ended.set)
    watchdog.start()
    deadline = time.monotonic() + 10
    while not ended.is_set() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended.is_set()


async def test_a_loop_that_turns_is_left_alone() -> None:
    ended = threading.Event()
    watchdog = Watchdog(still_s=5.0, end=ended.set)
    watchdog.start()
    for _ in range(50):
        await asyncio.sleep(0)
    watchdog.stop()
    assert not ended.is_set()
