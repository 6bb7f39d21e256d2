"""The Telegram side of the bot alone, without worker or providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from fakes import a_purchase_guard
from running import BotHarness

from bot.admin.live_settings import LiveSettings
from bot.chat import ChatDeps, Conversation, build_chat_context
from bot.chat.features import FEATURES
from bot.chat.handlers import Feature
from bot.media.video_cache import VideoCache
from bot.settings import IsolatedSettings
from bot.stores.sqlite import SQLiteStore
from bot.worker.queue_watch import QueueWatch
from bot.worker.schedule import Schedule


async def unbounded(_: str) -> None:
    """No provider has a limit."""


async def no_page(_: int) -> None:
    pass


@asynccontextmanager
async def a_conversation(
    live_bot: BotHarness, clock: Callable[[], datetime], features: Iterable[Feature] = FEATURES
) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", clock)
    settings = IsolatedSettings.model_validate(live_bot.values())
    purchase_guard = a_purchase_guard(store, clock)
    deps = ChatDeps(
        settings=settings,
        live_settings=LiveSettings(settings, store.audit, clock),
        store=store,
        models={},
        purchase_guard=purchase_guard,
        schedule=Schedule(),
        queue_watch=QueueWatch(
            store.statistics, slots=unbounded, pause=purchase_guard.blocking, down=dict, clock=clock
        ),
        video_cache=VideoCache(live_bot.folder / "videos"),
        clock=clock,
        wake=lambda: None,
        open_page=no_page,
    )
    ctx = build_chat_context(settings.token, deps, features=features)
    conversation = Conversation(ctx, features=features)
    await conversation.start()
    running = asyncio.create_task(conversation.run())
    try:
        yield store
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await conversation.close()
        await store.close()
    assert live_bot.world.complaints == []
