"""Groups: what reaches the bot with privacy mode on, rights, topics, and groups that become supergroups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import telegram
from sandbox_client import Sandbox, jpeg, sandbox

from bot.sandbox import BotAccount, Person, World


@pytest.fixture
async def there() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running
        assert running.world.complaints == []


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("/video@dreamreel_bot a boat", True),
        ("/video@DreamReel_Bot a boat", True),
        ("/video@other_bot a boat", False),
        ("/video a boat", True),
        ("hello all", False),
        ("@dreamreel_bot help", False),
        ("see /video", False),
    ],
)
async def test_privacy_mode_lets_only_commands_through(there: Sandbox, text: str, arrives: bool) -> None:
    there.world.say(there.boris, there.group, text)
    assert [message["text"] for message in await there.messages()] == ([text] if arrives else [])


async def test_bare_commands_can_be_kept_away(there: Sandbox) -> None:
    there.world.bare_commands = False
    there.world.say(there.boris, there.group, "/video a boat")
    there.world.say(there.boris, there.group, "/video@dreamreel_bot a boat")
    assert [message["text"] for message in await there.messages()] == ["/video@dreamreel_bot a boat"]


async def test_a_reply_to_the_bot_arrives_and_one_to_a_person_does_not(there: Sandbox) -> None:
    card = await there.bot.send_message(there.group.id, "What shall it show?")
    theirs = there.world.say(there.boris, there.group, "hm")
    there.world.say(there.ada, there.group, "ask him", reply_to=theirs)
    there.world.say(there.ada, there.group, "a boat", reply_to=there.group.messages[card.message_id])
    assert [message["text"] for message in await there.messages()] == ["a boat"]


async def test_a_command_by_reply_brings_the_photo_the_bot_never_saw(there: Sandbox) -> None:
    photo = there.world.send_photo(there.boris, there.group, jpeg(800, 600), caption="my cat")
    there.world.say(there.ada, there.group, "/animate@dreamreel_bot", reply_to=photo)
    (message,) = await there.messages()
    file = await there.bot.get_file(message["reply_to_message"]["photo"][-1]["file_id"])
    assert bytes(await file.download_as_bytearray()) == jpeg(800, 600)


async def test_of_an_album_only_the_photo_with_the_command_arrives(there: Sandbox) -> None:
    there.world.send_album(
        there.boris, there.group, [jpeg(9, 9), jpeg(9, 9)], caption="/video@dreamreel_bot pan"
    )
    (message,) = await there.messages()
    assert message["caption"] == "/video@dreamreel_bot pan"
    assert message["media_group_id"]


async def test_an_administrator_bot_sees_all(there: Sandbox) -> None:
    there.world.set_bot_status(there.ada, there.group, "administrator")
    there.world.say(there.boris, there.group, "hello all")
    assert [message["text"] for message in await there.messages()] == ["hello all"]


def test_a_bot_without_privacy_mode_sees_all() -> None:
    world = World(bot=BotAccount(reads_all_group_messages=True))
    ada = world.add_person(Person(1, "Ada"))
    world.say(ada, world.add_group("All ears", [ada]), "hello all")
    assert world.updates.pending[0]["message"]["text"] == "hello all"
    world.files.close()


async def test_an_anonymous_administrator_writes_in_the_groups_name(there: Sandbox) -> None:
    there.world.say(there.ada, there.group, "/video@dreamreel_bot a boat", anonymous=True)
    (message,) = await there.messages()
    assert message["from"]["username"] == "GroupAnonymousBot"
    assert message["sender_chat"]["id"] == there.group.id


async def test_joining_and_leaving_a_group_is_told(there: Sandbox) -> None:
    group = there.world.add_group("New", [there.ada], with_bot=False)
    there.world.add_bot(there.ada, group)
    there.world.remove_bot(there.ada, group)
    joined, greeting, kicked = [
        telegram.Update.de_json(update, there.bot) for update in await there.updates()
    ]
    assert joined.my_chat_member is not None
    assert (joined.my_chat_member.old_chat_member.status, joined.my_chat_member.new_chat_member.status) == (
        "left",
        "member",
    )
    assert greeting.message is not None
    assert [user.id for user in greeting.message.new_chat_members] == [there.bot.id]
    assert kicked.my_chat_member is not None
    assert kicked.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(telegram.error.Forbidden, match="bot was kicked from the group chat"):
        await there.bot.send_message(group.id, "why?")
    there.world.say(there.ada, group, "/video@dreamreel_bot gone")
    assert await there.updates() == []


@pytest.mark.parametrize(
    ("right", "problem"),
    [
        ("can_send_videos", "Not enough rights to send videos to the chat"),
        ("can_send_photos", "Not enough rights to send photos to the chat"),
        ("can_send_messages", "Not enough rights to send text messages to the chat"),
    ],
)
async def test_a_restricted_bot_may_send_only_what_is_left_to_it(
    there: Sandbox, right: str, problem: str
) -> None:
    there.world.set_bot_status(there.ada, there.group, "restricted", **{right: False})
    sends: dict[str, Callable[[], Awaitable[telegram.Message]]] = {
        "can_send_videos": lambda: there.bot.send_video(there.group.id, b"video"),
        "can_send_photos": lambda: there.bot.send_photo(there.group.id, jpeg(9, 9)),
        "can_send_messages": lambda: there.bot.send_message(there.group.id, "x"),
    }
    with pytest.raises(telegram.error.BadRequest, match=problem):
        await sends.pop(right)()
    for send in sends.values():
        await send()


async def test_a_text_may_not_become_a_video_where_videos_are_forbidden(there: Sandbox) -> None:
    card = await there.bot.send_message(there.group.id, "working")
    there.world.set_bot_status(there.ada, there.group, "restricted", can_send_videos=False)
    with pytest.raises(telegram.error.BadRequest, match="Not enough rights to send videos to the chat"):
        await there.bot.edit_message_media(
            telegram.InputMediaVideo(b"video"), there.group.id, card.message_id
        )


async def test_only_an_administrator_bot_deletes_what_others_wrote(there: Sandbox) -> None:
    theirs = there.world.say(there.boris, there.group, "x")
    with pytest.raises(telegram.error.BadRequest, match="Message can't be deleted"):
        await there.bot.delete_message(there.group.id, theirs["message_id"])
    there.world.set_bot_status(there.ada, there.group, "administrator", can_delete_messages=True)
    assert await there.bot.delete_message(there.group.id, theirs["message_id"]) is True


async def test_messages_of_a_topic_name_it_and_answers_stay_in_it(there: Sandbox) -> None:
    forum = there.world.add_group("Forum", [there.ada], forum=True)
    topic = there.world.add_topic(there.ada, forum, "Boats")
    asked = there.world.say(there.ada, forum, "/video@dreamreel_bot a boat", thread_id=topic)
    begun, message = await there.messages()
    assert begun["forum_topic_created"]["name"] == "Boats"
    assert (message["message_thread_id"], message["is_topic_message"]) == (topic, True)
    assert message["reply_to_message"]["message_id"] == topic
    assert "reply_to_message" not in there.world.messages(forum)[-1]
    by_thread = await there.bot.send_message(forum.id, "on it", message_thread_id=topic)
    by_reply = await there.bot.send_message(forum.id, "on it", reply_to_message_id=asked["message_id"])
    for answer in (by_thread, by_reply):
        assert (answer.message_thread_id, answer.is_topic_message) == (topic, True)
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await there.bot.send_message(forum.id, "x", message_thread_id=topic + 50)


async def test_a_reply_in_a_plain_supergroup_has_a_thread_that_is_no_topic(there: Sandbox) -> None:
    group = there.world.add_group("Big", [there.ada], supergroup=True)
    first = there.world.say(there.ada, group, "/video@dreamreel_bot a boat")
    there.world.say(there.ada, group, "/video@dreamreel_bot again", reply_to=first)
    _, message = await there.messages()
    assert message["message_thread_id"] == first["message_id"]
    assert "is_topic_message" not in message
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await there.bot.send_message(group.id, "x", message_thread_id=message["message_thread_id"])


async def test_what_everybody_may_not_send_a_plain_bot_may_not_send_either(there: Sandbox) -> None:
    there.world.set_permissions(there.group, can_send_videos=False)
    permissions = (await there.bot.get_chat(there.group.id)).permissions
    assert permissions is not None
    assert (permissions.can_send_videos, permissions.can_send_photos) == (False, True)
    with pytest.raises(telegram.error.BadRequest, match="Not enough rights to send videos to the chat"):
        await there.bot.send_video(there.group.id, b"video")
    there.world.set_bot_status(there.ada, there.group, "administrator")
    await there.bot.send_video(there.group.id, b"video")


async def test_a_channel_writes_in_its_own_name(there: Sandbox) -> None:
    channel = {"id": -1009, "type": "channel", "title": "News"}
    there.world.say(there.ada, there.group, "/video@dreamreel_bot a boat", channel=channel)
    (message,) = await there.messages()
    assert (message["from"]["username"], message["sender_chat"]) == ("Channel_Bot", channel)


async def test_who_became_an_administrator_is_listed_as_one(there: Sandbox) -> None:
    there.world.set_admin(there.group, there.boris)
    listed = await there.bot.get_chat_administrators(there.group.id)
    assert {member.user.id for member in listed} == {there.ada.id, there.boris.id}
    there.world.set_admin(there.group, there.boris, is_admin=False)
    listed = await there.bot.get_chat_administrators(there.group.id)
    assert [member.user.id for member in listed] == [there.ada.id]


async def test_in_a_closed_topic_only_administrators_write(there: Sandbox) -> None:
    forum = there.world.add_group("Forum", [there.ada], forum=True)
    topic = there.world.add_topic(there.ada, forum, "Boats")
    asked = there.world.say(there.ada, forum, "/video@dreamreel_bot a boat", thread_id=topic)
    there.world.close_topic(there.ada, forum, topic)
    assert "forum_topic_closed" in (await there.messages())[-1]
    for place in ({"message_thread_id": topic}, {"reply_to_message_id": asked["message_id"]}):
        with pytest.raises(telegram.error.BadRequest, match="Topic_closed"):
            await there.bot.send_message(forum.id, "on it", **place)
    await there.bot.send_message(forum.id, "on it")
    there.world.set_bot_status(there.ada, forum, "administrator")
    await there.bot.send_message(forum.id, "on it", message_thread_id=topic)


async def test_a_deleted_topic_takes_its_messages_along(there: Sandbox) -> None:
    forum = there.world.add_group("Forum", [there.ada], forum=True)
    topic = there.world.add_topic(there.ada, forum, "Boats")
    card = await there.bot.send_message(forum.id, "on it", message_thread_id=topic)
    there.world.say(there.ada, forum, "elsewhere")
    there.world.delete_topic(forum, topic)
    assert [message["text"] for message in there.world.messages(forum)] == ["elsewhere"]
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await there.bot.send_message(forum.id, "x", message_thread_id=topic)
    with pytest.raises(telegram.error.BadRequest, match="Message to edit not found"):
        await there.bot.edit_message_text("y", forum.id, card.message_id)


async def test_the_bot_joins_an_upgraded_group_and_never_leaves_the_old_one(there: Sandbox) -> None:
    upgraded = there.world.upgrade_group(there.ada, there.group)
    joined, *messages = await there.updates()
    change = telegram.Update.de_json(joined, there.bot).my_chat_member
    assert change is not None
    assert (change.chat.id, change.from_user.id) == (upgraded.id, there.ada.id)
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("left", "member")
    assert all("message" in update for update in messages)


async def test_an_upgraded_group_answers_with_its_new_id(there: Sandbox) -> None:
    upgraded = there.world.upgrade_group(there.ada, there.group)
    old, new = await there.messages()
    assert (old["chat"]["id"], old["migrate_to_chat_id"]) == (there.group.id, upgraded.id)
    assert (new["chat"]["id"], new["migrate_from_chat_id"]) == (upgraded.id, there.group.id)
    with pytest.raises(telegram.error.ChatMigrated) as migrated:
        await there.bot.send_message(there.group.id, "x")
    assert migrated.value.new_chat_id == upgraded.id
    assert (await there.bot.send_message(upgraded.id, "x")).chat.type == "supergroup"
    there.world.say(there.boris, upgraded, "/video@dreamreel_bot on")
    assert len(await there.messages()) == 1
