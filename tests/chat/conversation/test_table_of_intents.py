"""The table of what somebody does, cell by cell: what starts, what is drafted, and what is nothing."""

from __future__ import annotations

import time

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG_AGO_S = 30 * 60


def group_of(live_bot: BotHarness, *people: Person, hears_all: bool = False) -> Chat:
    group = live_bot.world.add_group("Friends", list(people))
    if hears_all:
        live_bot.world.set_bot_status(people[0], group, "administrator")
    return group


async def is_draft(live_bot: BotHarness, chat: Chat) -> bool:
    """Whether what was said became a card that asks, and nothing was bought."""
    await live_bot.card(chat)
    (task,) = await live_bot.until(lambda: live_bot.tasks(chat))
    return bool(task["state"] == "draft" and task["remote_id"] is None)


# `/video words`, `/animate words` as a reply to a photo, a photo whose caption is such a command.


@pytest.mark.parametrize("command", ["/video", "/v", f"/video@{BOT}"])
async def test_a_command_with_words_starts_in_private(live_bot: BotHarness, command: str) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, f"{command} a table {command}")
    await live_bot.shown(chat)


async def test_a_command_with_words_starts_in_a_group(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = group_of(live_bot, ada)
    live_bot.world.say(ada, group, f"/video@{BOT} a table for all")
    await live_bot.shown(group)


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_reply_to_the_photo_of_anybody_starts(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    place = group_of(live_bot, ada, boris) if in_group else chat
    picture = live_bot.world.send_photo(boris if in_group else ada, place, photo(), date=_old())
    words = f"a reply, in a group: {in_group}"
    live_bot.world.say(ada, place, f"/animate@{BOT} {words}", reply_to=picture)
    await live_bot.job(words)
    assert live_bot.jobs(words) == 1


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_photo_captioned_with_a_command_starts(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    place = group_of(live_bot, ada) if in_group else chat
    words = f"a captioned photo, in a group: {in_group}"
    live_bot.world.send_photo(ada, place, photo(), caption=f"/animate@{BOT} {words}")
    await live_bot.shown(place)
    assert live_bot.jobs(words) == 1


# A photo with a plain caption, a forwarded one, one without; an album.


async def test_a_photo_with_a_plain_caption_starts_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="a plain caption")
    await live_bot.shown(chat)


@pytest.mark.parametrize("hears_all", [False, True])
@pytest.mark.parametrize("caption", ["look at that", ""])
async def test_a_photo_in_a_group_is_nothing(live_bot: BotHarness, caption: str, hears_all: bool) -> None:
    ada, _ = live_bot.newcomer()
    group = group_of(live_bot, ada, hears_all=hears_all)
    live_bot.world.send_photo(ada, group, photo(), caption=caption)
    live_bot.world.send_album(ada, group, [photo(), photo()], caption=caption)
    assert await live_bot.heard_nothing(ada, group)


async def test_a_forwarded_photo_with_a_caption_is_drafted_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, elsewhere = live_bot.newcomer("Boris")
    picture = live_bot.world.send_photo(boris, elsewhere, photo(), caption="/start")
    live_bot.world.forward(ada, chat, picture | {"caption": "a day at sea", "caption_entities": []})
    assert await is_draft(live_bot, chat)
    assert live_bot.jobs("a day at sea") == 0


async def test_a_forwarded_photo_in_a_group_is_nothing(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, elsewhere = live_bot.newcomer("Boris")
    group = group_of(live_bot, ada, hears_all=True)
    picture = live_bot.world.send_photo(boris, elsewhere, photo())
    live_bot.world.forward(ada, group, picture | {"caption": "a day at sea"})
    assert await live_bot.heard_nothing(ada, group)


async def test_a_photo_without_caption_is_drafted_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo())
    assert await is_draft(live_bot, chat)


async def test_an_album_without_words_is_drafted_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [photo(), photo()])
    assert await is_draft(live_bot, chat)


# Plain words.


async def test_plain_text_is_drafted_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "a table in the sun")
    assert await is_draft(live_bot, chat)


async def test_plain_text_in_a_group_is_nothing(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = group_of(live_bot, ada, hears_all=True)
    live_bot.world.say(ada, group, "a table in the sun")
    assert await live_bot.heard_nothing(ada, group)


async def test_a_plain_reply_to_a_video_of_the_bot_is_nothing_in_a_group(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = group_of(live_bot, ada)
    live_bot.world.say(ada, group, f"/video@{BOT} a table to talk about")
    (video,) = await live_bot.shown(group)
    live_bot.world.say(ada, group, "what a table", reply_to=video)
    await live_bot.handled(ada, group)
    assert len(live_bot.tasks(group)) == 1


async def test_the_message_after_a_photo_completes_its_draft_and_buys_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo())
    await live_bot.card(chat)
    live_bot.world.say(ada, chat, "the table turns")
    await live_bot.handled(ada, chat)
    assert await is_draft(live_bot, chat)
    assert live_bot.jobs("the table turns") == 0


async def test_the_message_after_a_photo_is_nothing_in_a_group(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = group_of(live_bot, ada, hears_all=True)
    live_bot.world.send_photo(ada, group, photo())
    live_bot.world.say(ada, group, "the table turns")
    assert await live_bot.heard_nothing(ada, group)


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_answer_to_a_question_of_the_bot_starts(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    place = group_of(live_bot, ada) if in_group else chat
    question = await live_bot.answer(live_bot.world.say(ada, place, f"/video@{BOT}"))
    assert question["reply_markup"]["force_reply"] is True
    live_bot.world.say(ada, place, f"an answer, in a group: {in_group}", reply_to=question)
    await live_bot.shown(place)


# ButtonPresses.


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_tap_of_the_owner_starts(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    place = group_of(live_bot, ada) if in_group else chat
    words = f"a tapped table, in a group: {in_group}"
    live_bot.world.say(ada, place, f"/video@{BOT} {words}")
    (video,) = await live_bot.shown(place)
    await live_bot.tap(ada, video, says("button_again"))
    await live_bot.shown(place, 2)
    assert live_bot.jobs(words) == 2


async def test_the_tap_of_somebody_else_buys_nothing(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = group_of(live_bot, ada, boris)
    live_bot.world.say(ada, group, f"/video@{BOT} the table of Ada")
    (video,) = await live_bot.shown(group)
    await live_bot.tap(boris, video, says("button_again"))
    await live_bot.handled(ada, group)
    assert live_bot.jobs("the table of Ada") == 1


# Edited and old messages.


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_edited_message_is_nothing(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    place = group_of(live_bot, ada, hears_all=True) if in_group else chat
    asked = live_bot.world.say(ada, place, f"/video@{BOT} a table as it was")
    await live_bot.shown(place)
    live_bot.world.edit(ada, asked, f"/video@{BOT} a table as it is")
    await live_bot.handled(ada, place)
    assert live_bot.jobs("a table as it is") == 0
    assert len(live_bot.tasks(place)) == 1


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_old_message_is_asked_about(live_bot: BotHarness, in_group: bool) -> None:
    ada, chat = live_bot.newcomer()
    place = group_of(live_bot, ada) if in_group else chat
    live_bot.world.say(ada, place, f"/video@{BOT} a table of old", date=_old())
    card = await live_bot.card(place)
    assert says("button_generate") in buttons(card)
    assert await is_draft(live_bot, place)


async def test_an_old_photo_with_a_caption_is_asked_about(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="an old table", date=_old())
    assert await is_draft(live_bot, chat)
    assert live_bot.jobs("an old table") == 0


def _old() -> int:
    return int(time.time()) - LONG_AGO_S
