"""A group becomes a supergroup: another id, and everything goes along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A stage without a bot."""
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_a_video_in_the_making_is_shown_in_the_new_group_and_paid_once(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Growing", [ada])
    async with running_bot(live_bot.values()):
        with live_bot.unfinished():
            live_bot.world.say(ada, group, f"/video@{BOT} a moving van")
            await live_bot.job("a moving van")
            upgraded = live_bot.world.upgrade_group(ada, group)
            await live_bot.until(lambda: live_bot.tasks(upgraded))
        (video,) = await live_bot.shown(upgraded)
    assert video["caption"].startswith("a moving van")
    assert live_bot.jobs("a moving van") == 1
    assert live_bot.tasks(group) == []


async def test_what_waits_has_its_card_in_the_new_group_at_once(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Growing", [ada])
    async with running_bot(live_bot.values()):
        with live_bot.unfinished():
            live_bot.world.say(ada, group, f"/video@{BOT} a moving van")
            await live_bot.job("a moving van")
            upgraded = live_bot.world.upgrade_group(ada, group)
            card = await live_bot.card(upgraded)
            assert card["text"].startswith("a moving van")
            assert says("button_stop_paid") in buttons(card)
        (video,) = await live_bot.shown(upgraded)
    assert video["message_id"] == card["message_id"], "the card itself became the video"
    assert live_bot.jobs("a moving van") == 1


async def test_a_draft_of_the_old_group_can_be_answered_in_the_new_one(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Undecided", [ada])
    async with running_bot(live_bot.values()):
        asked = live_bot.world.say(ada, group, f"/video@{BOT}")
        await live_bot.answer(asked)
        upgraded = live_bot.world.upgrade_group(ada, group)
        card = await live_bot.card(upgraded)
        assert card["text"] == says("card_ask_words")
        live_bot.world.say(ada, upgraded, "a late thought", reply_to=card)
        await live_bot.shown(upgraded)
        assert card["message_id"] not in [one["message_id"] for one in live_bot.world.bot_messages(upgraded)]
    assert live_bot.jobs("a late thought") == 1


async def test_a_new_group_that_takes_no_card_gets_the_video_all_the_same(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Growing", [ada])
    async with running_bot(live_bot.values()):
        with live_bot.unfinished():
            live_bot.world.say(ada, group, f"/video@{BOT} a moving van")
            await live_bot.job("a moving van")
            live_bot.server.faults.add(Fault("sendMessage", FaultKind.BAD_REQUEST))
            upgraded = live_bot.world.upgrade_group(ada, group)
            await live_bot.until(lambda: live_bot.tasks(upgraded))
        await live_bot.shown(upgraded)
    assert live_bot.jobs("a moving van") == 1


async def test_the_settings_go_along_and_nobody_is_greeted_anew(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Growing", [ada], with_bot=False)
    async with running_bot(live_bot.values()):
        live_bot.world.add_bot(ada, group)
        await live_bot.until(lambda: live_bot.world.bot_messages(group))
        upgraded = live_bot.world.upgrade_group(ada, group)
        assert await _said(live_bot, ada, upgraded, f"/help@{BOT}")
        assert len(live_bot.world.bot_messages(upgraded)) == 1
    (chat,) = [row for row in live_bot.rows("chats") if row["chat_id"] == upgraded.id]
    assert chat["moved_from"] == group.id


async def test_who_upgrades_a_group_does_not_add_the_bot_to_it(live_bot: BotHarness) -> None:
    """A stranger does so in a group to which an admin added the bot: it stays."""
    olga, _ = live_bot.newcomer("Olga")
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Open", [eve, olga], with_bot=False)
    async with running_bot(live_bot.values(allowed_users="", admin_users=str(olga.id))):
        live_bot.world.add_bot(olga, group)
        await live_bot.until(lambda: live_bot.world.bot_messages(group))
        upgraded = live_bot.world.upgrade_group(eve, group)
        live_bot.world.say(olga, upgraded, f"/video@{BOT} a ladder")
        await live_bot.shown(upgraded)
    assert upgraded.members[live_bot.world.bot.id].is_in_chat


async def test_an_allowed_group_stays_allowed_under_its_new_id(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [eve])
    values = live_bot.values(allowed_users="", allowed_chats=str(group.id), admin_users="1")
    async with running_bot(values):
        upgraded = live_bot.world.upgrade_group(eve, group)
        live_bot.world.say(eve, upgraded, f"/video@{BOT} a swing")
        await live_bot.shown(upgraded)
    async with running_bot(values):
        live_bot.world.say(eve, upgraded, f"/video@{BOT} a slide")
        await live_bot.shown(upgraded, 2)
    async with running_bot(values | {"allowed_chats": "-1"}):
        told = await _said(live_bot, eve, upgraded, f"/video@{BOT} a seesaw")
        assert told == says("stranger_group", chat_id=upgraded.id)


async def test_the_videos_of_the_day_go_along(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    async with running_bot(live_bot.values(daily_videos_per_chat="1")):
        live_bot.world.say(ada, group, f"/video@{BOT} one")
        await live_bot.shown(group)
        upgraded = live_bot.world.upgrade_group(ada, group)
        said = await _said(live_bot, ada, upgraded, f"/video@{BOT} two")
    assert said == says("limit_day_chat", count=1, time="00:00")


async def test_what_was_asked_just_before_is_answered_in_the_new_group(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Hurry", [ada])
    live_bot.world.say(ada, group, f"/video@{BOT} a last word")
    upgraded = live_bot.world.upgrade_group(ada, group)
    async with running_bot(live_bot.values()):
        (video,) = await live_bot.shown(upgraded)
    assert "reply_to_message" not in video
    assert live_bot.jobs("a last word") == 1


async def test_a_press_in_the_old_group_is_answered_although_the_bot_never_heard_of_the_move(
    live_bot: BotHarness,
) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Silent", [ada])
    async with running_bot(live_bot.values()):
        live_bot.world.say(ada, group, f"/video@{BOT} a bell")
        (video,) = await live_bot.shown(group)
    upgraded = live_bot.world.upgrade_group(ada, group)
    live_bot.world.updates.drop_pending()
    async with running_bot(live_bot.values()):
        assert await live_bot.tap(ada, video, says("button_again")) == says("press_gone")
    assert live_bot.tasks(upgraded)


async def test_a_strangers_group_is_left_although_it_moved_before_the_bot_heard_of_it(
    live_bot: BotHarness,
) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Quick", [eve], with_bot=False)
    live_bot.world.add_bot(eve, group)
    upgraded = live_bot.world.upgrade_group(eve, group)
    async with running_bot(live_bot.values(allowed_users="", admin_users="1")):
        await live_bot.until(lambda: not upgraded.members[live_bot.world.bot.id].is_in_chat)
    (told,) = [one for one in live_bot.world.bot_messages(upgraded) if "text" in one]
    assert told["text"] == says("stranger_group", chat_id=upgraded.id)


async def test_a_draft_that_waits_goes_along(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Undecided", [ada])
    async with running_bot(live_bot.values()):
        live_bot.world.say(ada, group, f"/video@{BOT}")
        await live_bot.until(lambda: live_bot.tasks(group))
        upgraded = live_bot.world.upgrade_group(ada, group)
        await live_bot.until(lambda: live_bot.tasks(upgraded))
        await live_bot.handled(ada, upgraded)
    assert [task["state"] for task in live_bot.tasks(upgraded)] == ["draft"]


async def _said(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> str:
    answer: Json = await live_bot.answer(live_bot.world.say(person, chat, words))
    return str(answer["text"])
