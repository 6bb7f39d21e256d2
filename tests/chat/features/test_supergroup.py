"""A group becomes a supergroup: another id, and everything goes along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A stage without a bot."""
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_a_video_in_the_making_is_shown_in_the_new_group_and_paid_once(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Growing", [ada])
    async with running_bot(there.values()):
        with there.unfinished():
            there.world.say(ada, group, f"/video@{BOT} a moving van")
            await there.job("a moving van")
            upgraded = there.world.upgrade_group(ada, group)
            await there.until(lambda: there.tasks(upgraded))
        (video,) = await there.shown(upgraded)
    assert video["caption"].startswith("a moving van")
    assert there.jobs("a moving van") == 1
    assert there.tasks(group) == []


async def test_what_waits_has_its_card_in_the_new_group_at_once(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Growing", [ada])
    async with running_bot(there.values()):
        with there.unfinished():
            there.world.say(ada, group, f"/video@{BOT} a moving van")
            await there.job("a moving van")
            upgraded = there.world.upgrade_group(ada, group)
            card = await there.card(upgraded)
            assert card["text"].startswith("a moving van")
            assert says("button_stop_paid") in buttons(card)
        (video,) = await there.shown(upgraded)
    assert video["message_id"] == card["message_id"], "the card itself became the video"
    assert there.jobs("a moving van") == 1


async def test_a_draft_of_the_old_group_can_be_answered_in_the_new_one(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Undecided", [ada])
    async with running_bot(there.values()):
        asked = there.world.say(ada, group, f"/video@{BOT}")
        await there.answer(asked)
        upgraded = there.world.upgrade_group(ada, group)
        card = await there.card(upgraded)
        assert card["text"] == says("card_ask_words")
        there.world.say(ada, upgraded, "a late thought", reply_to=card)
        await there.shown(upgraded)
    assert there.jobs("a late thought") == 1


async def test_a_new_group_that_takes_no_card_gets_the_video_all_the_same(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Growing", [ada])
    async with running_bot(there.values()):
        with there.unfinished():
            there.world.say(ada, group, f"/video@{BOT} a moving van")
            await there.job("a moving van")
            there.server.faults.add(Fault("sendMessage", FaultKind.BAD_REQUEST))
            upgraded = there.world.upgrade_group(ada, group)
            await there.until(lambda: there.tasks(upgraded))
        await there.shown(upgraded)
    assert there.jobs("a moving van") == 1


async def test_the_settings_go_along_and_nobody_is_greeted_anew(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Growing", [ada], with_bot=False)
    async with running_bot(there.values()):
        there.world.add_bot(ada, group)
        await there.until(lambda: there.world.bot_messages(group))
        upgraded = there.world.upgrade_group(ada, group)
        assert await _said(there, ada, upgraded, f"/help@{BOT}")
        assert len(there.world.bot_messages(upgraded)) == 1
    (chat,) = [row for row in there.rows("chats") if row["chat_id"] == upgraded.id]
    assert chat["moved_from"] == group.id


async def test_who_upgrades_a_group_does_not_add_the_bot_to_it(there: BotHarness) -> None:
    """A stranger does so in a group to which an admin added the bot: it stays."""
    olga, _ = there.newcomer("Olga")
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Open", [eve, olga], with_bot=False)
    async with running_bot(there.values(allowed_users="", admin_users=str(olga.id))):
        there.world.add_bot(olga, group)
        await there.until(lambda: there.world.bot_messages(group))
        upgraded = there.world.upgrade_group(eve, group)
        there.world.say(olga, upgraded, f"/video@{BOT} a ladder")
        await there.shown(upgraded)
    assert upgraded.members[there.world.bot.id].is_in_chat


async def test_an_allowed_group_stays_allowed_under_its_new_id(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Friends", [eve])
    values = there.values(allowed_users="", allowed_chats=str(group.id), admin_users="1")
    async with running_bot(values):
        upgraded = there.world.upgrade_group(eve, group)
        there.world.say(eve, upgraded, f"/video@{BOT} a swing")
        await there.shown(upgraded)
    async with running_bot(values):
        there.world.say(eve, upgraded, f"/video@{BOT} a slide")
        await there.shown(upgraded, 2)
    async with running_bot(values | {"allowed_chats": "-1"}):
        told = await _said(there, eve, upgraded, f"/video@{BOT} a seesaw")
        assert told == says("stranger_group", chat_id=upgraded.id)


async def test_the_videos_of_the_day_go_along(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Friends", [ada])
    async with running_bot(there.values(daily_videos_per_chat="1")):
        there.world.say(ada, group, f"/video@{BOT} one")
        await there.shown(group)
        upgraded = there.world.upgrade_group(ada, group)
        said = await _said(there, ada, upgraded, f"/video@{BOT} two")
    assert said == says("limit_day_chat", count=1, time="00:00")


async def test_what_was_asked_just_before_is_answered_in_the_new_group(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Hurry", [ada])
    there.world.say(ada, group, f"/video@{BOT} a last word")
    upgraded = there.world.upgrade_group(ada, group)
    async with running_bot(there.values()):
        (video,) = await there.shown(upgraded)
    assert "reply_to_message" not in video
    assert there.jobs("a last word") == 1


async def test_a_strangers_group_is_left_although_it_moved_before_the_bot_heard_of_it(
    there: BotHarness,
) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Quick", [eve], with_bot=False)
    there.world.add_bot(eve, group)
    upgraded = there.world.upgrade_group(eve, group)
    async with running_bot(there.values(allowed_users="", admin_users="1")):
        await there.until(lambda: not upgraded.members[there.world.bot.id].is_in_chat)
    (told,) = [one for one in there.world.bot_messages(upgraded) if "text" in one]
    assert told["text"] == says("stranger_group", chat_id=upgraded.id)


async def test_a_draft_that_waits_goes_along(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Undecided", [ada])
    async with running_bot(there.values()):
        there.world.say(ada, group, f"/video@{BOT}")
        await there.until(lambda: there.tasks(group))
        upgraded = there.world.upgrade_group(ada, group)
        await there.until(lambda: there.tasks(upgraded))
        await there.handled(ada, upgraded)
    assert [task["state"] for task in there.tasks(upgraded)] == ["draft"]


async def _said(there: BotHarness, person: Person, chat: Chat, words: str) -> str:
    answer: Json = await there.answer(there.world.say(person, chat, words))
    return str(answer["text"])
