"""A tap buys once: however slowly Telegram answers, however often it fails, and across a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from provider_server import failure
from running import BotHarness, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person

VIDEO_REFUSED = failure(50511, "Post Img Risk Not Pass", 400)


async def _failed_card(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    live_bot.provider.next("submit", VIDEO_REFUSED)
    live_bot.world.say(person, chat, f"/video {words}")
    await live_bot.until(
        lambda: any(task["error_code"] and task["delivered_at"] for task in live_bot.tasks(chat))
    )
    return await live_bot.card(chat)


@pytest.mark.asyncio(loop_scope="module")
async def test_two_taps_buy_once_though_telegram_is_slow(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _failed_card(live_bot, ada, chat, "a slow kite")
    with live_bot.unfinished():
        slow = Fault("sendMessage", FaultKind.SLOW, delay_s=3.5, when=lambda said: said["chat_id"] == chat.id)
        live_bot.server.faults.add(slow)
        for _ in range(2):
            live_bot.world.press(ada, card, says("button_try_again_order"))
        await live_bot.until(lambda: live_bot.jobs("a slow kite") == 1)
        await live_bot.handled(ada, chat)
    assert live_bot.jobs("a slow kite") == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [FaultKind.FLOOD, FaultKind.SERVER_ERROR, FaultKind.DROP])
async def test_a_tap_is_not_lost_when_telegram_stumbles(live_bot: BotHarness, kind: FaultKind) -> None:
    ada, chat = live_bot.newcomer()
    words = f"a kite in spite of {kind.name}"
    card = await _failed_card(live_bot, ada, chat, words)
    live_bot.server.faults.add(Fault("sendMessage", kind, when=lambda said: said["chat_id"] == chat.id))
    live_bot.world.press(ada, card, says("button_try_again_order"))
    await live_bot.until(lambda: live_bot.jobs(words) == 1)


async def test_two_taps_with_a_restart_between_them_buy_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        with live_bot.unfinished():
            async with running_bot(live_bot.values()):
                card = await _failed_card(live_bot, ada, chat, "a kite")
                live_bot.world.press(ada, card, says("button_try_again_order"))
                await live_bot.until(lambda: live_bot.jobs("a kite") == 1)
                await live_bot.until(
                    lambda: [task for task in live_bot.tasks(chat) if task["state"] == "running"]
                )
            live_bot.world.press(ada, card, says("button_try_again_order"))
            async with running_bot(live_bot.values()):
                await live_bot.handled(ada, chat)
        assert live_bot.jobs("a kite") == 1
