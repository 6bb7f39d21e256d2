"""Photos as references: what the card asks about several photos, and what reaches the model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOW_ALL = says("button_show_all")
GENERATE = says("button_generate")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """A bot whose only model is the preview, which takes up to seven references."""
    no_keys = {"volcengine_access_key_id": "", "volcengine_secret_access_key": ""}
    async with bot_on_stage(tmp_path_factory.mktemp("alone"), **no_keys) as made:
        yield made


def plain(colour: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (640, 480), colour).save(data, "JPEG", quality=95)
    return data.getvalue()


RED, GREEN, BLUE = map(plain, ("red", "green", "blue"))


def request_of(live_bot: BotHarness, chat: Chat) -> Json:
    """What the newest task of the chat asks for."""
    asked: Json = json.loads(live_bot.tasks(chat)[-1]["request"])
    return asked


def picture_on(live_bot: BotHarness, card: Json) -> Image.Image:
    stored = live_bot.world.files.get(card["photo"][-1]["file_id"])
    assert stored is not None
    return Image.open(stored.path)


async def drawn(live_bot: BotHarness, chat: Chat, words: str) -> Json:
    """The newest message with these words, once there is one."""

    def found() -> list[Json]:
        return [
            one
            for one in live_bot.world.bot_messages(chat)
            if words in (one.get("caption") or one.get("text") or "")
        ]

    return (await live_bot.until(found))[-1]


async def asked(live_bot: BotHarness, *photos: bytes, caption: str = "") -> tuple[Chat, Json]:
    """The card about an album."""
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, list(photos), caption=caption)
    return chat, await live_bot.card(chat)


async def test_an_album_is_asked_about_once_with_numbered_photos_and_becomes_a_collage(
    alone: BotHarness,
) -> None:
    ada, chat = alone.newcomer()
    alone.world.send_album(ada, chat, [RED, GREEN, BLUE], caption="/video they meet at sea")
    card = await alone.card(chat)
    assert says("card_which_or_show") in card["caption"]
    assert list(buttons(card)) == ["1", "2", "3", SHOW_ALL, says("button_dismiss")]
    sheet = picture_on(alone, card)
    assert sheet.width > 2.5 * sheet.height
    await alone.tap(ada, card, SHOW_ALL)
    draft = await drawn(alone, chat, says("card_references", count=3))
    assert says("card_draft") in draft["caption"]
    assert draft["message_id"] == card["message_id"]
    await alone.tap(ada, draft, GENERATE)
    (video,) = await alone.shown(chat)
    assert "they meet at sea" in video["caption"]
    request = request_of(alone, chat)
    assert (request["photos_as"], len(request["photos"])) == ("references", 3)
    assert len(alone.tasks(chat)) == 1


async def test_a_photo_by_reply_adds_one_more_reference(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    alone.world.send_album(ada, chat, [RED, GREEN], caption="two friends dance")
    await alone.tap(ada, await alone.card(chat), SHOW_ALL)
    draft = await drawn(alone, chat, says("card_references", count=2))
    assert says("card_add_reference") in draft["caption"]
    alone.world.send_photo(ada, chat, BLUE, reply_to=draft)
    grown = await drawn(alone, chat, says("card_references", count=3))
    assert "two friends dance" in grown["caption"]
    assert picture_on(alone, grown).width > picture_on(alone, draft).width
    await alone.until(lambda: alone.now(draft) is None)
    await alone.until(lambda: len(request_of(alone, chat)["photos"]) == 3)


async def test_a_photo_by_reply_to_one_that_begins_it_is_asked_about(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    alone.world.send_photo(ada, chat, RED)
    card = await alone.card(chat)
    alone.world.send_photo(ada, chat, BLUE, reply_to=card)
    asked_again = await drawn(alone, chat, says("card_which_or_show"))
    await alone.tap(ada, asked_again, SHOW_ALL)
    question = await drawn(alone, chat, says("card_ask_references"))
    alone.world.say(ada, chat, "both on a swing", reply_to=question)
    draft = await drawn(alone, chat, "both on a swing")
    assert says("card_references", count=2) in draft["caption"]


async def test_one_of_the_photos_can_still_begin_it(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    alone.world.send_album(ada, chat, [RED, GREEN], caption="from the second")
    card = await alone.card(chat)
    await alone.tap(ada, card, "2")
    opened = await drawn(alone, chat, says("card_which_last", number=2))
    await alone.tap(ada, opened, "1")
    await drawn(alone, chat, says("card_draft"))
    await alone.until(lambda: alone.tasks(chat)[-1]["question"] == "card_draft")
    request = request_of(alone, chat)
    assert len(request["photos"]) == 2
    assert "photos_as" not in request


async def test_refs_in_a_caption_starts_at_once_and_stays_on_the_photo(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    alone.world.send_album(ada, chat, [RED, BLUE], caption="/video a picnic --refs 9:16")
    await alone.until(lambda: [task for task in alone.tasks(chat) if task["state"] != "draft"])
    request = request_of(alone, chat)
    assert (request["photos_as"], request["ratio"], len(request["photos"])) == ("references", "9:16", 2)
    (video,) = await alone.shown(chat)
    await alone.tap(ada, video, says("button_details"))
    details = await drawn(alone, chat, says("details_references", count=2))
    assert "--refs" in details["text"]


async def test_a_single_photo_is_a_reference_where_refs_says_so(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    picture = alone.world.send_photo(ada, chat, RED)
    await alone.card(chat)
    alone.world.say(ada, chat, "/video --refs", reply_to=picture)
    await drawn(alone, chat, says("card_ask_references"))
    await alone.until(lambda: request_of(alone, chat).get("photos_as") == "references")


async def test_the_draft_changes_what_its_photo_is_for(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    picture = alone.world.send_photo(ada, chat, RED)
    await alone.card(chat)
    alone.world.say(ada, chat, "it wakes up", reply_to=picture)
    draft = await drawn(alone, chat, says("card_draft"))
    await alone.tap(ada, draft, f"🖼 {says('option_photos_frames')}")
    changed = await drawn(alone, chat, says("card_references", count=1))
    assert f"🖼 {says('option_photos_references')}" in buttons(changed)
    await alone.tap(ada, changed, f"🖼 {says('option_photos_references')}")
    await alone.until(lambda: "photos_as" not in request_of(alone, chat))


async def test_in_a_group_a_command_asks_for_references(alone: BotHarness) -> None:
    ada, _ = alone.newcomer()
    group = alone.world.add_group("Friends", [ada])
    picture = alone.world.send_photo(ada, group, RED)
    alone.world.say(ada, group, f"/animate@{BOT} a parade --refs", reply_to=picture)
    await alone.until(lambda: alone.tasks(group))
    assert request_of(alone, group)["photos_as"] == "references"
    await alone.shown(group)


async def test_more_photos_than_any_model_takes_are_offered_as_far_as_they_go(alone: BotHarness) -> None:
    _, card = await asked(alone, *[RED, GREEN] * 4 + [BLUE], caption="a crowd")
    assert says("button_show_some", last=7) in buttons(card)


async def test_too_many_with_refs_are_refused_in_a_sentence(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    sent = alone.world.send_album(ada, chat, [RED] * 8, caption="/video a crowd --refs")
    answer = await alone.answer(sent[-1])
    assert answer["text"] == says("too_many_references", model="preview", limit=7, count=8)


async def test_refs_without_photos_says_what_is_missing(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    answer = await alone.answer(alone.world.say(ada, chat, "/video a crowd --refs"))
    assert answer["text"] == says("references_need_photo")


async def test_a_shared_recipe_of_references_asks_for_photos(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    boris, his = alone.newcomer("Boris")
    alone.world.send_album(ada, chat, [RED, GREEN], caption="/video a duel --refs")
    (video,) = await alone.shown(chat)
    await alone.tap(ada, video, says("button_share"))
    link = await drawn(alone, chat, "?start=")
    token = link["text"].partition("?start=")[2].split()[0]
    alone.world.say(boris, his, f"/start {token}")
    question = await drawn(alone, his, says("card_recipe_references"))
    alone.world.send_photo(boris, his, BLUE, reply_to=question)
    draft = await drawn(alone, his, says("card_draft"))
    assert says("card_references", count=1) in draft["text"]
    alone.world.send_photo(boris, his, GREEN, reply_to=draft)
    await drawn(alone, his, says("card_references", count=2))


async def test_help_speaks_of_references_where_a_model_takes_them(alone: BotHarness) -> None:
    ada, chat = alone.newcomer()
    told = await alone.answer(alone.world.say(ada, chat, "/help"))
    assert says("help_references") in told["text"]
    assert "--refs" in told["text"].partition("Options:")[2]
