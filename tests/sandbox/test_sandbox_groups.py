"""Groups: what reaches the bot with privacy mode on, rights, topics, and groups that become supergroups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import telegram
from sandbox_client import Sandbox, jpeg, running_sandbox

from bot.sandbox import BotAccount, Person, World


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
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
async def test_privacy_mode_lets_only_commands_through(sandbox: Sandbox, text: str, arrives: bool) -> None:
    sandbox.world.say(sandbox.boris, sandbox.group, text)
    assert [message["text"] for message in await sandbox.messages()] == ([text] if arrives else [])


async def test_bare_commands_can_be_kept_away(sandbox: Sandbox) -> None:
    sandbox.world.bare_commands = False
    sandbox.world.say(sandbox.boris, sandbox.group, "/video a boat")
    sandbox.world.say(sandbox.boris, sandbox.group, "/video@dreamreel_bot a boat")
    assert [message["text"] for message in await sandbox.messages()] == ["/video@dreamreel_bot a boat"]


async def test_a_reply_to_the_bot_arrives_and_one_to_a_person_does_not(sandbox: Sandbox) -> None:
    card = await sandbox.bot.send_message(sandbox.group.id, "What shall it show?")
    theirs = sandbox.world.say(sandbox.boris, sandbox.group, "hm")
    sandbox.world.say(sandbox.ada, sandbox.group, "ask him", reply_to=theirs)
    sandbox.world.say(sandbox.ada, sandbox.group, "a boat", reply_to=sandbox.group.messages[card.message_id])
    assert [message["text"] for message in await sandbox.messages()] == ["a boat"]


async def test_a_command_by_reply_brings_the_photo_the_bot_never_saw(sandbox: Sandbox) -> None:
    photo = sandbox.world.send_photo(sandbox.boris, sandbox.group, jpeg(800, 600), caption="my cat")
    sandbox.world.say(sandbox.ada, sandbox.group, "/animate@dreamreel_bot", reply_to=photo)
    (message,) = await sandbox.messages()
    file = await sandbox.bot.get_file(message["reply_to_message"]["photo"][-1]["file_id"])
    assert bytes(await file.download_as_bytearray()) == jpeg(800, 600)


async def test_of_an_album_only_the_photo_with_the_command_arrives(sandbox: Sandbox) -> None:
    sandbox.world.send_album(
        sandbox.boris, sandbox.group, [jpeg(9, 9), jpeg(9, 9)], caption="/video@dreamreel_bot pan"
    )
    (message,) = await sandbox.messages()
    assert message["caption"] == "/video@dreamreel_bot pan"
    assert message["media_group_id"]


async def test_an_administrator_bot_sees_all(sandbox: Sandbox) -> None:
    sandbox.world.set_bot_status(sandbox.ada, sandbox.group, "administrator")
    sandbox.world.say(sandbox.boris, sandbox.group, "hello all")
    assert [message["text"] for message in await sandbox.messages()] == ["hello all"]


def test_a_bot_without_privacy_mode_sees_all() -> None:
    world = World(bot=BotAccount(reads_all_group_messages=True))
    ada = world.add_person(Person(1, "Ada"))
    world.say(ada, world.add_group("All ears", [ada]), "hello all")
    assert world.updates.pending[0]["message"]["text"] == "hello all"
    world.files.close()


async def test_an_anonymous_administrator_writes_in_the_groups_name(sandbox: Sandbox) -> None:
    sandbox.world.say(sandbox.ada, sandbox.group, "/video@dreamreel_bot a boat", anonymous=True)
    (message,) = await sandbox.messages()
    assert message["from"]["username"] == "GroupAnonymousBot"
    assert message["sender_chat"]["id"] == sandbox.group.id


async def test_joining_and_leaving_a_group_is_told(sandbox: Sandbox) -> None:
    group = sandbox.world.add_group("New", [sandbox.ada], with_bot=False)
    sandbox.world.add_bot(sandbox.ada, group)
    sandbox.world.remove_bot(sandbox.ada, group)
    joined, greeting, kicked = [
        telegram.Update.de_json(update, sandbox.bot) for update in await sandbox.updates()
    ]
    assert joined.my_chat_member is not None
    assert (joined.my_chat_member.old_chat_member.status, joined.my_chat_member.new_chat_member.status) == (
        "left",
        "member",
    )
    assert greeting.message is not None
    assert [user.id for user in greeting.message.new_chat_members] == [sandbox.bot.id]
    assert kicked.my_chat_member is not None
    assert kicked.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(telegram.error.Forbidden, match="bot was kicked from the group chat"):
        await sandbox.bot.send_message(group.id, "why?")
    sandbox.world.say(sandbox.ada, group, "/video@dreamreel_bot gone")
    assert await sandbox.updates() == []


@pytest.mark.parametrize(
    ("right", "problem"),
    [
        ("can_send_videos", "Not enough rights to send videos to the chat"),
        ("can_send_photos", "Not enough rights to send photos to the chat"),
        ("can_send_documents", "Not enough rights to send documents to the chat"),
        ("can_send_messages", "Not enough rights to send text messages to the chat"),
    ],
)
async def test_a_restricted_bot_may_send_only_what_is_left_to_it(
    sandbox: Sandbox, right: str, problem: str
) -> None:
    sandbox.world.set_bot_status(sandbox.ada, sandbox.group, "restricted", **{right: False})
    sends: dict[str, Callable[[], Awaitable[telegram.Message]]] = {
        "can_send_videos": lambda: sandbox.bot.send_video(sandbox.group.id, b"video"),
        "can_send_photos": lambda: sandbox.bot.send_photo(sandbox.group.id, jpeg(9, 9)),
        "can_send_documents": lambda: sandbox.bot.send_document(sandbox.group.id, b"a file"),
        "can_send_messages": lambda: sandbox.bot.send_message(sandbox.group.id, "x"),
    }
    with pytest.raises(telegram.error.BadRequest, match=problem):
        await sends.pop(right)()
    for send in sends.values():
        await send()


async def test_a_text_may_not_become_a_video_where_videos_are_forbidden(sandbox: Sandbox) -> None:
    card = await sandbox.bot.send_message(sandbox.group.id, "working")
    sandbox.world.set_bot_status(sandbox.ada, sandbox.group, "restricted", can_send_videos=False)
    with pytest.raises(telegram.error.BadRequest, match="Not enough rights to send videos to the chat"):
        await sandbox.bot.edit_message_media(
            telegram.InputMediaVideo(b"video"), sandbox.group.id, card.message_id
        )


async def test_only_an_administrator_bot_deletes_what_others_wrote(sandbox: Sandbox) -> None:
    theirs = sandbox.world.say(sandbox.boris, sandbox.group, "x")
    with pytest.raises(telegram.error.BadRequest, match="Message can't be deleted"):
        await sandbox.bot.delete_message(sandbox.group.id, theirs["message_id"])
    sandbox.world.set_bot_status(sandbox.ada, sandbox.group, "administrator", can_delete_messages=True)
    assert await sandbox.bot.delete_message(sandbox.group.id, theirs["message_id"]) is True


async def test_messages_of_a_topic_name_it_and_answers_stay_in_it(sandbox: Sandbox) -> None:
    forum = sandbox.world.add_group("Forum", [sandbox.ada], forum=True)
    topic = sandbox.world.add_topic(sandbox.ada, forum, "Boats")
    asked = sandbox.world.say(sandbox.ada, forum, "/video@dreamreel_bot a boat", thread_id=topic)
    begun, message = await sandbox.messages()
    assert begun["forum_topic_created"]["name"] == "Boats"
    assert (message["message_thread_id"], message["is_topic_message"]) == (topic, True)
    assert message["reply_to_message"]["message_id"] == topic
    assert "reply_to_message" not in sandbox.world.messages(forum)[-1]
    by_thread = await sandbox.bot.send_message(forum.id, "on it", message_thread_id=topic)
    by_reply = await sandbox.bot.send_message(forum.id, "on it", reply_to_message_id=asked["message_id"])
    for answer in (by_thread, by_reply):
        assert (answer.message_thread_id, answer.is_topic_message) == (topic, True)
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await sandbox.bot.send_message(forum.id, "x", message_thread_id=topic + 50)


async def test_a_reply_in_a_plain_supergroup_has_a_thread_that_is_no_topic(sandbox: Sandbox) -> None:
    group = sandbox.world.add_group("Big", [sandbox.ada], supergroup=True)
    first = sandbox.world.say(sandbox.ada, group, "/video@dreamreel_bot a boat")
    sandbox.world.say(sandbox.ada, group, "/video@dreamreel_bot again", reply_to=first)
    _, message = await sandbox.messages()
    assert message["message_thread_id"] == first["message_id"]
    assert "is_topic_message" not in message
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await sandbox.bot.send_message(group.id, "x", message_thread_id=message["message_thread_id"])


async def test_what_everybody_may_not_send_a_plain_bot_may_not_send_either(sandbox: Sandbox) -> None:
    sandbox.world.set_permissions(sandbox.group, can_send_videos=False)
    permissions = (await sandbox.bot.get_chat(sandbox.group.id)).permissions
    assert permissions is not None
    assert (permissions.can_send_videos, permissions.can_send_photos) == (False, True)
    with pytest.raises(telegram.error.BadRequest, match="Not enough rights to send videos to the chat"):
        await sandbox.bot.send_video(sandbox.group.id, b"video")
    sandbox.world.set_bot_status(sandbox.ada, sandbox.group, "administrator")
    await sandbox.bot.send_video(sandbox.group.id, b"video")


async def test_a_channel_writes_in_its_own_name(sandbox: Sandbox) -> None:
    channel = {"id": -1009, "type": "channel", "title": "News"}
    sandbox.world.say(sandbox.ada, sandbox.group, "/video@dreamreel_bot a boat", channel=channel)
    (message,) = await sandbox.messages()
    assert (message["from"]["username"], message["sender_chat"]) == ("Channel_Bot", channel)


async def test_who_became_an_administrator_is_listed_as_one(sandbox: Sandbox) -> None:
    sandbox.world.set_admin(sandbox.group, sandbox.boris)
    listed = await sandbox.bot.get_chat_administrators(sandbox.group.id)
    assert {member.user.id for member in listed} == {sandbox.ada.id, sandbox.boris.id}
    sandbox.world.set_admin(sandbox.group, sandbox.boris, is_admin=False)
    listed = await sandbox.bot.get_chat_administrators(sandbox.group.id)
    assert [member.user.id for member in listed] == [sandbox.ada.id]


async def test_in_a_closed_topic_only_administrators_write(sandbox: Sandbox) -> None:
    forum = sandbox.world.add_group("Forum", [sandbox.ada], forum=True)
    topic = sandbox.world.add_topic(sandbox.ada, forum, "Boats")
    asked = sandbox.world.say(sandbox.ada, forum, "/video@dreamreel_bot a boat", thread_id=topic)
    sandbox.world.close_topic(sandbox.ada, forum, topic)
    assert "forum_topic_closed" in (await sandbox.messages())[-1]
    for place in ({"message_thread_id": topic}, {"reply_to_message_id": asked["message_id"]}):
        with pytest.raises(telegram.error.BadRequest, match="Topic_closed"):
            await sandbox.bot.send_message(forum.id, "on it", **place)
    await sandbox.bot.send_message(forum.id, "on it")
    sandbox.world.set_bot_status(sandbox.ada, forum, "administrator")
    await sandbox.bot.send_message(forum.id, "on it", message_thread_id=topic)


async def test_a_deleted_topic_takes_its_messages_along(sandbox: Sandbox) -> None:
    forum = sandbox.world.add_group("Forum", [sandbox.ada], forum=True)
    topic = sandbox.world.add_topic(sandbox.ada, forum, "Boats")
    card = await sandbox.bot.send_message(forum.id, "on it", message_thread_id=topic)
    sandbox.world.say(sandbox.ada, forum, "elsewhere")
    sandbox.world.delete_topic(forum, topic)
    assert [message["text"] for message in sandbox.world.messages(forum)] == ["elsewhere"]
    with pytest.raises(telegram.error.BadRequest, match="Message thread not found"):
        await sandbox.bot.send_message(forum.id, "x", message_thread_id=topic)
    with pytest.raises(telegram.error.BadRequest, match="Message to edit not found"):
        await sandbox.bot.edit_message_text("y", forum.id, card.message_id)


async def test_the_bot_joins_an_upgraded_group_and_never_leaves_the_old_one(sandbox: Sandbox) -> None:
    upgraded = sandbox.world.upgrade_group(sandbox.ada, sandbox.group)
    joined, *messages = await sandbox.updates()
    change = telegram.Update.de_json(joined, sandbox.bot).my_chat_member
    assert change is not None
    assert (change.chat.id, change.from_user.id) == (upgraded.id, sandbox.ada.id)
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("left", "member")
    assert all("message" in update for update in messages)


async def test_an_upgraded_group_answers_with_its_new_id(sandbox: Sandbox) -> None:
    upgraded = sandbox.world.upgrade_group(sandbox.ada, sandbox.group)
    old, new = await sandbox.messages()
    assert (old["chat"]["id"], old["migrate_to_chat_id"]) == (sandbox.group.id, upgraded.id)
    assert (new["chat"]["id"], new["migrate_from_chat_id"]) == (upgraded.id, sandbox.group.id)
    with pytest.raises(telegram.error.ChatMigrated) as migrated:
        await sandbox.bot.send_message(sandbox.group.id, "x")
    assert migrated.value.new_chat_id == upgraded.id
    assert (await sandbox.bot.send_message(upgraded.id, "x")).chat.type == "supergroup"
    sandbox.world.say(sandbox.boris, upgraded, "/video@dreamreel_bot on")
    assert len(await sandbox.messages()) == 1
