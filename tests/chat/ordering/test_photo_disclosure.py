"""Who receives a photo is said once to each person, before the first photo goes there."""

from __future__ import annotations

import pytest
from pictures import photo
from running import BotHarness, says

from bot.sandbox import Chat

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = says("photo_goes_to", company="Volcengine (ByteDance)")


async def test_the_company_is_named_once_and_before_the_photo_goes_there(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo(), caption="it hums")
    await there.shown(chat)
    first, card = there.world.bot_messages(chat)
    assert first["text"] == TOLD
    assert "video" in card
    there.world.send_photo(ada, chat, photo(), caption="it hums again")
    await there.shown(chat, 2)
    assert _told(there, chat) == 1


async def test_a_photo_that_stays_here_and_words_alone_need_no_word(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo(), caption="it rests --model preview")
    await there.shown(chat)
    there.world.say(ada, chat, "/video no photo")
    await there.shown(chat, 2)
    assert _told(there, chat) == 0


async def test_a_draft_tells_when_it_is_wanted(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    card = await there.answer(there.world.send_photo(ada, chat, photo()))
    await there.handled(ada, chat)
    assert _told(there, chat) == 0
    there.world.press(ada, card, says("button_generate"))
    await there.shown(chat)
    assert _told(there, chat) == 1


async def test_each_person_is_told(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    there.world.send_photo(ada, chat, photo(), caption="it sways")
    there.world.send_photo(boris, his, photo(), caption="it rolls")
    await there.shown(chat)
    await there.shown(his)
    assert _told(there, chat) == _told(there, his) == 1


async def test_an_answer_that_brings_a_first_photo_to_a_company_tells(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(
        ada,
        chat,
        photo(600, 400, "PNG")[:900],
        caption="it cracks --model preview",
        as_document=True,
        name="a.png",
    )
    await there.until(lambda: (tasks := there.tasks(chat)) and tasks[0]["delivered_at"])
    await there.tap(ada, await there.card(chat), says("button_other_photo"))
    assert _told(there, chat) == 0
    there.world.send_photo(ada, chat, photo(), caption="it cracks --model jimeng-pro")
    await there.shown(chat)
    assert _told(there, chat) == 1


def _told(there: BotHarness, chat: Chat) -> int:
    return sum(one.get("text") == TOLD for one in there.world.bot_messages(chat))
