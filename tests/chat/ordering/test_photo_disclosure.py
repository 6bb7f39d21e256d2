"""Who receives a photo is said once to each person, before the first photo goes there."""

from __future__ import annotations

import pytest
from pictures import photo
from running import BotHarness, says

from bot.sandbox import Chat

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = says("photo_goes_to", company="Volcengine (ByteDance)")


async def test_the_company_is_named_once_and_before_the_photo_goes_there(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="it hums")
    await live_bot.shown(chat)
    first, card = live_bot.world.bot_messages(chat)
    assert first["text"] == TOLD
    assert "video" in card
    live_bot.world.send_photo(ada, chat, photo(), caption="it hums again")
    await live_bot.shown(chat, 2)
    assert _told(live_bot, chat) == 1


async def test_a_photo_that_stays_here_and_words_alone_need_no_word(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="it rests --model preview")
    await live_bot.shown(chat)
    live_bot.world.say(ada, chat, "/video no photo")
    await live_bot.shown(chat, 2)
    assert _told(live_bot, chat) == 0


async def test_the_draft_of_a_photo_tells_until_its_person_has_ordered_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for _ in range(2):
        card = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
        assert TOLD in card["text"]
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert _told(live_bot, chat) == 0, "the draft has told it"
    card = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    assert TOLD not in card["text"]
    live_bot.world.send_photo(ada, chat, photo(), caption="it is known")
    await live_bot.shown(chat, 2)
    assert _told(live_bot, chat) == 0


async def test_each_person_is_told(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    live_bot.world.send_photo(ada, chat, photo(), caption="it sways")
    live_bot.world.send_photo(boris, his, photo(), caption="it rolls")
    await live_bot.shown(chat)
    await live_bot.shown(his)
    assert _told(live_bot, chat) == _told(live_bot, his) == 1


async def test_an_answer_that_brings_a_first_photo_to_a_company_tells(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(
        ada,
        chat,
        photo(600, 400, "PNG")[:900],
        caption="it cracks --model preview",
        as_document=True,
        name="a.png",
    )
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat)) and tasks[0]["delivered_at"])
    await live_bot.tap(ada, await live_bot.card(chat), says("button_other_photo"))
    assert _told(live_bot, chat) == 0
    live_bot.world.send_photo(ada, chat, photo(), caption="it cracks --model jimeng-pro")
    await live_bot.shown(chat)
    assert _told(live_bot, chat) == 1


def _told(live_bot: BotHarness, chat: Chat) -> int:
    return sum(one.get("text") == TOLD for one in live_bot.world.bot_messages(chat))
