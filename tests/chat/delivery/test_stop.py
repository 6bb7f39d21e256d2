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
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_a_bot_that_waits_for_an_order_at_its_stop_answers_nobody_new(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    there.provider.answering.clear()
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video a promise")
        await there.provider.wait_for("submit", limit_s=PATIENCE_S)
        bot.send(signal.SIGTERM)
        await bot.prints("stopping")
        there.world.say(boris, his, "/video a latecomer")
        with pytest.raises(TimeoutError):
            await there.server.wait_for(lambda: there.world.bot_messages(his), _SOON_S)
        there.provider.answering.set()
        assert await bot.end() == 0
    async with bot_process(there.folder, there.values()):
        await there.shown(chat)
        await there.shown(his)
    assert (there.jobs("a promise"), there.jobs("a latecomer")) == (1, 1)


async def test_a_message_that_is_being_answered_at_a_stop_is_answered_once(there: BotHarness) -> None:
    """Cut short between its card and its row it would leave a card that nobody looks after."""
    ada, chat = there.newcomer()
    there.server.faults.add(Fault("sendMessage", FaultKind.SLOW, delay_s=1.0))
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video a last word")
        await there.until(lambda: there.world.bot_messages(chat))
        assert there.tasks(chat) == []
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
    assert len(there.tasks(chat)) == 1
    async with bot_process(there.folder, there.values()):
        await there.shown(chat)
    assert len(there.messages(chat)) == 1


async def test_an_answer_that_never_ends_holds_up_no_stop_and_keeps_no_lease(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.server.faults.add(Fault("sendMessage", FaultKind.SLOW))
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video an endless sentence")
        await there.until(lambda: there.world.bot_messages(chat))
        began = time.monotonic()
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - began < 10
    (update,) = there.rows("updates")
    assert (update["state"], update["leased_until"]) == ("open", None)
    async with bot_process(there.folder, there.values()):
        await there.shown(chat)
    assert there.jobs("an endless sentence") == 1
