"""The table of what somebody does, cell by cell: what starts, what is drafted, and what is nothing."""

from __future__ import annotations

import time

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG_AGO_S = 30 * 60


def group_of(there: BotHarness, *people: Person, hears_all: bool = False) -> Chat:
    group = there.world.add_group("Friends", list(people))
    if hears_all:
        there.world.set_bot_status(people[0], group, "administrator")
    return group


async def is_draft(there: BotHarness, chat: Chat) -> bool:
    """Whether what was said became a card that asks, and nothing was bought."""
    await there.card(chat)
    (task,) = await there.until(lambda: there.tasks(chat))
    return bool(task["state"] == "draft" and task["remote_id"] is None)


# `/video words`, `/animate words` as a reply to a photo, a photo whose caption is such a command.


@pytest.mark.parametrize("command", ["/video", "/v", "/animate", f"/video@{BOT}"])
async def test_a_command_with_words_starts_in_private(there: BotHarness, command: str) -> None:
    ada, chat = there.newcomer()
    there.world.say(ada, chat, f"{command} a table {command}")
    await there.shown(chat)


async def test_a_command_with_words_starts_in_a_group(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = group_of(there, ada)
    there.world.say(ada, group, f"/video@{BOT} a table for all")
    await there.shown(group)


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_reply_to_the_photo_of_anybody_starts(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    boris, _ = there.newcomer("Boris")
    place = group_of(there, ada, boris) if in_group else chat
    picture = there.world.send_photo(boris if in_group else ada, place, photo(), date=_old())
    words = f"a reply, in a group: {in_group}"
    there.world.say(ada, place, f"/animate@{BOT} {words}", reply_to=picture)
    await there.job(words)
    assert there.jobs(words) == 1


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_photo_captioned_with_a_command_starts(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    place = group_of(there, ada) if in_group else chat
    words = f"a captioned photo, in a group: {in_group}"
    there.world.send_photo(ada, place, photo(), caption=f"/animate@{BOT} {words}")
    await there.shown(place)
    assert there.jobs(words) == 1


# A photo with a plain caption, a forwarded one, one without; an album.


async def test_a_photo_with_a_plain_caption_starts_in_private(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo(), caption="a plain caption")
    await there.shown(chat)


@pytest.mark.parametrize("hears_all", [False, True])
@pytest.mark.parametrize("caption", ["look at that", ""])
async def test_a_photo_in_a_group_is_nothing(there: BotHarness, caption: str, hears_all: bool) -> None:
    ada, _ = there.newcomer()
    group = group_of(there, ada, hears_all=hears_all)
    there.world.send_photo(ada, group, photo(), caption=caption)
    there.world.send_album(ada, group, [photo(), photo()], caption=caption)
    assert await there.heard_nothing(ada, group)


async def test_a_forwarded_photo_with_a_caption_is_drafted_in_private(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, elsewhere = there.newcomer("Boris")
    picture = there.world.send_photo(boris, elsewhere, photo(), caption="/start")
    there.world.forward(ada, chat, picture | {"caption": "a day at sea", "caption_entities": []})
    assert await is_draft(there, chat)
    assert there.jobs("a day at sea") == 0


async def test_a_forwarded_photo_in_a_group_is_nothing(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, elsewhere = there.newcomer("Boris")
    group = group_of(there, ada, hears_all=True)
    picture = there.world.send_photo(boris, elsewhere, photo())
    there.world.forward(ada, group, picture | {"caption": "a day at sea"})
    assert await there.heard_nothing(ada, group)


async def test_a_photo_without_caption_is_drafted_in_private(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo())
    assert await is_draft(there, chat)


async def test_an_album_without_words_is_drafted_in_private(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [photo(), photo()])
    assert await is_draft(there, chat)


# Plain words.


async def test_plain_text_is_drafted_in_private(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.say(ada, chat, "a table in the sun")
    assert await is_draft(there, chat)


async def test_plain_text_in_a_group_is_nothing(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = group_of(there, ada, hears_all=True)
    there.world.say(ada, group, "a table in the sun")
    assert await there.heard_nothing(ada, group)


async def test_a_plain_reply_to_a_video_of_the_bot_is_nothing_in_a_group(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = group_of(there, ada)
    there.world.say(ada, group, f"/video@{BOT} a table to talk about")
    (video,) = await there.shown(group)
    there.world.say(ada, group, "what a table", reply_to=video)
    await there.handled(ada, group)
    assert len(there.tasks(group)) == 1


async def test_the_message_after_a_photo_completes_its_draft_and_buys_nothing(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo())
    await there.card(chat)
    there.world.say(ada, chat, "the table turns")
    await there.handled(ada, chat)
    assert await is_draft(there, chat)
    assert there.jobs("the table turns") == 0


async def test_the_message_after_a_photo_is_nothing_in_a_group(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = group_of(there, ada, hears_all=True)
    there.world.send_photo(ada, group, photo())
    there.world.say(ada, group, "the table turns")
    assert await there.heard_nothing(ada, group)


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_answer_to_a_question_of_the_bot_starts(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    place = group_of(there, ada) if in_group else chat
    question = await there.answer(there.world.say(ada, place, f"/video@{BOT}"))
    assert question["reply_markup"]["force_reply"] is True
    there.world.say(ada, place, f"an answer, in a group: {in_group}", reply_to=question)
    await there.shown(place)


# ButtonPresses.


@pytest.mark.parametrize("in_group", [False, True])
async def test_a_tap_of_the_owner_starts(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    place = group_of(there, ada) if in_group else chat
    words = f"a tapped table, in a group: {in_group}"
    there.world.say(ada, place, f"/video@{BOT} {words}")
    (video,) = await there.shown(place)
    await there.tap(ada, video, says("button_again"))
    await there.shown(place, 2)
    assert there.jobs(words) == 2


async def test_the_tap_of_somebody_else_buys_nothing(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = group_of(there, ada, boris)
    there.world.say(ada, group, f"/video@{BOT} the table of Ada")
    (video,) = await there.shown(group)
    await there.tap(boris, video, says("button_again"))
    await there.handled(ada, group)
    assert there.jobs("the table of Ada") == 1


# Edited and old messages.


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_edited_message_is_nothing(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    place = group_of(there, ada, hears_all=True) if in_group else chat
    asked = there.world.say(ada, place, f"/video@{BOT} a table as it was")
    await there.shown(place)
    there.world.edit(ada, asked, f"/video@{BOT} a table as it is")
    await there.handled(ada, place)
    assert there.jobs("a table as it is") == 0
    assert len(there.tasks(place)) == 1


@pytest.mark.parametrize("in_group", [False, True])
async def test_an_old_message_is_asked_about(there: BotHarness, in_group: bool) -> None:
    ada, chat = there.newcomer()
    place = group_of(there, ada) if in_group else chat
    there.world.say(ada, place, f"/video@{BOT} a table of old", date=_old())
    card = await there.card(place)
    assert says("button_generate") in buttons(card)
    assert await is_draft(there, place)


async def test_an_old_photo_with_a_caption_is_asked_about(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo(), caption="an old table", date=_old())
    assert await is_draft(there, chat)
    assert there.jobs("an old table") == 0


def _old() -> int:
    return int(time.time()) - LONG_AGO_S
