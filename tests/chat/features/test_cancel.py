"""Cancel: every press is answered at once, and its card changes before all that only counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person
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


@pytest.mark.asyncio(loop_scope="module")
async def test_a_press_in_a_group_does_not_wait_behind_what_others_say_there(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} a quick finger")
        await live_bot.until(lambda: running_cards(live_bot, group))
        (card,) = running_cards(live_bot, group)
        held = Fault(
            "sendMessage", FaultKind.SLOW, delay_s=8.0, when=lambda call: call["chat_id"] == group.id
        )
        live_bot.server.faults.add(held)
        live_bot.world.say(boris, group, f"/video@{BOT} a slow card")
        await live_bot.until(lambda: live_bot.world.bot_messages(group)[1:])
        began = asyncio.get_running_loop().time()
        assert await live_bot.tap(ada, card, STOP) == says("press_stopped")
        assert asyncio.get_running_loop().time() - began < SOON_S
        await live_bot.job("a slow card")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_press_whose_edit_takes_long_is_answered_meanwhile(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a snail on a wall"))
    option = next(data for data in buttons(draft).values() if data.startswith("pick:"))
    live_bot.server.faults.add(Fault("editMessageText", FaultKind.SLOW, delay_s=8.0))
    began = asyncio.get_running_loop().time()
    assert await live_bot.forged_tap(ada, draft, option) == ""
    assert asyncio.get_running_loop().time() - began < SOON_S


@pytest.mark.asyncio(loop_scope="module")
async def test_a_late_press_on_dismiss_drops_no_video_that_was_ordered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a late change of mind"))
    dismiss = buttons(draft)[says("button_dismiss")]
    with live_bot.unfinished():
        await live_bot.tap(ada, draft, says("button_generate"))
        await live_bot.job("a late change of mind")
        assert await live_bot.forged_tap(ada, draft, dismiss) == says("press_too_late")
    await live_bot.shown(chat)
    assert live_bot.jobs("a late change of mind") == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_second_press_and_one_on_a_dismissed_draft_say_what_happened(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a double click")
        await live_bot.until(lambda: running_cards(live_bot, chat))
        (card,) = running_cards(live_bot, chat)
        cancel = buttons(card)[STOP]
        for _ in range(2):
            assert await live_bot.forged_tap(ada, card, cancel) == says("press_stopped")
    (task,) = live_bot.tasks(chat)
    assert (task["cancelled_by"], task["cancelled_by_name"]) == (ada.id, "Ada")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a draft"))
    assert await live_bot.tap(ada, draft, says("button_dismiss")) == says("dismissed")


async def test_what_runs_on_unseen_counts_among_what_a_person_may_have_at_once(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, open_tasks_per_user="2", allowed_users="7001", admins="9") as live_bot:
        ada, chat = live_bot.newcomer()
        with live_bot.unfinished():
            for number in range(2):
                live_bot.world.say(ada, chat, f"/video a kite {number}")
            await live_bot.until(lambda: len(running_cards(live_bot, chat)) == 2)
            for card in running_cards(live_bot, chat):
                assert await live_bot.tap(ada, card, STOP) == says("press_stopped")
            answer = await live_bot.answer(live_bot.world.say(ada, chat, "/video one more"))
            assert answer["text"] == says("limit_open", count=2)


async def test_a_cancelled_preview_stops_frees_its_slot_and_costs_nothing(tmp_path: Path) -> None:
    no_keys = {"volcengine_access_key_id": "", "volcengine_secret_access_key": ""}
    async with bot_on_stage(tmp_path, **no_keys) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a long film --seconds 10")
        await live_bot.until(lambda: [one for one in live_bot.tasks(chat) if one["state"] == "running"])
        card = await live_bot.card(chat)
        assert await live_bot.tap(ada, card, says("button_cancel")) == says("cancelled")
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
        (task,) = live_bot.tasks(chat)
        assert (task["state"], task["counts_toward_quota"], task["slot_until"]) == ("cancelled", 0, None)
        assert not (tmp_path / "preview" / task["remote_id"]).exists()
        assert (live_bot.now(card) or {})["text"].endswith(says("cancelled"))
