"""kill -9 in the middle of an order of several videos: each is bought once, and each ends on its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from provider_server import Fault as ProviderFault
from running import PATIENCE_S, BotHarness, bot_process, buttons, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person

GENERATE = says("button_generate")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def drafted(live_bot: BotHarness, ada: Person, chat: Chat) -> Json:
    return await live_bot.answer(live_bot.world.say(ada, chat, "/video three swans --count 3"))


def placed(message: Json) -> list[int]:
    text = message.get("caption") or message.get("text", "")
    return [one for one in (1, 2, 3) if says("card_of_several", place=one, size=3) in text]


async def test_killed_before_all_cards_are_posted(live_bot: BotHarness) -> None:
    """The order is stored whole by then: a video without a card comes as a new message."""
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        draft = await drafted(live_bot, ada, chat)
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.DROP, times=None))
        with live_bot.unfinished():
            live_bot.world.press(ada, draft, GENERATE)
            await live_bot.until(lambda: live_bot.jobs("three swans") == 3)
            await bot.kill()
    live_bot.server.faults.clear()
    assert len(live_bot.tasks(chat)) == 3
    async with bot_process(live_bot.folder, live_bot.values()):
        videos = await live_bot.shown(chat, 3)
    assert sorted(map(placed, videos)) == [[1], [2], [3]]
    assert live_bot.jobs("three swans") == 3


async def test_killed_while_one_is_handed_over_asks_about_that_one_alone(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    values = live_bot.values(volcengine_concurrency="1")
    async with bot_process(live_bot.folder, values) as bot:
        draft = await drafted(live_bot, ada, chat)
        live_bot.provider.next("submit", None, ProviderFault.SILENT)
        live_bot.world.press(ada, draft, GENERATE)
        await live_bot.provider.wait_for("submit", 2, limit_s=PATIENCE_S)
        await live_bot.until(lambda: "submitting" in [task["state"] for task in live_bot.tasks(chat)])
        await bot.kill()
    states = [task["state"] for task in live_bot.tasks(chat)]
    assert states[1:] == ["submitting", "queued"]
    # What became of the second is unknown, so it holds its slot: the third needs another one.
    async with bot_process(live_bot.folder, live_bot.values(volcengine_concurrency="2")):
        await live_bot.until(lambda: len(live_bot.videos(chat)) == 2)
        (asked,) = await live_bot.until(
            lambda: [one for one in live_bot.messages(chat) if says("submit_unknown") in one.get("text", "")]
        )
        assert placed(asked) == [2]
        assert list(buttons(asked)) == [says("button_try_again_paid")]
        assert sorted(map(placed, live_bot.videos(chat))) == [[1], [3]]
    assert live_bot.jobs("three swans") == len(live_bot.provider.calls("submit")) == 3


async def test_killed_with_the_press_is_ordered_once(live_bot: BotHarness) -> None:
    """The press is handled again after the restart, and finds that it was done."""
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        draft = await drafted(live_bot, ada, chat)
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.SLOW, delay_s=30.0))
        live_bot.world.press(ada, draft, GENERATE)
        await live_bot.until(lambda: len(live_bot.tasks(chat)) == 3)
        await bot.kill()
    live_bot.server.faults.clear()
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.shown(chat, 3)
        await live_bot.handled(ada, chat)
    assert len(live_bot.tasks(chat)) == live_bot.jobs("three swans") == 3
    assert len(live_bot.videos(chat)) == 3
