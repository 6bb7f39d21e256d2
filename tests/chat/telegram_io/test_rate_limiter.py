"""The rate limiter: urgent calls first, nobody overtaken, silence only where it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import pytest
from fakes import Clock
from sandbox_client import Sandbox, running_sandbox
from telegram import InputFile
from telegram.error import BadRequest, RetryAfter

from bot.app import utc_now
from bot.chat.telegram_io.client import TelegramBot, connect, translated
from bot.chat.telegram_io.rate_limiter import RateLimiter, seconds, urgency_of
from bot.errors import ChatBusy, StoreError
from bot.sandbox import Fault, FaultKind, Person
from bot.send_rates import Delay, Limit, Limits, MemoryRateStore, Urgency

ADA, BORIS, CHAT = 10, 11, 12
QUICK = Limits(Limit(0.02, 1), Limit(0.04, 1), Limit(0.04, 1), arriving=100)
"""The same limits, for the impatient."""


class Calls:
    """What passed a gate, in order."""

    def __init__(self, gate: RateLimiter) -> None:
        self.gate = gate
        self.made: list[str] = []
        self.errors: dict[str, list[Exception]] = {}

    async def make(
        self, name: str, chat_id: int = ADA, urgency: Urgency | None = None, method: str = "sendMessage"
    ) -> None:
        async def call() -> bool:
            self.made.append(name)
            if errors := self.errors.get(name):
                raise errors.pop(0)
            return True

        await self.gate.process_request(call, (), {}, method, {"chat_id": chat_id}, urgency)


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    made = Calls(RateLimiter(MemoryRateStore(), utc_now, QUICK, dict.fromkeys(Urgency, 20.0)))
    yield made
    await made.gate.shutdown()


async def test_the_urgent_go_first_and_then_who_came_first(calls: Calls) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as together:
        for number, chat_id in enumerate(range(100, 106)):
            together.create_task(calls.make(f"spare {number}", chat_id, Urgency.LOW))
            together.create_task(calls.make(f"next {number}", chat_id + 10, None))
            together.create_task(calls.make(f"first {number}", chat_id + 20, Urgency.FIRST))
    kinds = [f"{kind} {number}" for kind in ("first", "next", "spare") for number in range(6)]
    assert calls.made == kinds


async def test_in_one_chat_nobody_overtakes(calls: Calls) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as together:
        for number in range(12):
            together.create_task(calls.make(str(number), ADA if number % 3 else BORIS))
    of_ada = [name for name in calls.made if int(name) % 3]
    assert of_ada == sorted(of_ada, key=int)


async def test_a_full_chat_holds_up_nobody_else() -> None:
    calls = Calls(
        RateLimiter(MemoryRateStore(), utc_now, Limits(Limit(0.001, 9), Limit(3600.0, 1), Limit(3600.0, 1)))
    )
    await calls.make("the only one")
    waiting = asyncio.create_task(calls.make("waits", ADA))
    await asyncio.sleep(0)
    with pytest.raises(RetryAfter):  # an hour is too long
        await waiting
    await calls.make("another chat", BORIS)
    assert calls.made == ["the only one", "another chat"]
    await calls.gate.shutdown()


async def test_progress_that_cannot_go_soon_is_dropped() -> None:
    calls = Calls(
        RateLimiter(MemoryRateStore(), utc_now, Limits(Limit(0.001, 9), Limit(2.0, 3), Limit(2.0, 3)))
    )
    await calls.make("a card")
    with pytest.raises(RetryAfter) as dropped:
        await calls.make("progress", urgency=Urgency.LOW, method="editMessageText")
    assert 1.0 < seconds(dropped.value.retry_after) <= 2.0
    await calls.make("the video", urgency=Urgency.FIRST, method="editMessageMedia")
    assert calls.made == ["a card", "the video"]
    await calls.gate.shutdown()


async def test_a_flood_silences_its_chat_alone_until_the_second_it_names() -> None:
    clock = Clock()
    calls = Calls(RateLimiter(MemoryRateStore(), clock))
    calls.errors["a video"] = [RetryAfter(timedelta(seconds=30))]
    with pytest.raises(RetryAfter):
        await calls.make("a video", urgency=Urgency.FIRST, method="editMessageMedia")
    clock.advance(29)
    for method in ("editMessageText", "sendChatAction", "deleteMessage", "setMessageReaction"):
        with pytest.raises(RetryAfter) as silence:
            await calls.make(method, urgency=Urgency.LOW, method=method)
        assert silence.value.retry_after == timedelta(seconds=1)
    for method in ("getFile", "answerCallbackQuery", "getChatMember"):
        await calls.make(method, method=method)
    await calls.make("another chat", BORIS)
    clock.advance(1)
    await calls.make("a video", urgency=Urgency.FIRST, method="editMessageMedia")
    names = ["a video", "getFile", "answerCallbackQuery", "getChatMember", "another chat", "a video"]
    assert calls.made == names
    await calls.gate.shutdown()


async def test_a_short_silence_is_waited_out_and_the_call_made_again(calls: Calls) -> None:
    calls.errors["hello"] = [RetryAfter(timedelta(seconds=0.05))] * 2
    began = utc_now()
    await calls.make("hello")
    assert calls.made == ["hello"] * 3
    assert utc_now() - began >= timedelta(seconds=0.1)


async def test_what_telegram_refuses_otherwise_is_passed_on(calls: Calls) -> None:
    calls.errors["hello"] = [BadRequest("chat not found")]
    with pytest.raises(BadRequest):
        await calls.make("hello")
    await calls.make("hello")


async def test_who_gives_up_waiting_costs_nobody_a_turn(calls: Calls) -> None:
    await calls.make("before")
    impatient = [asyncio.create_task(calls.make("impatient")) for _ in range(50)]
    await asyncio.sleep(0)
    for one in impatient:
        one.cancel()
    await asyncio.wait(impatient)
    async with asyncio.timeout(1.5):
        await calls.make("after")
    assert calls.made == ["before", "after"]


async def test_slow_calls_count_until_they_have_arrived() -> None:
    """They might all arrive in one second, with those that were sent in it."""
    limits = Limits(Limit(0.001, 100), Limit(0.001, 100), Limit(0.001, 100), arriving=10)
    gate = RateLimiter(MemoryRateStore(), utc_now, limits)
    arrived, all_flying = asyncio.Event(), asyncio.Event()
    flying = 0

    async def call() -> bool:
        nonlocal flying
        flying += 1
        if flying == limits.arriving:
            all_flying.set()
        await arrived.wait()
        return True

    async with asyncio.TaskGroup() as together:
        for number in range(limits.arriving + 1):
            sent = gate.process_request(call, (), {}, "sendMessage", {"chat_id": number}, Urgency.FIRST)
            together.create_task(sent)
        await asyncio.wait_for(all_flying.wait(), 20)
        began = utc_now()
        arrived.set()
    assert utc_now() - began >= timedelta(seconds=1)
    await gate.shutdown()


async def test_progress_leaves_room_for_outcomes_among_what_arrives() -> None:
    limits = Limits(Limit(0.001, 100), Limit(0.001, 100), Limit(0.001, 100), arriving=10)
    calls = Calls(RateLimiter(MemoryRateStore(), utc_now, limits))
    for number in range(7):
        await calls.make(f"progress {number}", number, Urgency.LOW)
    with pytest.raises(RetryAfter):
        await calls.make("too much", 100, Urgency.LOW)
    for number in range(3):
        await calls.make(f"video {number}", 200 + number, Urgency.FIRST)
    assert len(calls.made) == 10
    await calls.gate.shutdown()


class _Broken:
    async def take_turn(self, *_: object) -> Delay:
        raise StoreError("the database is away")

    async def pause_chat(self, *_: object) -> None:
        raise StoreError("the database is away")


async def test_a_database_that_is_away_silences_nobody() -> None:
    calls = Calls(RateLimiter(_Broken(), utc_now))
    calls.errors["hello"] = [RetryAfter(timedelta(seconds=0))]
    async with asyncio.timeout(20):
        await calls.make("hello")
    assert calls.made == ["hello"] * 2
    await calls.gate.shutdown()


@pytest.mark.parametrize(
    ("method", "urgency"),
    [
        ("sendMessage", Urgency.NEXT),
        ("editMessageMedia", Urgency.NEXT),
        ("sendChatAction", Urgency.UNCOUNTED),
        ("setMessageReaction", Urgency.UNCOUNTED),
        ("deleteMessage", Urgency.UNCOUNTED),
        ("answerCallbackQuery", None),
        ("getFile", None),
        ("getUpdates", None),
        ("setMyCommands", None),
    ],
)
def test_only_messages_and_edits_are_counted(method: str, urgency: Urgency | None) -> None:
    assert urgency_of(method, None) is urgency


@pytest.fixture
async def there() -> AsyncIterator[tuple[Sandbox, TelegramBot]]:
    """Telegram with its limits, and a bot behind the rate limiter."""
    async with (
        running_sandbox() as running,
        connect(running.server.token, running.server.url, RateLimiter(MemoryRateStore(), utc_now)) as bot,
    ):
        yield running, bot


async def test_every_call_of_the_library_passes(there: tuple[Sandbox, TelegramBot]) -> None:
    telegram, bot = there
    telegram.server.faults.add(Fault("sendMessage", FaultKind.FLOOD, retry_after=600))
    with pytest.raises(ChatBusy) as busy, translated():
        await bot.send_message(telegram.private.id, "hello")
    assert busy.value.retry_after_s == 600.0
    begun: list[Awaitable[Any]] = [
        bot.send_message(telegram.private.id, "hello"),
        bot.send_video(telegram.private.id, InputFile(b"x", filename="x.mp4")),
        bot.edit_message_text("hello", telegram.private.id, 1),
        bot.send_chat_action(telegram.private.id, "typing"),
    ]
    for call in begun:
        with pytest.raises(ChatBusy) as busy, translated():
            await call
        assert 590 < busy.value.retry_after_s < 600
    boris = telegram.world.add_person(Person(5001, "Boris", None, "en"))
    telegram.world.private_chat(boris).started = True
    await bot.send_message(boris.id, "hello")
    assert [call.status for call in telegram.server.calls if call.method != "getMe"] == [429, 200]


@pytest.mark.parametrize("chat_id", [ADA, -100])
@pytest.mark.parametrize("method", ["sendMessage", "sendVideo", "sendChatAction"])
async def test_what_is_for_a_topic_of_a_private_chat_that_is_gone_comes_beside_it(
    calls: Calls, method: str, chat_id: int
) -> None:
    """In a group it would come where nobody asked."""
    topics: list[int | None] = []

    async def call(_method: str, data: dict[str, Any]) -> bool:
        topics.append(data.get("message_thread_id"))
        if topics[-1]:
            raise BadRequest("Message thread not found")
        return True

    data = {"chat_id": chat_id, "message_thread_id": 5}
    sending = calls.gate.process_request(call, (method, data), {}, method, data, None)
    if chat_id > 0:
        assert await sending
        assert topics == [5, None]
    else:
        with pytest.raises(BadRequest):
            await sending
        assert topics == [5]
