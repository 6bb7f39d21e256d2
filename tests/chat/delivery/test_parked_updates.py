"""An update that can never be handled: tried five times, then parked, so that its chat goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import a_purchase_guard
from running import BotHarness, says, stage

from bot.admin.live_settings import LiveSettings
from bot.chat import Conversation, build_chat_context
from bot.media.video_cache import VideoCache
from bot.sandbox import Fault, FaultKind
from bot.settings import IsolatedSettings
from bot.stores.sqlite import SQLiteStore
from bot.worker.schedule import Schedule


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def unbounded(_: str) -> None:
    """No provider has a limit."""


async def no_page(_: int) -> None:
    pass


@asynccontextmanager
async def a_conversation(live_bot: BotHarness, clock: Clock) -> AsyncIterator[None]:
    """The Telegram side alone, with a clock of its own."""
    store = await SQLiteStore.open(live_bot.folder / "bot.db", clock)
    settings = IsolatedSettings.model_validate(live_bot.values())
    ctx = build_chat_context(
        settings.token,
        settings,
        LiveSettings(settings, store, clock),
        store,
        models={},
        purchase_guard=a_purchase_guard(store, clock),
        schedule=Schedule(),
        at_once=unbounded,
        video_cache=VideoCache(live_bot.folder / "videos"),
        clock=clock,
        wake_worker=lambda: None,
        open_page=no_page,
    )
    conversation = Conversation(ctx)
    await conversation.start()
    running = asyncio.create_task(conversation.run())
    try:
        yield
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await conversation.close()
        await store.close()
    assert live_bot.world.complaints == []


async def test_an_update_that_always_fails_is_parked_and_its_chat_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, clock):
        await _talk(live_bot, clock)


async def _talk(live_bot: BotHarness, clock: Clock) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    greeting = says("start").split("\n", maxsplit=1)[0]

    def is_greeting(params: dict[str, object]) -> bool:
        return params["chat_id"] == chat.id and str(params["text"]).startswith(greeting)

    live_bot.server.faults.add(Fault("sendMessage", FaultKind.BAD_REQUEST, times=None, when=is_greeting))
    live_bot.world.say(ada, chat, "/start")
    second = live_bot.world.say(ada, chat, "/help")
    for attempt in range(1, 5):
        await _tried(live_bot, attempt)
        assert live_bot.world.bot_messages(chat) == []  # in order, so the second waits for the first
        clock.ahead += timedelta(minutes=6)
        await live_bot.handled(boris, his)  # any news makes the bot look at its clock
    await live_bot.answer(second, containing="Options:")
    assert live_bot.world.bot_messages(chat)[0]["text"] == says("given_up")
    first, *_ = live_bot.rows("updates")
    assert (first["state"], first["attempts"]) == ("parked", 5)
    assert len([call for call in live_bot.server.calls_of("sendMessage") if not call.ok]) == 5


async def _tried(live_bot: BotHarness, times: int) -> None:
    await live_bot.until(lambda: sum(row["attempts"] for row in live_bot.rows("updates")) == times)


async def test_an_outage_of_telegram_parks_nothing(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, clock):
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        for_ada = Fault(
            "sendMessage", FaultKind.SERVER_ERROR, times=8, when=lambda params: params["chat_id"] == chat.id
        )
        live_bot.server.faults.add(for_ada)
        asked = live_bot.world.say(ada, chat, "/start")
        for attempt in range(1, 9):
            await _tried(live_bot, attempt)
            clock.ahead += timedelta(minutes=6)
            await live_bot.handled(boris, his)
        assert (await live_bot.answer(asked))["text"] == says("start")
