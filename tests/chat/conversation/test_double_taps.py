"""A tap buys once: however slowly Telegram answers, however often it fails, and across a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from provider_server import failure
from running import BotHarness, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person

VIDEO_REFUSED = failure(50511, "Post Img Risk Not Pass", 400)


async def _failed_card(there: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    there.provider.next("submit", VIDEO_REFUSED)
    there.world.say(person, chat, f"/video {words}")
    await there.until(lambda: any(task["error_code"] and task["delivered_at"] for task in there.tasks(chat)))
    return await there.card(chat)


@pytest.mark.asyncio(loop_scope="module")
async def test_two_taps_buy_once_though_telegram_is_slow(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    card = await _failed_card(there, ada, chat, "a slow kite")
    with there.unfinished():
        slow = Fault("sendMessage", FaultKind.SLOW, delay_s=3.5, when=lambda said: said["chat_id"] == chat.id)
        there.server.faults.add(slow)
        for _ in range(2):
            there.world.press(ada, card, says("button_try_again_order"))
        await there.until(lambda: there.jobs("a slow kite") == 1)
        await there.handled(ada, chat)
    assert there.jobs("a slow kite") == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", [FaultKind.FLOOD, FaultKind.SERVER_ERROR, FaultKind.DROP])
async def test_a_tap_is_not_lost_when_telegram_stumbles(there: BotHarness, kind: FaultKind) -> None:
    ada, chat = there.newcomer()
    words = f"a kite in spite of {kind.name}"
    card = await _failed_card(there, ada, chat, words)
    there.server.faults.add(Fault("sendMessage", kind, when=lambda said: said["chat_id"] == chat.id))
    there.world.press(ada, card, says("button_try_again_order"))
    await there.until(lambda: there.jobs(words) == 1)


async def test_two_taps_with_a_restart_between_them_buy_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        ada, chat = there.newcomer()
        with there.unfinished():
            async with running_bot(there.values()):
                card = await _failed_card(there, ada, chat, "a kite")
                there.world.press(ada, card, says("button_try_again_order"))
                await there.until(lambda: there.jobs("a kite") == 1)
                await there.until(lambda: [task for task in there.tasks(chat) if task["state"] == "running"])
            there.world.press(ada, card, says("button_try_again_order"))
            async with running_bot(there.values()):
                await there.handled(ada, chat)
        assert there.jobs("a kite") == 1
