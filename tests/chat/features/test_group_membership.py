"""The bot in groups: who may add it, what it says there, what it may do, and what is left when it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pictures import photo
from provider_server import failure
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.chat.sender import channels_of
from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLGA = Person(501, "Olga", None, "en")
"""Admin of the bot."""
ALAN = Person(502, "Alan", None, "en")
"""An allowed person."""
ALBUMS = says("group_needs_albums")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """A bot for few, and one job at a time."""
    people = {"admin_users": str(OLGA.id), "allowed_users": str(ALAN.id)}
    folder = tmp_path_factory.mktemp("bot")
    async with bot_on_stage(folder, **people, volcengine_concurrency="1") as made:
        for person in (OLGA, ALAN):
            made.world.add_person(person)
            made.world.private_chat(person).started = True
        yield made


async def test_the_bot_says_in_three_lines_what_works_in_a_group(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Film night", [OLGA], with_bot=False)
    live_bot.world.add_bot(OLGA, group)
    (greeting,) = await live_bot.until(lambda: _said(live_bot, group))
    assert greeting.split("\n") == [
        says("group_words", bot=BOT),
        says("group_photos", bot=BOT),
        says("group_hears_commands"),
    ]
    assert greeting.count(f"@{BOT}") == 2


async def test_what_would_be_needed_for_more_is_told_to_who_added_it_and_to_nobody_else(
    live_bot: BotHarness,
) -> None:
    group = live_bot.world.add_group("Painters", [OLGA], with_bot=False)
    live_bot.world.set_permissions(group, can_send_photos=False)
    live_bot.world.add_bot(OLGA, group)
    told = await live_bot.until(lambda: _told(live_bot, OLGA, "Painters"))
    assert told == [
        "\n".join(
            [
                says("group_needs", group="Painters"),
                f"• {says('group_needs_photos')}",
                f"• {ALBUMS}",
            ]
        )
    ]
    assert len(_said(live_bot, group)) == 1


async def test_an_admin_bot_in_a_forum_says_that_it_hears_all_and_needs_nothing(live_bot: BotHarness) -> None:
    forum = live_bot.world.add_group("Harbour", [OLGA], forum=True, with_bot=False)
    live_bot.world.add_bot(OLGA, forum, status="administrator")
    (greeting,) = await live_bot.until(lambda: _said(live_bot, forum))
    assert greeting.startswith(says("group_words_topics", bot=BOT))
    assert greeting.endswith(says("group_hears_all"))
    assert _told(live_bot, OLGA, "Harbour") == []


async def test_who_never_wrote_to_the_bot_is_not_told_and_nothing_breaks(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Quay", [ALAN], with_bot=False)
    live_bot.world.private_chat(ALAN).started = False
    live_bot.world.add_bot(ALAN, group)
    await live_bot.until(lambda: _said(live_bot, group))
    await live_bot.handled(ALAN, group)
    assert live_bot.world.bot_messages(live_bot.world.private_chat(ALAN)) == []
    live_bot.world.private_chat(ALAN).started = True
    live_bot.world.say(ALAN, group, f"/video@{BOT} a crane")
    await live_bot.shown(group)


async def test_a_bot_that_is_promoted_does_not_greet_again(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Steps", [OLGA], with_bot=False)
    live_bot.world.add_bot(OLGA, group)
    await live_bot.until(lambda: _said(live_bot, group))
    live_bot.world.set_bot_status(OLGA, group, "administrator")
    live_bot.world.set_bot_status(OLGA, group, "member")
    await live_bot.handled(OLGA, group)
    assert len(_said(live_bot, group)) == 2


async def test_a_stranger_who_adds_the_bot_reads_one_line_and_the_bot_leaves(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Strangers", [eve], with_bot=False)
    live_bot.world.add_bot(eve, group)
    await live_bot.until(lambda: _status(live_bot, group) == "left")
    assert _said(live_bot, group) == [says("stranger_group", chat_id=group.id)]


async def test_a_stranger_who_adds_the_bot_to_a_supergroup_reads_the_same(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Many strangers", [eve], supergroup=True, with_bot=False)
    live_bot.world.add_bot(eve, group)
    await live_bot.until(lambda: _status(live_bot, group) == "left")
    assert _said(live_bot, group) == [says("stranger_group", chat_id=group.id)]


async def test_a_group_that_silences_the_bot_is_left_all_the_same(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Mute strangers", [eve], with_bot=False)
    live_bot.world.set_permissions(group, can_send_messages=False)
    live_bot.world.add_bot(eve, group)
    await live_bot.until(lambda: _status(live_bot, group) == "left")
    assert _said(live_bot, group) == []


async def test_in_an_allowed_chat_anybody_may_add_the_bot(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        eve, _ = live_bot.newcomer("Eve")
        group = live_bot.world.add_group("Friends", [eve], with_bot=False)
        values = live_bot.values(allowed_users="", allowed_chats=str(group.id), admin_users="1")
        async with running_bot(values):
            live_bot.world.add_bot(eve, group)
            (greeting,) = await live_bot.until(lambda: _said(live_bot, group))
            assert greeting.startswith(says("group_words", bot=BOT))
            live_bot.world.say(eve, group, f"/video@{BOT} a swing")
            await live_bot.shown(group)
        assert live_bot.world.complaints == []


async def test_where_no_video_may_be_sent_the_bot_says_just_that(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Library", [OLGA], with_bot=False)
    live_bot.world.set_permissions(group, can_send_videos=False)
    live_bot.world.add_bot(OLGA, group)
    assert await live_bot.until(lambda: _said(live_bot, group)) == [says("press_no_videos_here")]
    (told,) = await live_bot.until(lambda: _told(live_bot, OLGA, "Library"))
    assert says("group_needs_videos") in told


async def test_where_the_bot_may_not_write_who_added_it_reads_why_it_is_silent(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Hush", [OLGA], with_bot=False)
    live_bot.world.add_bot(OLGA, group, status="restricted", can_send_messages=False)
    (told,) = await live_bot.until(lambda: _told(live_bot, OLGA, "Hush"))
    assert says("group_needs_words") in told
    assert _said(live_bot, group) == []


async def test_nothing_is_bought_where_no_video_may_be_sent_until_it_may(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Museum", [ALAN])
    live_bot.world.set_bot_status(ALAN, group, "restricted", can_send_videos=False)
    refused = await live_bot.answer(live_bot.world.say(ALAN, group, f"/video@{BOT} a vase"))
    assert refused["text"] == says("press_no_videos_here")
    assert live_bot.tasks(group) == []
    live_bot.world.set_bot_status(ALAN, group, "member")
    live_bot.world.set_permissions(group, can_send_videos=False)
    asked = live_bot.world.say(ALAN, group, f"/video@{BOT} a vase")
    assert (await live_bot.answer(asked))["text"] == says("press_no_videos_here")
    live_bot.world.set_permissions(group, can_send_videos=True)
    live_bot.world.say(ALAN, group, f"/video@{BOT} a vase")
    await live_bot.shown(group)
    assert live_bot.jobs("a vase") == 1


async def test_a_tap_buys_nothing_either_where_no_video_may_be_sent(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Gallery", [ALAN])
    live_bot.world.say(ALAN, group, f"/video@{BOT} a frame")
    (video,) = await live_bot.shown(group)
    live_bot.world.set_bot_status(ALAN, group, "restricted", can_send_videos=False)
    assert await live_bot.tap(ALAN, video, says("button_again")) == says("press_no_videos_here")
    assert live_bot.jobs("a frame") == 1


async def test_that_videos_may_be_sent_is_not_asked_each_time(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Regulars", [ALAN])
    for many, words in enumerate(("one", "two"), 1):
        live_bot.world.say(ALAN, group, f"/video@{BOT} {words}")
        await live_bot.shown(group, many)
    asked = [call for call in live_bot.server.calls_of("getChatMember") if call.params["chat_id"] == group.id]
    assert len(asked) == 1


async def test_where_photos_are_forbidden_a_crop_is_asked_about_in_words(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Words only", [ALAN])
    live_bot.world.set_permissions(group, can_send_photos=False)
    live_bot.world.send_photo(ALAN, group, photo(1200, 300), caption=f"/animate@{BOT} clouds")
    card = await live_bot.card(group)
    assert "photo" not in card
    assert says("button_generate") in str(card)


async def test_a_bot_that_is_removed_drops_what_is_not_bought_and_keeps_what_is(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Farewell", [ALAN])
    with live_bot.unfinished():
        live_bot.world.say(ALAN, group, f"/video@{BOT} a bought one")
        await live_bot.job("a bought one")
        live_bot.world.say(ALAN, group, f"/video@{BOT} one in the queue")
        live_bot.world.say(ALAN, group, f"/video@{BOT}")
        await live_bot.until(lambda: len(live_bot.tasks(group)) == 3)
        live_bot.world.remove_bot(ALAN, group)
        await live_bot.until(
            lambda: [task["state"] for task in live_bot.tasks(group)].count("cancelled") == 2
        )
    await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.tasks(group)))
    bought, *others = live_bot.tasks(group)
    assert (bought["state"], bought["detached"]) == ("succeeded", 1)
    assert (live_bot.folder / "videos" / f"{bought['id']}.mp4").exists()
    assert [task["state"] for task in others] == ["cancelled", "cancelled"]
    assert live_bot.jobs("one in the queue") == 0


async def test_who_blocks_the_bot_is_asked_and_sold_nothing_more(live_bot: BotHarness) -> None:
    chat = live_bot.world.private_chat(ALAN)
    with live_bot.unfinished():
        live_bot.world.say(ALAN, live_bot.world.add_group("Elsewhere", [ALAN]), f"/video@{BOT} in the way")
        await live_bot.job("in the way")
        live_bot.world.say(ALAN, chat, "/video behind it")
        live_bot.world.say(ALAN, chat, "a draft")
        await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
        live_bot.world.block(ALAN)
        await live_bot.until(lambda: all(task["state"] == "cancelled" for task in live_bot.tasks(chat)))
    live_bot.world.block(ALAN, blocked=False)
    assert live_bot.jobs("behind it") == 0


async def test_a_channel_asks_in_its_own_name_and_the_groups_admins_act_for_it(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, open_tasks_per_user="1") as live_bot:
        (ada, _), (boris, _) = live_bot.newcomer(), live_bot.newcomer("Boris")
        group = live_bot.world.add_group("Comments", [ada, boris])
        channel = {"id": -1_000_000_900_000, "type": "channel", "title": "News"}
        with live_bot.unfinished():
            live_bot.world.say(boris, group, f"/video@{BOT} breaking", channel=channel)
            await live_bot.job("breaking")
            asked = live_bot.world.say(boris, group, f"/video@{BOT} more", channel=channel)
            assert (await live_bot.answer(asked))["text"] == says("limit_open", count=1)
            live_bot.world.say(boris, group, f"/video@{BOT} his own")
            await live_bot.job("his own")
            assert [task["user_id"] for task in live_bot.tasks(group)] == [channels_of(group.id), boris.id]
            card = live_bot.world.bot_messages(group)[0]
            await live_bot.until(lambda: says("button_stop_paid") in buttons(live_bot.now(card) or {}))
            assert await live_bot.tap(boris, card, says("button_stop_paid")) == says("press_not_yours")
            assert await live_bot.tap(ada, card, says("button_stop_paid")) == says("press_stopped")
            await live_bot.until(lambda: live_bot.tasks(group)[0]["detached"])
        await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.tasks(group)))
        live_bot.provider.next("poll", failure(50511, "Post Img Risk Not Pass", 400))
        live_bot.world.say(boris, group, f"/video@{BOT} again", channel=channel)
        await live_bot.until(lambda: live_bot.tasks(group)[-1]["state"] == "failed")
        (card,) = await live_bot.until(lambda: _with_button(live_bot, group, says("button_try_again_order")))
        assert await live_bot.tap(boris, card, says("button_try_again_order")) == says("press_not_yours")
        assert await live_bot.tap(ada, card, says("button_try_again_order")) == ""
        await live_bot.until(lambda: live_bot.tasks(group)[-1]["parent_id"])
        assert live_bot.tasks(group)[-1]["user_id"] == channels_of(group.id)
        assert live_bot.world.complaints == []


async def test_a_command_for_another_bot_is_not_ours(live_bot: BotHarness) -> None:
    group = live_bot.world.add_group("Bots", [ALAN])
    live_bot.world.set_bot_status(ALAN, group, "administrator")
    live_bot.world.say(ALAN, group, "/video@other_bot a boat")
    live_bot.world.say(ALAN, group, "/settings@other_bot")
    live_bot.world.send_photo(ALAN, group, photo(), caption="/animate@other_bot waves")
    assert await live_bot.heard_nothing(ALAN, group)


def _said(live_bot: BotHarness, chat: Chat) -> list[str]:
    return [one["text"] for one in live_bot.world.bot_messages(chat) if "text" in one]


def _with_button(live_bot: BotHarness, chat: Chat, button: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if button in buttons(one)]


def _told(live_bot: BotHarness, person: Person, group: str) -> list[str]:
    """What somebody was told of a group in private."""
    return [text for text in _said(live_bot, live_bot.world.private_chat(person)) if group in text]


def _status(live_bot: BotHarness, group: Chat) -> str:
    return group.members[live_bot.world.bot.id].status


async def test_all_channels_of_a_group_count_as_one(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, open_tasks_per_user="1") as live_bot:
        (ada, _), (boris, _) = live_bot.newcomer(), live_bot.newcomer("Boris")
        group = live_bot.world.add_group("Comments", [ada, boris])
        with live_bot.unfinished():
            live_bot.world.say(boris, group, f"/video@{BOT} one", channel=_channel(1))
            await live_bot.job("one")
            asked = live_bot.world.say(boris, group, f"/video@{BOT} two", channel=_channel(2))
            assert (await live_bot.answer(asked))["text"] == says("limit_open", count=1)
            other = live_bot.world.add_group("Elsewhere", [ada, boris])
            live_bot.world.say(boris, other, f"/video@{BOT} three", channel=_channel(1))
            await live_bot.until(lambda: len(live_bot.tasks(other)) == 1)
        assert len(live_bot.tasks(group)) == 1


async def test_admins_of_a_group_may_refuse_channels(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path) as live_bot:
        (ada, _), (boris, _) = live_bot.newcomer(), live_bot.newcomer("Boris")
        group = live_bot.world.add_group("Comments", [ada, boris])
        card = await live_bot.answer(live_bot.world.say(ada, group, f"/settings@{BOT}"))
        (label,) = [one for one in buttons(card) if says("option_name_channels") in one]
        assert await live_bot.tap(boris, card, label) == says("press_admins_only")
        assert await live_bot.tap(ada, card, label) == says("press_channels_off")
        live_bot.world.say(boris, group, f"/video@{BOT} in the name of a channel", channel=_channel(1))
        live_bot.world.say(boris, group, f"/video@{BOT} his own")
        await live_bot.until(lambda: live_bot.tasks(group))
        assert [task["user_id"] for task in live_bot.tasks(group)] == [boris.id]


async def test_copies_of_a_channels_posts_and_other_bots_order_nothing(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path) as live_bot:
        (ada, _), (boris, _) = live_bot.newcomer(), live_bot.newcomer("Boris")
        group = live_bot.world.add_group("Comments", [ada, boris])
        command = {"type": "bot_command", "offset": 0, "length": len(f"/video@{BOT}")}
        words = {"text": f"/video@{BOT} by itself", "entities": [command]}
        telegram = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
        other_bot = {"id": 42, "is_bot": True, "first_name": "Other", "username": "other_bot"}
        copy = {**words, "sender_chat": _channel(1), "is_automatic_forward": True}
        for sender, content in ((telegram, copy), (other_bot, words)):
            message = live_bot.world.post(group, sender, content)
            live_bot.world.updates.put("message", message)
        live_bot.world.say(boris, group, f"/video@{BOT} his own")
        await live_bot.until(lambda: live_bot.tasks(group))
        assert [task["user_id"] for task in live_bot.tasks(group)] == [boris.id]


def _channel(number: int) -> Json:
    return {"id": -1_000_000_900_000 - number, "type": "channel", "title": f"News {number}"}
