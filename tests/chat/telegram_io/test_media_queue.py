"""The media queue: one step a person at a time, persons in turn; what finds no place comes again later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.chat.telegram_io.media_queue import MediaQueue
from bot.errors import ChatBusy

ADA, BORIS, CHEN = 1, 2, 3


class Steps:
    """Steps that last until they are ended, and the order in which they began."""

    def __init__(self, queue: MediaQueue) -> None:
        self.queue = queue
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, user_id: int, name: str, *, joins: bool = False, patient: bool = False) -> None:
        """A step that has been begun, or waits."""
        self._ends[name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._step(user_id, name, joins=joins, patient=patient)))
        await settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def end_all(self) -> None:
        for end in self._ends.values():
            end.set()
        await asyncio.gather(*self._tasks)

    async def _step(self, user_id: int, name: str, *, joins: bool, patient: bool) -> None:
        async with self.queue.join(user_id) if joins else self.queue.step(user_id, patient=patient):
            self.began.append(name)
            await self._ends[name].wait()


async def settled(until: Callable[[], bool] = lambda: False) -> None:
    for _ in range(20):
        if until():
            return
        await asyncio.sleep(0)


async def test_a_person_is_in_one_step_at_a_time_and_holds_up_nobody_else() -> None:
    steps = Steps(MediaQueue())
    for name in ("first of Ada", "second of Ada", "third of Ada"):
        await steps.ask(ADA, name)
    await steps.ask(BORIS, "first of Boris")
    assert steps.began == ["first of Ada", "first of Boris"]
    await steps.end("first of Ada")
    assert steps.began == ["first of Ada", "first of Boris", "second of Ada"]
    await steps.end_all()


async def test_a_join_is_a_step_of_its_person_and_persons_take_turns_with_joins() -> None:
    steps = Steps(MediaQueue())
    await steps.ask(ADA, "Ada joins", joins=True)
    await steps.ask(ADA, "Ada joins again", joins=True)
    await steps.ask(BORIS, "Boris joins", joins=True)
    await steps.ask(ADA, "a photo of Ada")
    await steps.ask(CHEN, "a photo of Chen")
    assert steps.began == ["Ada joins", "a photo of Chen"]
    await steps.end("Ada joins")
    assert steps.began[2:] == ["Boris joins"]
    await steps.end("Boris joins")
    assert steps.began[3:] == ["Ada joins again"]
    await steps.end_all()


async def test_what_finds_no_place_is_to_come_again_and_others_find_one() -> None:
    steps = Steps(MediaQueue())
    for number in range(3):
        await steps.ask(ADA, f"{number}")
    with pytest.raises(ChatBusy):
        async with steps.queue.step(ADA):
            pass
    await steps.ask(ADA, "what has begun to answer waits", patient=True)
    await steps.ask(BORIS, "Boris")
    assert steps.began == ["0", "Boris"]
    await steps.end_all()
    async with asyncio.timeout(5), steps.queue.step(ADA):
        pass


async def test_so_many_persons_at_once_and_no_more() -> None:
    steps = Steps(MediaQueue())
    for person in range(9):
        await steps.ask(person, f"{person}")
    assert len(steps.began) == 8
    await steps.end("0")
    assert len(steps.began) == 9
    for person in range(9, 96 + 1):
        await steps.ask(person, f"{person}")
    with pytest.raises(ChatBusy):
        async with steps.queue.step(999):
            pass
    await steps.end_all()


async def test_it_says_which_tasks_are_inside_whether_they_wait_or_not() -> None:
    queue = MediaQueue()
    steps = Steps(queue)
    await steps.ask(ADA, "at work")
    await steps.ask(ADA, "waiting")
    assert len(queue.inside) == 2
    await steps.end_all()
    assert not queue.inside
