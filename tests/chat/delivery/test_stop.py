"""A stop takes nothing new, lets what it has begun come to its end, and leaves nothing behind."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import PATIENCE_S, BotHarness, bot_process, stage

from bot.sandbox import Fault, FaultKind

_SOON_S = 1.5
"""In which a bot that is not stopping would have answered long ago."""


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_a_bot_that_waits_for_an_order_at_its_stop_answers_nobody_new(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    live_bot.provider.answering.clear()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video a promise")
        await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
        bot.send(signal.SIGTERM)
        await bot.prints("stopping")
        live_bot.world.say(boris, his, "/video a latecomer")
        with pytest.raises(TimeoutError):
            await live_bot.server.wait_for(lambda: live_bot.world.bot_messages(his), _SOON_S)
        live_bot.provider.answering.set()
        assert await bot.end() == 0
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.shown(chat)
        await live_bot.shown(his)
    assert (live_bot.jobs("a promise"), live_bot.jobs("a latecomer")) == (1, 1)


async def test_a_message_that_is_being_answered_at_a_stop_is_answered_once(live_bot: BotHarness) -> None:
    """Cut short between its card and its row it would leave a card that nobody looks after."""
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("sendMessage", FaultKind.SLOW, delay_s=1.0))
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video a last word")
        await live_bot.until(lambda: live_bot.world.bot_messages(chat))
        assert live_bot.tasks(chat) == []
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
    assert len(live_bot.tasks(chat)) == 1
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.shown(chat)
    assert len(live_bot.messages(chat)) == 1


async def test_an_answer_that_never_ends_holds_up_no_stop_and_keeps_no_lease(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("sendMessage", FaultKind.SLOW))
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video an endless sentence")
        await live_bot.until(lambda: live_bot.world.bot_messages(chat))
        began = time.monotonic()
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - began < 10
    (update,) = live_bot.rows("updates")
    assert (update["state"], update["leased_until"]) == ("open", None)
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.shown(chat)
    assert live_bot.jobs("an endless sentence") == 1
