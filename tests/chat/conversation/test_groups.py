"""Groups, with privacy mode on: what is meant for the bot is heard, and answered in its place."""

from __future__ import annotations

import pytest
from pictures import is_red_and_blue, photo
from running import BOT, BotHarness

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_in_a_group_the_command_names_the_bot_and_the_card_answers_it(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    asked = live_bot.world.say(ada, group, f"/video@{BOT} a kite")
    (video,) = await live_bot.shown(group)
    assert video["reply_to_message"]["message_id"] == asked["message_id"]


async def test_in_a_topic_everything_stays_in_the_topic(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    forum = live_bot.world.add_group("Forum", [ada], forum=True)
    topic = live_bot.world.add_topic(ada, forum, "Films")
    live_bot.world.say(ada, forum, f"/video@{BOT} a lantern", thread_id=topic)
    (video,) = await live_bot.shown(forum)
    assert (video["message_thread_id"], video["is_topic_message"]) == (topic, True)


async def test_a_reply_in_a_supergroup_is_no_topic(live_bot: BotHarness) -> None:
    """There a message carries a thread of its own, in which nothing can be sent."""
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Large", [ada], supergroup=True)
    picture = live_bot.world.send_photo(ada, group, photo())
    live_bot.world.say(ada, group, f"/animate@{BOT} waves", reply_to=picture)
    await live_bot.shown(group)
    assert all("message_thread_id" not in call.params for call in live_bot.edits(group, "sendMessage"))


async def test_an_anonymous_admin_may_ask_like_anybody(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Secret", [ada])
    live_bot.world.say(ada, group, f"/video@{BOT} a mask", anonymous=True)
    await live_bot.shown(group)


async def test_a_photo_with_a_command_as_caption_starts_in_a_group(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.send_photo(ada, group, photo(), caption=f"/animate@{BOT} both sides meet")
    await live_bot.shown(group)
    assert is_red_and_blue(live_bot.photo_sent("both sides meet"))


async def test_a_bare_command_asks_in_a_group_too(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    asked = live_bot.world.say(ada, group, f"/video@{BOT}")
    question = await live_bot.answer(asked)
    assert question["reply_markup"]["selective"] is True
    assert question["reply_to_message"]["message_id"] == asked["message_id"]
    live_bot.world.say(ada, group, "a tin drum", reply_to=question)
    (video,) = await live_bot.shown(group)
    assert video["caption"].startswith("a tin drum")


async def test_start_in_a_group_says_what_works_in_a_group(live_bot: BotHarness) -> None:
    """There a photo with plain words is nothing to the bot, and a command may need its name."""
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    greeting = await live_bot.answer(live_bot.world.say(ada, group, f"/start@{BOT}"))
    assert f"/video@{BOT}" in greeting["text"]


async def test_in_a_group_only_what_is_meant_for_the_bot_is_heard(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.set_bot_status(ada, group, "administrator")  # such a bot is told everything
    live_bot.world.say(ada, group, "what a lovely evening")
    live_bot.world.send_photo(ada, group, photo(), caption="look at that")
    live_bot.world.send_photo(ada, group, photo())
    live_bot.world.say(ada, group, "/dance")
    assert await live_bot.heard_nothing(ada, group)
