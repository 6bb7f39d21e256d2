"""Cancel: every press is answered at once, and its card changes before all that only counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person
from bot.send_rates import TELEGRAM

CARDS = 10
STOP = says("button_stop_paid")
SOON_S = 3.0
"""Telegram lets a bot edit a message every 4.3 s in a group; it was up to 12 s."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[BotHarness, Chat, Person]]:
    """A group with many running cards, at the rates that Telegram allows."""
    async with stage(tmp_path_factory.mktemp("busy")) as live_bot:
        values = live_bot.values(
            volcengine_concurrency=str(CARDS), open_tasks_per_user="100", open_tasks_per_chat="100"
        )
        ada, _ = live_bot.newcomer()
        group = live_bot.world.add_group("Friends", [ada])
        with live_bot.unfinished():
            async with running_bot(values):
                for number in range(CARDS):
                    live_bot.world.say(ada, group, f"/video@{BOT} a kite {number}")
                await live_bot.until(lambda: len(running_cards(live_bot, group)) == CARDS)
            async with running_bot(values, TELEGRAM):
                yield live_bot, group, ada


def running_cards(live_bot: BotHarness, group: Chat) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(group) if STOP in buttons(one)]


def edited(live_bot: BotHarness, group: Chat) -> list[int]:
    return [call.params["message_id"] for call in live_bot.edits(group, "editMessageText")]


async def next_edit(live_bot: BotHarness, group: Chat) -> int:
    """The card that is edited next."""
    before = len(edited(live_bot, group))
    return (await live_bot.until(lambda: edited(live_bot, group)[before:]))[0]


@pytest.mark.asyncio(loop_scope="module")
async def test_in_a_busy_group_the_card_of_a_cancelled_task_is_the_next_that_changes(
    busy: tuple[BotHarness, Chat, Person],
) -> None:
    live_bot, group, ada = busy
    for _ in range(3):
        await next_edit(live_bot, group)
        card = running_cards(live_bot, group)[-1]
        began = asyncio.get_running_loop().time()
        pressed = asyncio.create_task(live_bot.tap(ada, card, STOP))
        assert await next_edit(live_bot, group) == card["message_id"]
        assert await pressed == says("press_stopped")
        assert asyncio.get_running_loop().time() - began < SOON_S
        assert says("card_stopped") in (live_bot.now(card) or {})["text"]
