"""Upload slots: deliveries that hang give up their places, and soon hold up only each other."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bot.worker.upload_slots import UploadSlots

LONG_S = 20.0
BRIEF_S = 0.01


async def test_eight_run_side_by_side_and_the_ninth_waits_for_a_place() -> None:
    slots = UploadSlots()
    async with AsyncExitStack() as places:
        for number in range(7):
            assert await places.enter_async_context(slots.acquire(str(number), LONG_S))
        async with (
            slots.acquire("the eighth", LONG_S) as eighth,
            slots.acquire("the 9th", BRIEF_S) as ninth,
        ):
            assert (eighth, ninth) == (True, False)
        async with slots.acquire("the 9th", LONG_S) as acquired:
            assert acquired


async def test_those_that_hang_give_up_their_places() -> None:
    slots = UploadSlots(slow_after_s=BRIEF_S)
    async with AsyncExitStack() as hanging:
        for number in range(23):
            assert await hanging.enter_async_context(slots.acquire(str(number), LONG_S))
        async with slots.acquire("another", LONG_S) as one, slots.acquire("too many", 5 * BRIEF_S) as other:
            assert (one, other) == (True, False)


async def test_what_hung_once_holds_up_only_its_like() -> None:
    slots = UploadSlots(slow_after_s=BRIEF_S)
    gone = asyncio.Event()
    for number in range(20):
        async with slots.acquire(str(number), LONG_S):
            asyncio.get_running_loop().call_later(3 * BRIEF_S, gone.set)
            await gone.wait()
            gone.clear()
    async with AsyncExitStack() as hanging:
        for number in range(4):
            assert await hanging.enter_async_context(slots.acquire(str(number), LONG_S))
        async with slots.acquire("19", BRIEF_S) as acquired:
            assert not acquired
        for number in range(20, 28):
            assert await hanging.enter_async_context(slots.acquire(str(number), LONG_S))


async def test_who_gives_up_waiting_leaves_no_place_empty() -> None:
    slots = UploadSlots()
    async with AsyncExitStack() as places:
        for number in range(8):
            await places.enter_async_context(slots.acquire(str(number), LONG_S))
        for _ in range(30):
            async with slots.acquire("impatient", 0.001) as acquired:
                assert not acquired
    async with AsyncExitStack() as places:
        for number in range(8):
            assert await places.enter_async_context(slots.acquire(str(number), LONG_S))
