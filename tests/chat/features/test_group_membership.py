"""The bot in groups: who may add it, what it says there, what it may do, and what is left when it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pictures import photo
from provider_server import failure
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

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


async def test_the_bot_says_in_three_lines_what_works_in_a_group(there: BotHarness) -> None:
    group = there.world.add_group("Film night", [OLGA], with_bot=False)
    there.world.add_bot(OLGA, group)
    (greeting,) = await there.until(lambda: _said(there, group))
    assert greeting.split("\n") == [
        says("group_words", bot=BOT),
        says("group_photos", bot=BOT),
        says("group_hears_commands"),
    ]
    assert greeting.count(f"@{BOT}") == 2


async def test_what_would_be_needed_for_more_is_told_to_who_added_it_and_to_nobody_else(
    there: BotHarness,
) -> None:
    group = there.world.add_group("Painters", [OLGA], with_bot=False)
    there.world.set_permissions(group, can_send_photos=False)
    there.world.add_bot(OLGA, group)
    told = await there.until(lambda: _told(there, OLGA, "Painters"))
    assert told == [
        "\n".join(
            [
                says("group_needs", group="Painters"),
                f"• {says('group_needs_photos')}",
                f"• {ALBUMS}",
            ]
        )
    ]
    assert len(_said(there, group)) == 1


async def test_an_admin_bot_in_a_forum_says_that_it_hears_all_and_needs_nothing(there: BotHarness) -> None:
    forum = there.world.add_group("Harbour", [OLGA], forum=True, with_bot=False)
    there.world.add_bot(OLGA, forum, status="administrator")
    (greeting,) = await there.until(lambda: _said(there, forum))
    assert greeting.startswith(says("group_words_topics", bot=BOT))
    assert greeting.endswith(says("group_hears_all"))
    assert _told(there, OLGA, "Harbour") == []


async def test_who_never_wrote_to_the_bot_is_not_told_and_nothing_breaks(there: BotHarness) -> None:
    group = there.world.add_group("Quay", [ALAN], with_bot=False)
    there.world.private_chat(ALAN).started = False
    there.world.add_bot(ALAN, group)
    await there.until(lambda: _said(there, group))
    await there.handled(ALAN, group)
    assert there.world.bot_messages(there.world.private_chat(ALAN)) == []
    there.world.private_chat(ALAN).started = True
    there.world.say(ALAN, group, f"/video@{BOT} a crane")
    await there.shown(group)


async def test_a_bot_that_is_promoted_does_not_greet_again(there: BotHarness) -> None:
    group = there.world.add_group("Steps", [OLGA], with_bot=False)
    there.world.add_bot(OLGA, group)
    await there.until(lambda: _said(there, group))
    there.world.set_bot_status(OLGA, group, "administrator")
    there.world.set_bot_status(OLGA, group, "member")
    await there.handled(OLGA, group)
    assert len(_said(there, group)) == 2


async def test_a_stranger_who_adds_the_bot_reads_one_line_and_the_bot_leaves(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Strangers", [eve], with_bot=False)
    there.world.add_bot(eve, group)
    await there.until(lambda: _status(there, group) == "left")
    assert _said(there, group) == [says("stranger_group", chat_id=group.id)]


async def test_a_stranger_who_adds_the_bot_to_a_supergroup_reads_the_same(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Many strangers", [eve], supergroup=True, with_bot=False)
    there.world.add_bot(eve, group)
    await there.until(lambda: _status(there, group) == "left")
    assert _said(there, group) == [says("stranger_group", chat_id=group.id)]


async def test_a_group_that_silences_the_bot_is_left_all_the_same(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Mute strangers", [eve], with_bot=False)
    there.world.set_permissions(group, can_send_messages=False)
    there.world.add_bot(eve, group)
    await there.until(lambda: _status(there, group) == "left")
    assert _said(there, group) == []


async def test_in_an_allowed_chat_anybody_may_add_the_bot(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        eve, _ = there.newcomer("Eve")
        group = there.world.add_group("Friends", [eve], with_bot=False)
        values = there.values(allowed_users="", allowed_chats=str(group.id), admin_users="1")
        async with running_bot(values):
            there.world.add_bot(eve, group)
            (greeting,) = await there.until(lambda: _said(there, group))
            assert greeting.startswith(says("group_words", bot=BOT))
            there.world.say(eve, group, f"/video@{BOT} a swing")
            await there.shown(group)
        assert there.world.complaints == []


async def test_where_no_video_may_be_sent_the_bot_says_just_that(there: BotHarness) -> None:
    group = there.world.add_group("Library", [OLGA], with_bot=False)
    there.world.set_permissions(group, can_send_videos=False)
    there.world.add_bot(OLGA, group)
    assert await there.until(lambda: _said(there, group)) == [says("tap_no_videos_here")]
    (told,) = await there.until(lambda: _told(there, OLGA, "Library"))
    assert says("group_needs_videos") in told


async def test_where_the_bot_may_not_write_who_added_it_reads_why_it_is_silent(there: BotHarness) -> None:
    group = there.world.add_group("Hush", [OLGA], with_bot=False)
    there.world.add_bot(OLGA, group, status="restricted", can_send_messages=False)
    (told,) = await there.until(lambda: _told(there, OLGA, "Hush"))
    assert says("group_needs_words") in told
    assert _said(there, group) == []


async def test_nothing_is_bought_where_no_video_may_be_sent_until_it_may(there: BotHarness) -> None:
    group = there.world.add_group("Museum", [ALAN])
    there.world.set_bot_status(ALAN, group, "restricted", can_send_videos=False)
    refused = await there.answer(there.world.say(ALAN, group, f"/video@{BOT} a vase"))
    assert refused["text"] == says("tap_no_videos_here")
    assert there.tasks(group) == []
    there.world.set_bot_status(ALAN, group, "member")
    there.world.set_permissions(group, can_send_videos=False)
    asked = there.world.say(ALAN, group, f"/video@{BOT} a vase")
    assert (await there.answer(asked))["text"] == says("tap_no_videos_here")
    there.world.set_permissions(group, can_send_videos=True)
    there.world.say(ALAN, group, f"/video@{BOT} a vase")
    await there.shown(group)
    assert there.jobs("a vase") == 1


async def test_a_tap_buys_nothing_either_where_no_video_may_be_sent(there: BotHarness) -> None:
    group = there.world.add_group("Gallery", [ALAN])
    there.world.say(ALAN, group, f"/video@{BOT} a frame")
    (video,) = await there.shown(group)
    there.world.set_bot_status(ALAN, group, "restricted", can_send_videos=False)
    assert await there.tap(ALAN, video, says("button_again")) == says("tap_no_videos_here")
    assert there.jobs("a frame") == 1


async def test_that_videos_may_be_sent_is_not_asked_each_time(there: BotHarness) -> None:
    group = there.world.add_group("Regulars", [ALAN])
    for many, words in enumerate(("one", "two"), 1):
        there.world.say(ALAN, group, f"/video@{BOT} {words}")
        await there.shown(group, many)
    asked = [call for call in there.server.calls_of("getChatMember") if call.params["chat_id"] == group.id]
    assert len(asked) == 1


async def test_where_photos_are_forbidden_a_crop_is_asked_about_in_words(there: BotHarness) -> None:
    group = there.world.add_group("Words only", [ALAN])
    there.world.set_permissions(group, can_send_photos=False)
    there.world.send_photo(ALAN, group, photo(1200, 300), caption=f"/animate@{BOT} clouds")
    card = await there.card(group)
    assert "photo" not in card
    assert says("button_generate") in str(card)


async def test_a_bot_that_is_removed_drops_what_is_not_bought_and_keeps_what_is(there: BotHarness) -> None:
    group = there.world.add_group("Farewell", [ALAN])
    with there.unfinished():
        there.world.say(ALAN, group, f"/video@{BOT} a bought one")
        await there.job("a bought one")
        there.world.say(ALAN, group, f"/video@{BOT} one in the queue")
        there.world.say(ALAN, group, f"/video@{BOT}")
        await there.until(lambda: len(there.tasks(group)) == 3)
        there.world.remove_bot(ALAN, group)
        await there.until(lambda: [task["state"] for task in there.tasks(group)].count("cancelled") == 2)
    await there.until(lambda: all(task["delivered_at"] for task in there.tasks(group)))
    bought, *others = there.tasks(group)
    assert (bought["state"], bought["hidden"]) == ("succeeded", 1)
    assert (there.folder / "videos" / f"{bought['id']}.mp4").exists()
    assert [task["state"] for task in others] == ["cancelled", "cancelled"]
    assert there.jobs("one in the queue") == 0


async def test_who_blocks_the_bot_is_asked_and_sold_nothing_more(there: BotHarness) -> None:
    chat = there.world.private_chat(ALAN)
    with there.unfinished():
        there.world.say(ALAN, there.world.add_group("Elsewhere", [ALAN]), f"/video@{BOT} in the way")
        await there.job("in the way")
        there.world.say(ALAN, chat, "/video behind it")
        there.world.say(ALAN, chat, "a draft")
        await there.until(lambda: len(there.tasks(chat)) == 2)
        there.world.block(ALAN)
        await there.until(lambda: all(task["state"] == "cancelled" for task in there.tasks(chat)))
    there.world.block(ALAN, blocked=False)
    assert there.jobs("behind it") == 0


async def test_a_channel_asks_in_its_own_name_and_the_groups_admins_act_for_it(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, open_tasks_per_user="1") as there:
        (ada, _), (boris, _) = there.newcomer(), there.newcomer("Boris")
        group = there.world.add_group("Comments", [ada, boris])
        channel = {"id": -1_000_000_900_000, "type": "channel", "title": "News"}
        with there.unfinished():
            there.world.say(boris, group, f"/video@{BOT} breaking", channel=channel)
            await there.job("breaking")
            asked = there.world.say(boris, group, f"/video@{BOT} more", channel=channel)
            assert (await there.answer(asked))["text"] == says("limit_open", count=1)
            there.world.say(boris, group, f"/video@{BOT} his own")
            await there.job("his own")
            assert [task["user_id"] for task in there.tasks(group)] == [channel["id"], boris.id]
            card = there.world.bot_messages(group)[0]
            await there.until(lambda: says("button_stop_paid") in buttons(there.now(card) or {}))
            assert await there.tap(boris, card, says("button_stop_paid")) == says("tap_not_yours")
            assert await there.tap(ada, card, says("button_stop_paid")) == ""
            await there.until(lambda: there.tasks(group)[0]["hidden"])
        await there.until(lambda: all(task["delivered_at"] for task in there.tasks(group)))
        there.provider.next("look", failure(50511, "Post Img Risk Not Pass", 400))
        there.world.say(boris, group, f"/video@{BOT} again", channel=channel)
        await there.until(lambda: there.tasks(group)[-1]["state"] == "failed")
        (card,) = await there.until(lambda: _with_button(there, group, says("button_try_again_order")))
        assert await there.tap(boris, card, says("button_try_again_order")) == says("tap_not_yours")
        assert await there.tap(ada, card, says("button_try_again_order")) == ""
        await there.until(lambda: there.tasks(group)[-1]["parent_id"])
        assert there.tasks(group)[-1]["user_id"] == channel["id"]
        assert there.world.complaints == []


async def test_a_command_for_another_bot_is_not_ours(there: BotHarness) -> None:
    group = there.world.add_group("Bots", [ALAN])
    there.world.set_bot_status(ALAN, group, "administrator")
    there.world.say(ALAN, group, "/video@other_bot a boat")
    there.world.say(ALAN, group, "/settings@other_bot")
    there.world.send_photo(ALAN, group, photo(), caption="/animate@other_bot waves")
    assert await there.heard_nothing(ALAN, group)


def _said(there: BotHarness, chat: Chat) -> list[str]:
    return [one["text"] for one in there.world.bot_messages(chat) if "text" in one]


def _with_button(there: BotHarness, chat: Chat, button: str) -> list[Json]:
    return [one for one in there.world.bot_messages(chat) if button in buttons(one)]


def _told(there: BotHarness, person: Person, group: str) -> list[str]:
    """What somebody was told of a group in private."""
    return [text for text in _said(there, there.world.private_chat(person)) if group in text]


def _status(there: BotHarness, group: Chat) -> str:
    return group.members[there.world.bot.id].status
