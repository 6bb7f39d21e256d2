"""The crop preview: before much of a photo is cut off, its person sees what stays, and is asked."""

from __future__ import annotations

import io
from functools import partial

import pytest
from films import is_of
from pictures import photo
from PIL import Image, ImageChops, ImageStat
from running import BotHarness, buttons, says

from bot.media.photo.crop import crop_box
from bot.request import Crop
from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLUE = (20, 20, 220)
ARROWS = "◀▶▲▼"
BANDS = ((220, 30, 30), (220, 200, 30), (30, 200, 60), (30, 120, 220), (180, 40, 200))
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
    left, top, right, bottom = crop_box(400, 1000, Crop("9:16"))
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


async def test_arrows_move_what_is_kept_and_the_provider_gets_what_the_card_shows(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, _bands(400, 1000), caption="a rainbow")
    card = await live_bot.card(chat)
    assert [text for text in buttons(card) if text in ARROWS] == ["▲", "▼"]
    assert _bright_bands(live_bot, card) == [False, True, True, True, False]
    card = await _pressed(live_bot, ada, card, "▼", times=2)
    assert _bright_bands(live_bot, card) == [False, True, True, True, True]
    card = await _pressed(live_bot, ada, card, "▲", times=6)
    assert _bright_bands(live_bot, card) == [True, True, True, True, False]
    assert await live_bot.tap(ada, card, "▲") == says("press_crop_edge")
    card = await _pressed(live_bot, ada, card, "▼", times=1)
    await _pressed(live_bot, ada, card, "▲", times=1)
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    left, top, right, bottom = crop_box(400, 1000, Crop("9:16", y=0))
    sent, whole = live_bot.photo_sent("a rainbow"), Image.open(io.BytesIO(_bands(400, 1000)))
    assert sent.size == (right - left, bottom - top)
    lost = ImageChops.difference(sent.convert("RGB"), whole.crop((left, top, right, bottom)))
    assert max(ImageStat.Stat(lost).mean) < 3


async def test_a_wide_photo_moves_sideways_and_keeps_its_place_when_words_come(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(1280, 330))
    card = await live_bot.card(chat)
    assert [text for text in buttons(card) if text in ARROWS] == ["◀", "▶"]
    await _pressed(live_bot, ada, card, "▶", times=4)
    live_bot.world.say(ada, chat, "the train leaves")
    draft = (await live_bot.until(lambda: _with_caption(live_bot, chat, says("card_draft"))))[-1]
    await live_bot.tap(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    sent = live_bot.photo_sent("the train leaves")
    assert sent.size == (770, 330)
    assert is_of(sent, BLUE), "only the right of it is left"
    live_bot.world.say(ada, chat, "/again the train returns", reply_to=video)
    await live_bot.shown(chat, 2)
    assert is_of(live_bot.photo_sent("the train returns"), BLUE), "a recipe keeps it"


@pytest.mark.parametrize("forged", ["y=9", "y=-1", "x=3", "y=", "y=0.3", "z=1", "", "y=٣"])
async def test_a_forged_place_moves_nothing(live_bot: BotHarness, forged: str) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a forged wave")
    card = await live_bot.card(chat)
    (task,) = await live_bot.until(lambda: live_bot.tasks(chat))
    assert await live_bot.forged_tap(ada, card, f"crop:{task['id']}:{forged}") == says("press_gone")
    assert live_bot.tasks(chat)[0]["request"] == task["request"]


async def test_two_photos_move_each_along_the_side_that_is_cut(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(
        ada, chat, [photo(1000, 600), photo(600, 1000)], caption="from wide to tall --model jimeng-720p"
    )
    card = await live_bot.card(chat)
    assert [text for text in buttons(card) if text in ARROWS] == ["▲", "▼"]
    card = await _pressed(live_bot, ada, card, "▼", times=1)
    assert '"y":0.625' in live_bot.tasks(chat)[0]["request"]


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


def _bands(width: int, height: int) -> bytes:
    """A photo of five bands of colour, from top to bottom."""
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate(BANDS):
        picture.paste(colour, (0, height * number // 5, width, height * (number + 1) // 5))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=95)
    return data.getvalue()


def _bright_bands(live_bot: BotHarness, card: Json) -> list[bool]:
    """Which of the bands a card shows bright in their middle."""
    stored = live_bot.world.files.get(card["photo"][-1]["file_id"])
    assert stored is not None
    picture = Image.open(stored.path).convert("HSV")
    places = [(picture.width // 2, picture.height * (2 * band + 1) // 10) for band in range(5)]
    return [picture.getpixel(place)[2] > 150 for place in places]  # type: ignore[index]


async def _pressed(live_bot: BotHarness, person: Person, card: Json, arrow: str, *, times: int) -> Json:
    """The card after an arrow was pressed so often, each time on what it showed by then."""
    for _ in range(times):
        assert await live_bot.tap(person, card, arrow) == ""
        card = await live_bot.until(partial(_redrawn, live_bot, card))
    return card


def _redrawn(live_bot: BotHarness, card: Json) -> Json:
    """The card with another picture; nothing so far if it has none."""
    now = live_bot.now(card) or {}
    return now if now.get("photo") not in (None, card["photo"]) else {}


def _with_caption(live_bot: BotHarness, chat: Chat, words: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if words in one.get("caption", "")]
