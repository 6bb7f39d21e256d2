"""Topics that are closed or deleted while a video is made: the outcome comes in private."""

from __future__ import annotations

import pytest
from provider_server import failure
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMES_HERE = says("outcome_comes_here", group="Forum")


async def test_a_video_whose_topic_was_deleted_comes_in_private(there: BotHarness) -> None:
    ada, chat, forum, topic = _forum(there)
    with there.unfinished():
        there.world.say(ada, forum, f"/video@{BOT} a raft", thread_id=topic)
        await there.job("a raft")
        there.world.delete_topic(forum, topic)
    (video,) = await there.shown(chat)
    assert [one.get("text") for one in there.world.bot_messages(chat)][:1] == [COMES_HERE]
    assert video["caption"].startswith("a raft")
    assert there.jobs("a raft") == 1
    await there.tap(ada, video, says("button_again"))
    await there.shown(chat, 2)


async def test_a_video_whose_topic_was_closed_stands_on_its_card(there: BotHarness) -> None:
    ada, chat, forum, topic = _forum(there)
    with there.unfinished():
        there.world.say(ada, forum, f"/video@{BOT} a tide", thread_id=topic)
        await there.job("a tide")
        there.world.close_topic(ada, forum, topic)
    await there.shown(forum)
    assert there.world.bot_messages(chat) == []


async def test_a_video_whose_card_and_topic_are_gone_comes_in_private(there: BotHarness) -> None:
    ada, chat, forum, topic = _forum(there)
    with there.unfinished():
        there.world.say(ada, forum, f"/video@{BOT} a cork", thread_id=topic)
        await there.job("a cork")
        card = await there.card(forum)
        there.world.close_topic(ada, forum, topic)
        there.world.remove(forum, card["message_id"])
    await there.shown(chat)


async def test_why_there_is_no_video_comes_in_private_too(there: BotHarness) -> None:
    ada, chat, forum, topic = _forum(there)
    with there.unfinished():
        there.world.say(ada, forum, f"/video@{BOT} a leak", thread_id=topic)
        await there.job("a leak")
        there.world.delete_topic(forum, topic)
        there.provider.next("look", failure(50511, "Post Img Risk Not Pass", 400))
        await there.until(lambda: [task["state"] for task in there.tasks(chat)] == ["failed"])
    await there.until(lambda: len(there.world.bot_messages(chat)) == 2)
    told, reason = there.world.bot_messages(chat)
    assert told["text"] == COMES_HERE
    assert says("video_refused") in reason["text"]
    assert buttons(reason)


async def test_what_cannot_come_in_private_is_kept(there: BotHarness) -> None:
    ada, chat, forum, topic = _forum(there)
    chat.started = False
    with there.unfinished():
        there.world.say(ada, forum, f"/video@{BOT} an oar", thread_id=topic)
        await there.job("an oar")
        there.world.delete_topic(forum, topic)
    await there.until(lambda: [task["delivered_at"] is not None for task in there.tasks(forum)] == [True])
    (task,) = there.tasks(forum)
    assert (task["state"], task["hidden"]) == ("succeeded", 1)
    assert (there.folder / "videos" / f"{task['id']}.mp4").exists()


async def test_who_asks_in_a_closed_topic_disturbs_nobody(there: BotHarness) -> None:
    """Its admins still write in it, the bot may not."""
    ada, _, forum, topic = _forum(there)
    there.world.close_topic(ada, forum, topic)
    there.world.say(ada, forum, f"/video@{BOT} a buoy", thread_id=topic)
    await there.handled(ada, forum)
    assert there.tasks(forum) == []
    assert [row["state"] for row in there.rows("updates") if row["chat_id"] == forum.id].count("parked") == 0


def _forum(there: BotHarness) -> tuple[Person, Chat, Chat, int]:
    """A person, their private chat, a forum, and a topic in it."""
    ada, chat = there.newcomer()
    chat.started = True
    forum = there.world.add_group("Forum", [ada], forum=True)
    return ada, chat, forum, there.world.add_topic(ada, forum, "Boats")
