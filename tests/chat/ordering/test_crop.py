"""The crop preview: before much of a photo is cut off, its person sees what stays, and is asked."""

from __future__ import annotations

import pytest
from pictures import photo
from running import BotHarness, buttons, says

from bot.media.crop import crop_box
from bot.sandbox import Chat, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = says("card_crop_shown", model="jimeng-pro", ratio="9:16")


async def test_a_tall_photo_is_shown_with_its_crop_and_nothing_is_bought_before_a_yes(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a tall wave")
    card = await live_bot.card(chat)
    assert "photo" in card
    assert SHOWN in card["caption"]
    assert says("card_crop") in card["caption"]
    (task,) = await live_bot.until(lambda: live_bot.tasks(chat))
    assert task["state"] == "draft"
    assert live_bot.jobs("a tall wave") == 0
    await live_bot.tap(ada, card, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"], "the card becomes the video"
    left, top, right, bottom = crop_box(400, 1000, "9:16")
    assert live_bot.photo_sent("a tall wave").size == (right - left, bottom - top)


async def test_a_photo_that_is_too_long_is_offered_as_a_crop(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(1280, 330), caption="a long wave")
    card = await live_bot.card(chat)
    assert says("card_crop_shown", model="jimeng-pro", ratio="21:9") in card["caption"]
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.photo_sent("a long wave").size == (770, 330)


async def test_a_file_whose_sides_nobody_told_is_measured(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    tall = photo(400, 1000, "PNG")
    live_bot.world.send_photo(ada, chat, tall, caption="a filed wave", as_document=True, name="a.png")
    assert SHOWN in (await live_bot.card(chat))["caption"]


async def test_a_photo_of_which_little_is_lost_starts_at_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(480, 1000), caption="a quick wave")
    await live_bot.shown(chat)
    assert live_bot.photo_sent("a quick wave").size == (480, 1000)


async def test_whoever_wants_no_more_questions_gets_none(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a first wave")
    await live_bot.tap(ada, await live_bot.card(chat), says("button_crop_always"))
    await live_bot.shown(chat)
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a second wave")
    await live_bot.shown(chat, 2)
    assert live_bot.photo_sent("a second wave").size == (400, 1000), "the provider crops it"
    live_bot.world.send_photo(ada, chat, photo(1280, 330), caption="a third wave")
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 3)
    assert live_bot.tasks(chat)[2]["state"] == "draft", "this one cannot be sent whole"


async def test_a_crop_that_is_not_wanted_is_let_go(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a dropped wave")
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, says("button_dismiss"))
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    now = live_bot.now(card)
    assert now is not None
    assert now["caption"] == "a dropped wave\n\n" + says("dismissed")
    assert list(buttons(now)) == [says("button_make_anyway")]
    assert live_bot.jobs("a dropped wave") == 0


async def test_a_photo_alone_shows_its_crop_with_the_question_for_words(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000))
    first = await live_bot.card(chat)
    assert SHOWN in first["caption"]
    live_bot.world.say(ada, chat, "the leaves begin to move")
    await live_bot.until(lambda: live_bot.now(first) is None)
    second = await live_bot.card(chat)
    assert "photo" in second
    assert says("card_draft") in second["caption"]
    await live_bot.tap(ada, second, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.photo_sent("the leaves begin to move").size == (400, 711)


@pytest.mark.parametrize("taps", [1, 2])
async def test_options_of_a_draft_change_below_its_photo(live_bot: BotHarness, taps: int) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000))
    await live_bot.card(chat)
    live_bot.world.say(ada, chat, f"the sky turns {taps}")
    draft = (await live_bot.until(lambda: _with_caption(live_bot, chat, says("card_draft"))))[-1]
    for _ in range(taps):
        label = next(text for text in buttons(draft) if text.endswith(" s"))
        await live_bot.tap(ada, draft, label)
        draft = live_bot.now(draft) or {}
        assert "photo" in draft
    assert ("10 s" if taps == 1 else "5 s") in draft["caption"]


def _with_caption(live_bot: BotHarness, chat: Chat, words: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if words in one.get("caption", "")]
