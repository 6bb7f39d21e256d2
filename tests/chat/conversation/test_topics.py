"""Topics that are closed or deleted while a video is made: the outcome comes in private."""

from __future__ import annotations

import pytest
from provider_server import failure
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMES_HERE = says("outcome_comes_here", group="Forum")


async def test_a_video_whose_topic_was_deleted_comes_in_private(live_bot: BotHarness) -> None:
    ada, chat, forum, topic = _forum(live_bot)
    with live_bot.unfinished():
        live_bot.world.say(ada, forum, f"/video@{BOT} a raft", thread_id=topic)
        await live_bot.job("a raft")
        live_bot.world.delete_topic(forum, topic)
    (video,) = await live_bot.shown(chat)
    assert [one.get("text") for one in live_bot.world.bot_messages(chat)][:1] == [COMES_HERE]
    assert video["caption"].startswith("a raft")
    assert live_bot.jobs("a raft") == 1
    await live_bot.tap(ada, video, says("button_again"))
    await live_bot.shown(chat, 2)


async def test_a_video_whose_topic_was_closed_stands_on_its_card(live_bot: BotHarness) -> None:
    ada, chat, forum, topic = _forum(live_bot)
    with live_bot.unfinished():
        live_bot.world.say(ada, forum, f"/video@{BOT} a tide", thread_id=topic)
        await live_bot.job("a tide")
        live_bot.world.close_topic(ada, forum, topic)
    await live_bot.shown(forum)
    assert live_bot.world.bot_messages(chat) == []


async def test_a_video_whose_card_and_topic_are_gone_comes_in_private(live_bot: BotHarness) -> None:
    ada, chat, forum, topic = _forum(live_bot)
    with live_bot.unfinished():
        live_bot.world.say(ada, forum, f"/video@{BOT} a cork", thread_id=topic)
        await live_bot.job("a cork")
        card = await live_bot.card(forum)
        live_bot.world.close_topic(ada, forum, topic)
        live_bot.world.remove(forum, card["message_id"])
    await live_bot.shown(chat)


async def test_why_there_is_no_video_comes_in_private_too(live_bot: BotHarness) -> None:
    ada, chat, forum, topic = _forum(live_bot)
    with live_bot.unfinished():
        live_bot.world.say(ada, forum, f"/video@{BOT} a leak", thread_id=topic)
        await live_bot.job("a leak")
        live_bot.world.delete_topic(forum, topic)
        live_bot.provider.next("poll", failure(50511, "Post Img Risk Not Pass", 400))
        await live_bot.until(lambda: [task["state"] for task in live_bot.tasks(chat)] == ["failed"])
    await live_bot.until(lambda: len(live_bot.world.bot_messages(chat)) == 2)
    told, reason = live_bot.world.bot_messages(chat)
    assert told["text"] == COMES_HERE
    assert says("video_refused") in reason["text"]
    assert buttons(reason)


async def test_what_cannot_come_in_private_is_kept(live_bot: BotHarness) -> None:
    ada, chat, forum, topic = _forum(live_bot)
    chat.started = False
    with live_bot.unfinished():
        live_bot.world.say(ada, forum, f"/video@{BOT} an oar", thread_id=topic)
        await live_bot.job("an oar")
        live_bot.world.delete_topic(forum, topic)
    await live_bot.until(
        lambda: [task["delivered_at"] is not None for task in live_bot.tasks(forum)] == [True]
    )
    (task,) = live_bot.tasks(forum)
    assert (task["state"], task["detached"]) == ("succeeded", 1)
    assert (live_bot.folder / "videos" / f"{task['id']}.mp4").exists()


async def test_who_asks_in_a_closed_topic_disturbs_nobody(live_bot: BotHarness) -> None:
    """Its admins still write in it, the bot may not."""
    ada, _, forum, topic = _forum(live_bot)
    live_bot.world.close_topic(ada, forum, topic)
    live_bot.world.say(ada, forum, f"/video@{BOT} a buoy", thread_id=topic)
    await live_bot.handled(ada, forum)
    assert live_bot.tasks(forum) == []
    assert [row["state"] for row in live_bot.rows("updates") if row["chat_id"] == forum.id].count(
        "parked"
    ) == 0


def _forum(live_bot: BotHarness) -> tuple[Person, Chat, Chat, int]:
    """A person, their private chat, a forum, and a topic in it."""
    ada, chat = live_bot.newcomer()
    chat.started = True
    forum = live_bot.world.add_group("Forum", [ada], forum=True)
    return ada, chat, forum, live_bot.world.add_topic(ada, forum, "Boats")
