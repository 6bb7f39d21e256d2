"""Quiet mode: one line, no calls, and reactions on the person's message."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from fakes import A_MODEL, NOW, a_task
from provider_server import failure
from running import BOT, BotHarness, buttons, says

from bot.chat.cards.task_card import draw_card
from bot.sandbox import Chat, Fault, FaultKind, Json, Person
from bot.task import TaskState
from bot.text import plain

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = {A_MODEL.name: A_MODEL}


async def test_a_quiet_card_is_one_line_and_eyes_say_that_it_was_taken(live_bot: BotHarness) -> None:
    ada, group = _quiet_group(live_bot)
    with live_bot.unfinished():
        asked = live_bot.world.say(ada, group, f"/video@{BOT} a whisper")
        await live_bot.job("a whisper")
        card = await live_bot.card(group)
        assert "\n" not in card["text"]
        assert "a whisper" not in card["text"]
        assert len(buttons(card)) == 1
        await live_bot.until(lambda: _reactions(group, asked) == ["👀"])
    await live_bot.shown(group)


async def test_a_thumb_says_that_the_video_is_there(live_bot: BotHarness) -> None:
    ada, group = _quiet_group(live_bot)
    asked = live_bot.world.say(ada, group, f"/video@{BOT} a nod")
    await live_bot.shown(group)
    await live_bot.until(lambda: _reactions(group, asked) == ["👍"])
    assert len(live_bot.world.bot_messages(group)) == 1


async def test_eyes_are_taken_off_where_there_will_be_no_video(live_bot: BotHarness) -> None:
    ada, group = _quiet_group(live_bot)
    live_bot.provider.next("submit", failure(50412, "Text Risk Not Pass", 400))
    asked = live_bot.world.say(ada, group, f"/video@{BOT} a curse")
    await live_bot.until(lambda: [task["state"] for task in live_bot.tasks(group)] == ["failed"])
    await live_bot.until(lambda: live_bot.tasks(group)[0]["delivered_at"])
    assert _reactions(group, asked) == []


async def test_eyes_are_taken_off_what_nobody_waits_for_any_more(live_bot: BotHarness) -> None:
    ada, group = _quiet_group(live_bot)
    with live_bot.unfinished():
        asked = live_bot.world.say(ada, group, f"/video@{BOT} a sigh")
        await live_bot.job("a sigh")
        card = await live_bot.card(group)
        await live_bot.until(lambda: says("button_stop_paid") in buttons(live_bot.now(card) or {}))
        await live_bot.tap(ada, card, says("button_stop_paid"))
        await live_bot.until(lambda: _reactions(group, asked) == [])


async def test_a_reaction_that_telegram_refuses_is_no_harm(live_bot: BotHarness) -> None:
    ada, group = _quiet_group(live_bot)
    live_bot.server.faults.add(Fault("setMessageReaction", FaultKind.BAD_REQUEST, times=None))
    live_bot.world.say(ada, group, f"/video@{BOT} a shrug")
    await live_bot.shown(group)
    assert live_bot.jobs("a shrug") == 1


async def test_other_chats_get_no_reactions(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = live_bot.world.say(ada, chat, "/video a shout")
    await live_bot.shown(chat)
    assert _reactions(chat, asked) is None


@pytest.mark.parametrize("state", [TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING])
async def test_a_quiet_card_has_one_line_and_its_button_in_every_state(state: TaskState) -> None:
    card = draw_card(a_task(state=state), MODELS, NOW, quiet=True)
    assert "\n" not in card.text
    assert card.buttons is not None


async def test_that_a_photo_goes_to_another_company_is_said_in_quiet_mode_too() -> None:
    card = draw_card(a_task(tried_models=("full",)), MODELS, NOW, quiet=True)
    assert says("card_rerouted", chosen="full", model=A_MODEL.name) in plain(card.text)


def _quiet_group(live_bot: BotHarness) -> tuple[Person, Chat]:
    """A group that has chosen quiet mode before the bot hears of it."""
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Library", [ada])
    with closing(sqlite3.connect(live_bot.folder / "bot.db", timeout=10)) as database, database:
        database.execute(
            "INSERT INTO chats (chat_id, settings) VALUES (?, ?)", [group.id, json.dumps({"quiet": True})]
        )
    return ada, group


def _reactions(chat: Chat, message: Json) -> list[str] | None:
    """The bot's; None where it never reacted."""
    return chat.reactions.get(message["message_id"])
