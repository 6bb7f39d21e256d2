"""Chat actions: "sending a video…" while one is near or under way, and never for days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from fakes import NOW, Clock, a_task

from bot.chat.task_cards.chat_action import ChatActionSender, is_near
from bot.chat.task_cards.live_updates import LiveCardUpdater
from bot.errors import ChatBusy, ChatGone
from bot.send_rates import Urgency
from bot.task import Task, TaskState

BOUND_S = 20.0
USUAL_S = 600.0


class Chats:
    """Writes down for whom an action was shown, and may refuse or hold it up."""

    def __init__(self, clock: Clock) -> None:
        self.acts: list[Task] = []
        self.under_way = 0
        self.most_at_once = 0
        self.errors: dict[int, Exception] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.live = LiveCardUpdater(self._never, lambda _: 1e9, clock)
        self.presence = ChatActionSender(self.act, self.live, lambda _: USUAL_S, clock, pace_s=0.001)

    async def _never(self, task: Task, urgency: Urgency) -> None:
        raise AssertionError("nothing is drawn here")

    async def act(self, task: Task) -> None:
        self.acts.append(task)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        if error := self.errors.get(task.card.chat_id):
            raise error

    def count(self, task_id: str = "boat") -> int:
        return [task.id for task in self.acts].count(task_id)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not is_so():
                await asyncio.sleep(0)

    async def rounds(self) -> int:
        """How many actions have been shown, several rounds later."""
        before = self.count("marker")
        with self.presence.delivering(a_card("marker", chat_id=999)):
            await self.until(lambda: self.count("marker") >= before + 5)
        return len(self.acts) - self.count("marker")


@pytest.fixture
async def chats(clock: Clock) -> AsyncIterator[Chats]:
    made = Chats(clock)
    loop = asyncio.create_task(made.presence.run())
    yield made
    assert not loop.done(), "no chat may end it"
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


def a_card(task_id: str = "boat", **changes: Any) -> Task:
    return a_task(task_id, **{"state": TaskState.RUNNING, "submitted_at": NOW, **changes})


@pytest.mark.parametrize(
    ("after_s", "near"),
    [
        (0, True),
        (119, True),
        (120, False),
        (539, False),
        (540, True),
        (719, True),
        (720, False),
        (1e6, False),
    ],
)
def test_a_job_is_near_its_beginning_and_its_usual_end(after_s: float, near: bool) -> None:
    assert is_near(a_card(), USUAL_S, NOW + timedelta(seconds=after_s)) is near


@pytest.mark.parametrize(
    "changes",
    [
        {"state": TaskState.QUEUED, "submitted_at": None},
        {"state": TaskState.DRAFT, "submitted_at": None},
        {"state": TaskState.FAILED},
        {"detached": True},
        {"late_at": NOW},
    ],
)
def test_what_is_not_being_made_for_anybody_is_not_near(changes: dict[str, Any]) -> None:
    assert not is_near(a_card(**changes), USUAL_S, NOW)


def test_a_job_that_left_its_providers_queue_begins_anew() -> None:
    long_queue = NOW + timedelta(minutes=30)
    assert is_near(a_card(polled_at=long_queue, running_at=long_queue), USUAL_S, long_queue)


async def test_the_action_is_kept_up_while_a_card_is_near_and_ends_with_it(
    chats: Chats, clock: Clock
) -> None:
    chats.live.show(a_card())
    await chats.until(lambda: len(chats.acts) >= 3)
    clock.advance(300)
    shown = await chats.rounds()
    assert await chats.rounds() == shown
    clock.advance(USUAL_S - 300)
    await chats.until(lambda: chats.count() > shown)


async def test_groups_are_left_in_peace(chats: Chats) -> None:
    chats.live.show(a_card(chat_id=-5))
    assert await chats.rounds() == 0


async def test_a_delivery_shows_it_however_late_for_as_long_as_it_lasts(chats: Chats) -> None:
    late = a_card(state=TaskState.SUCCEEDED, late_at=NOW)
    with chats.presence.delivering(late):
        await chats.until(lambda: chats.count() >= 2)
    shown = await chats.rounds()
    assert await chats.rounds() == shown


async def test_a_chat_with_many_tasks_gets_one_call_at_a_time(chats: Chats) -> None:
    chats.open.clear()
    for number in range(5):
        chats.live.show(a_card(f"task-{number}"))
    await chats.until(lambda: len(chats.acts) == 1)
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert len(chats.acts) == 1
    chats.open.set()
    await chats.until(lambda: len(chats.acts) > 1)
    assert chats.most_at_once == 1


async def test_many_chats_leave_room_for_outcomes(chats: Chats) -> None:
    chats.open.clear()
    for number in range(100):
        chats.live.show(a_card(f"task-{number}", chat_id=number + 1))
    await chats.until(lambda: chats.under_way == 4)
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert chats.most_at_once == 4
    chats.open.set()


async def test_a_chat_that_refuses_is_not_asked_again_and_others_go_on(chats: Chats) -> None:
    chats.errors[10] = ChatGone("bot was blocked by the user")
    chats.live.show(a_card("blocked", chat_id=10))
    chats.live.show(a_card("well", chat_id=11))
    await chats.until(lambda: chats.count("well") >= 3)
    assert chats.count("blocked") == 1


async def test_a_chat_that_asks_for_silence_gets_it(chats: Chats, clock: Clock) -> None:
    chats.errors[10] = ChatBusy(30.0)
    chats.live.show(a_card())
    await chats.until(lambda: chats.live.is_paused(10))
    assert await chats.rounds() == 1
    chats.errors.clear()
    clock.advance(30)
    await chats.until(lambda: chats.count() >= 2)
