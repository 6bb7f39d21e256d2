"""Live cards: the newest state wins, one edit at a time, and nothing is drawn over an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from fakes import NOW, Clock, a_task
from structlog.testing import capture_logs

from bot.chat.task_cards.live_updates import LiveCardUpdater
from bot.errors import CallRefused, CallUnclear, CardGone, ChatBusy, ChatError
from bot.send_rates import Urgency
from bot.task import Task, TaskState

BOUND_S = 20.0
PACE_S = 5.0
GROUP_PACE_S = 15.0


class Wall:
    """Where cards are drawn: remembers the edits, holds them up on demand, and may refuse them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.edits: list[Task] = []
        self.urgencies: list[Urgency] = []
        self.under_way: dict[str, int] = {}
        self.most_at_once = 0
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.turned = 0
        self._changed = asyncio.Condition()
        self.live = LiveCardUpdater(self.edit, self.pace_s, self.tell, tick_s=0.001)

    def tell(self) -> Any:
        """The clock; being asked is what each turn of the loop begins with."""
        self.turned += 1
        return self.clock()

    def pace_s(self, task: Task) -> float:
        return GROUP_PACE_S if task.card.chat_id < 0 else PACE_S

    async def edit(self, task: Task, urgency: Urgency) -> None:
        self.edits.append(task)
        self.urgencies.append(urgency)
        self.under_way[task.id] = self.under_way.get(task.id, 0) + 1
        assert self.under_way[task.id] == 1, "one edit at a time for each card"
        self.most_at_once = max(self.most_at_once, sum(self.under_way.values()))
        async with self._changed:
            self._changed.notify_all()
        try:
            await self.open.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.under_way[task.id] -= 1

    async def until(self, count: int) -> None:
        """So many edits were begun."""
        async with asyncio.timeout(BOUND_S), self._changed:
            await self._changed.wait_for(lambda: len(self.edits) >= count)

    async def turns(self) -> None:
        """The loop has looked at all cards again, more than once; without cards it rests."""
        then = self.turned + 5
        async with asyncio.timeout(BOUND_S):
            while len(self.live) and self.turned < then:
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)

    async def after(self, seconds: float) -> int:
        """How many edits have been begun, so much later."""
        self.clock.advance(seconds)
        await self.turns()
        return len(self.edits)


@pytest.fixture
async def wall(clock: Clock) -> AsyncIterator[Wall]:
    made = Wall(clock)
    async with running(made.live):
        yield made


@asynccontextmanager
async def running(live: LiveCardUpdater) -> AsyncIterator[None]:
    loop = asyncio.create_task(live.run())
    try:
        yield
        assert not loop.done(), "no card may end the loop"
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


def a_card(task_id: str = "boat", version: int = 1, **changes: Any) -> Task:
    return a_task(task_id, version=version, **{"state": TaskState.RUNNING, **changes})


async def test_a_card_is_drawn_at_once_and_then_at_its_pace(wall: Wall) -> None:
    wall.live.show(a_card())
    await wall.until(1)
    assert await wall.after(PACE_S - 0.1) == 1
    assert await wall.after(0.1) == 2
    assert await wall.after(PACE_S) == 3


async def test_a_card_just_posted_says_it_all_and_is_drawn_at_its_pace(wall: Wall) -> None:
    wall.live.posted(a_card())
    assert await wall.after(PACE_S - 0.1) == 0
    assert await wall.after(0.1) == 1


async def test_a_group_is_edited_more_rarely(wall: Wall) -> None:
    wall.live.show(a_card(chat_id=-5))
    await wall.until(1)
    assert await wall.after(GROUP_PACE_S - 1) == 1
    assert await wall.after(1) == 2


async def test_news_is_shown_before_its_time_but_not_twice_in_a_second(wall: Wall) -> None:
    wall.live.show(a_card(state=TaskState.QUEUED))
    await wall.until(1)
    wall.live.show(a_card(version=2, state=TaskState.SUBMITTING))
    assert await wall.after(0.5) == 1
    assert await wall.after(0.5) == 2
    wall.live.show(a_card(version=3, state=TaskState.SUBMITTING, progress=0.5))
    assert await wall.after(1) == 2, "progress is no news: it waits for the pace"


async def test_a_queue_of_the_provider_is_news_and_so_is_its_end(wall: Wall) -> None:
    wall.live.show(a_card(submitted_at=NOW))
    await wall.until(1)
    queued = a_card(submitted_at=NOW, version=2, polled_at=NOW)
    wall.live.show(queued)
    assert await wall.after(1) == 2
    wall.live.show(replace(queued, version=3, running_at=NOW))
    assert await wall.after(1) == 3


async def test_what_counts_and_who_asked_for_silence_can_be_asked_for(wall: Wall) -> None:
    wall.live.show(a_card())
    assert wall.live.tasks() == [a_card()]
    wall.live.pause(10, 5.0)
    assert wall.live.is_paused(10)
    assert not wall.live.is_paused(11)
    wall.clock.advance(5)
    assert not wall.live.is_paused(10)
    await wall.live.stop_and_wait("boat")
    assert wall.live.tasks() == []


async def test_the_newest_state_wins_and_edits_coalesce(wall: Wall) -> None:
    wall.open.clear()
    wall.live.show(a_card())
    await wall.until(1)
    for version in range(2, 30):
        wall.live.show(a_card(version=version, progress=version / 100))
    wall.live.show(a_card(version=5, state=TaskState.QUEUED))
    wall.open.set()
    await wall.after(PACE_S)
    assert [task.version for task in wall.edits] == [1, 29]


async def test_an_outcome_waits_for_the_edit_under_way_and_nothing_is_drawn_after_it(wall: Wall) -> None:
    wall.open.clear()
    wall.live.show(a_card())
    await wall.until(1)
    wall.live.show(a_card(version=2, late_at=NOW))
    settled = asyncio.create_task(wall.live.stop_and_wait("boat"))
    await wall.turns()
    assert not settled.done()
    wall.open.set()
    await asyncio.wait_for(settled, BOUND_S)
    assert wall.under_way == {"boat": 0}
    assert await wall.after(100) == 1


async def test_an_outcome_does_not_wait_for_other_cards(wall: Wall) -> None:
    wall.open.clear()
    for number in range(9):
        wall.live.show(a_card(f"task-{number}"))
    await wall.until(8)
    await asyncio.wait_for(wall.live.stop_and_wait("task-8"), BOUND_S)
    wall.open.set()
    await wall.turns()
    assert {task.id for task in wall.edits} == {f"task-{number}" for number in range(8)}


async def test_settling_what_was_never_shown_is_nothing(wall: Wall) -> None:
    await asyncio.wait_for(wall.live.stop_and_wait("boat"), BOUND_S)


async def test_slow_edits_do_not_pile_up(wall: Wall) -> None:
    wall.open.clear()
    for number in range(20):
        wall.live.show(a_card(f"task-{number}"))
    await wall.until(8)
    assert await wall.after(100) == 8
    wall.open.set()
    await wall.until(20)
    assert len({task.id for task in wall.edits[:20]}) == 20, "who stood longest comes first"
    assert wall.most_at_once == 8


async def test_a_chat_that_asks_for_silence_gets_it_and_others_go_on(wall: Wall) -> None:
    wall.error = ChatBusy(60.0)
    wall.live.show(a_card("loud", chat_id=10))
    await wall.until(1)
    await wall.turns()
    wall.error = None
    wall.live.show(a_card("same chat", chat_id=10))
    wall.live.show(a_card("other chat", chat_id=11))
    await wall.until(2)
    await wall.after(59)
    assert {task.id for task in wall.edits[1:]} == {"other chat"}
    await wall.after(2)
    assert {task.id for task in wall.edits[1:]} == {"other chat", "loud", "same chat"}


@pytest.mark.parametrize("error", [CardGone("deleted"), CallRefused("can't parse entities")])
async def test_a_refused_edit_is_not_repeated(wall: Wall, error: ChatError) -> None:
    wall.error = error
    wall.live.show(a_card())
    await wall.until(1)
    wall.live.show(a_card(version=2, late_at=NOW))
    assert await wall.after(1000) == 1


async def test_an_edit_of_unknown_end_is_followed_by_the_next(wall: Wall) -> None:
    wall.error = CallUnclear("TimedOut")
    wall.live.show(a_card())
    await wall.until(1)
    assert await wall.after(PACE_S) == 2


async def test_a_defect_in_one_card_does_not_end_the_others(wall: Wall) -> None:
    wall.error = KeyError("a phrase")
    with capture_logs() as lines:
        wall.live.show(a_card("broken"))
        await wall.until(1)
        await wall.turns()
    wall.error = None
    wall.live.show(a_card("well", chat_id=11))
    await wall.until(2)
    assert wall.edits[-1].id == "well"
    assert [(line["log_level"], line["task"]) for line in lines] == [("error", "broken")]


async def test_a_card_that_nobody_waits_for_is_drawn_once_and_left(wall: Wall) -> None:
    wall.live.show(a_card())
    await wall.until(1)
    wall.live.show(a_card(version=2, detached=True))
    assert await wall.after(1) == 2
    assert await wall.after(1000) == 2
    assert len(wall.live) == 0


async def test_a_card_hidden_while_it_is_drawn_is_drawn_once_more(wall: Wall) -> None:
    wall.open.clear()
    wall.live.show(a_card())
    await wall.until(1)
    wall.live.show(a_card(version=2, detached=True))
    wall.open.set()
    await wall.after(1)
    assert [task.detached for task in wall.edits] == [False, True]


def _sizes(live: LiveCardUpdater) -> Callable[[], list[int]]:
    return lambda: [len(value) for value in vars(live).values() if type(value) is dict]


async def test_nothing_is_left_of_tasks_that_ended(wall: Wall) -> None:
    sizes = _sizes(wall.live)
    for number in range(30):
        card = a_card(f"task-{number}", chat_id=number + 1)
        wall.live.show(card)
        wall.live.pause(card.card.chat_id + 1000, 5.0)
        if number % 3 == 0:
            wall.live.show(replace(card, version=2, detached=True))
    await wall.until(30)
    await wall.turns()
    for number in range(30):
        if number % 3:
            await wall.live.stop_and_wait(f"task-{number}")
    await wall.after(10)
    wall.live.show(a_card("last", detached=True))
    await wall.after(10)
    assert sizes() == [0] * len(sizes())


async def test_what_somebody_waits_to_see_goes_before_all_that_counts_even_in_a_paused_chat(
    wall: Wall,
) -> None:
    wall.open.clear()
    for number in range(20):
        wall.live.show(a_card(f"task-{number}", chat_id=-5))
    await wall.until(8)
    wall.live.pause(-5, 30)
    wall.live.show(a_card("task-19", version=2, chat_id=-5, detached=True))
    await wall.until(9)
    assert (wall.edits[-1].id, wall.urgencies) == ("task-19", [*[Urgency.LOW] * 8, Urgency.FIRST])
    wall.live.show(a_card("task-18", version=2, chat_id=-5), pressed=True)
    await wall.until(10)
    assert (wall.edits[-1].id, wall.urgencies[-1]) == ("task-18", Urgency.FIRST)


@pytest.mark.parametrize("error", [ChatBusy(7.0), CallUnclear("TimedOut")])
async def test_an_edit_that_somebody_waits_for_is_repeated_until_it_is_known_to_be_there(
    wall: Wall, error: ChatError
) -> None:
    wall.error = error
    wall.live.show(a_card(detached=True))
    await wall.until(1)
    assert await wall.after(0.5) == 1, "not before its time"
    wall.error = None
    assert await wall.after(8) == 2
    assert wall.urgencies == [Urgency.FIRST] * 2
    wall.live.show(a_card(version=3, detached=True))
    assert await wall.after(60) == 2, "drawn once, and then left"
