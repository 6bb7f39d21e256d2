"""Several photos, and photos without words: what the bot asks about them, and what reaches the provider."""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path
from typing import Any

import pytest
from pictures import photo
from PIL import Image
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED, GREEN, BLUE = "red", "green", "blue"
WITH_720P = says("button_other_model", model="jimeng-720p")
TWO_PHOTOS = says("card_ask_two_photos", model="jimeng-720p")
PAIR_ON_720P = "--model jimeng-720p"


def plain(colour: str, width: int = 640, height: int = 480) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(data, "JPEG", quality=95)
    return data.getvalue()


def photos_sent(there: BotHarness, prompt: str) -> list[Image.Image]:
    (fields,) = [job.fields for job in there.provider.jobs.values() if job.fields.get("prompt") == prompt]
    photos: Any = fields["binary_data_base64"]
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in photos]


def colours_sent(there: BotHarness, prompt: str) -> list[str]:
    names = ((0, RED), (1, GREEN), (2, BLUE))
    found = []
    for picture in photos_sent(there, prompt):
        pixel: Any = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
        found.append(next(name for place, name in names if pixel[place] == max(pixel)))
    return found


async def redrawn(there: BotHarness, card: Json, label: str) -> Json:
    """The card, once it has that button."""
    found = await there.until(lambda: (now := there.now(card)) and label in buttons(now) and now)
    assert isinstance(found, dict)
    return found


async def generated(there: BotHarness, chat: Chat) -> Json:
    """The draft's card."""
    return (
        await there.until(
            lambda: [one for one in there.world.bot_messages(chat) if says("button_generate") in buttons(one)]
        )
    )[-1]


# Two photos.


async def test_two_photos_with_words_start_and_reach_the_provider_in_order(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption=f"from dawn to dusk {PAIR_ON_720P}")
    (video,) = await there.shown(chat)
    assert colours_sent(there, "from dawn to dusk") == [RED, BLUE]
    assert len(there.tasks(chat)) == there.jobs("from dawn to dusk") == 1
    assert "jimeng-720p" in video["caption"]


async def test_where_the_chosen_model_takes_one_the_card_offers_those_that_take_both(
    there: BotHarness,
) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption="the tide turns")
    card = await there.card(chat)
    assert says("no_first_last", model="jimeng-pro") in card["text"]
    assert list(buttons(card)) == [
        WITH_720P,
        says("button_other_model", model="jimeng-1080p"),
        says("button_only_photo", number=1),
        says("button_only_photo", number=2),
        says("button_dismiss"),
    ]
    await there.handled(ada, chat)
    assert there.jobs("the tide turns") == 0
    await there.tap(ada, card, WITH_720P)
    await there.shown(chat)
    assert colours_sent(there, "the tide turns") == [RED, BLUE]
    assert len(there.tasks(chat)) == 1


async def test_one_photo_alone_is_drafted_for_the_chosen_model(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption="the second alone")
    card = await there.card(chat)
    await there.tap(ada, card, says("button_only_photo", number=2))
    draft = await redrawn(there, card, says("button_generate"))
    assert says("card_draft") in draft["text"]
    assert there.jobs("the second alone") == 0
    await there.tap(ada, draft, says("button_generate"))
    (video,) = await there.shown(chat)
    assert colours_sent(there, "the second alone") == [BLUE]
    assert "jimeng-pro" in video["caption"]


async def test_two_photos_without_words_are_asked_about_and_words_make_a_draft(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(BLUE)])
    card = await there.card(chat)
    assert card["text"] == TWO_PHOTOS
    there.world.say(ada, chat, "the leaves fall")
    draft = await generated(there, chat)
    await there.handled(ada, chat)
    assert there.now(card) is None
    assert there.jobs("the leaves fall") == 0
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "the leaves fall") == [RED, BLUE]


async def test_words_sent_in_the_same_breath_belong_to_the_album(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(GREEN)])
    there.world.say(ada, chat, "the door opens")
    draft = await generated(there, chat)
    assert "the door opens" in draft["text"]
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "the door opens") == [RED, GREEN]
    assert len(there.tasks(chat)) == 1


async def test_a_suggested_change_leads_from_one_photo_to_the_other(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(GREEN), plain(BLUE)])
    change = says("button_change_time")
    await there.tap(ada, await there.card(chat), change)
    await there.tap(ada, await generated(there, chat), says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, change) == [GREEN, BLUE]


async def test_photos_of_two_shapes_are_shown_and_sent_in_one(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    wide, tall = plain(RED, 800, 600), plain(BLUE, 600, 800)
    there.world.send_album(ada, chat, [wide, tall], caption=f"wide to tall {PAIR_ON_720P}")
    card = await there.card(chat)
    assert says("card_crop_pair", model="jimeng-720p", ratio="4:3") in card["caption"]
    assert there.jobs("wide to tall") == 0
    await there.tap(ada, card, says("button_generate"))
    await there.shown(chat)
    assert [one.size for one in photos_sent(there, "wide to tall")] == [(800, 600), (600, 450)]


async def test_an_old_album_is_asked_about(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    old = int(time.time()) - 30 * 60
    there.world.send_album(
        ada, chat, [plain(RED), plain(BLUE)], caption=f"an old pair {PAIR_ON_720P}", date=old
    )
    card = await there.card(chat)
    assert says("card_old", age=says("age_minutes", minutes=30)) in card["text"]
    assert there.jobs("an old pair") == 0


async def test_a_photo_that_cannot_be_used_is_one_sentence_and_leaves_nothing_open(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    sent = there.world.send_album(ada, chat, [plain(RED), plain(BLUE, 200, 200)], caption="a small one")
    answer = await there.answer(sent[-1])
    assert answer["text"] == says("photo_too_small", width=200, height=200, min_side=320)
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    await there.handled(ada, chat)
    assert len(there.world.bot_messages(chat)) == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_limits_hold_for_an_album_too(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, daily_videos_per_user="0") as there:
        ada, chat = there.newcomer()
        sent = there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption=f"none {PAIR_ON_720P}")
        assert (await there.answer(sent[-1]))["text"] == says("limit_none")
        assert there.jobs("none") == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_an_album_outlives_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        ada, chat = there.newcomer()
        async with running_bot(there.values()):
            there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption=f"on and on {PAIR_ON_720P}")
            await there.until(lambda: there.tasks(chat))
        async with running_bot(there.values()):
            await there.shown(chat)
        assert colours_sent(there, "on and on") == [RED, BLUE]
        assert len(there.tasks(chat)) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_where_no_model_takes_two_a_tap_chooses_one(tmp_path: Path) -> None:
    alone = {"volcengine_access_key_id": "", "volcengine_secret_access_key": ""}
    async with bot_on_stage(tmp_path, **alone) as there:
        ada, chat = there.newcomer()
        there.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption="one of them")
        card = await there.card(chat)
        assert says("card_which_one", count=2) in card["text"]
        await there.tap(ada, card, "2")
        draft = await redrawn(there, card, says("button_generate"))
        await there.tap(ada, draft, says("button_generate"))
        (video,) = await there.shown(chat)
        assert video["caption"].startswith("one of them")


# More than two.


async def test_of_many_photos_two_are_chosen_in_order(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)], caption="three to two")
    card = await there.card(chat)
    assert says("card_which", count=3) in card["text"]
    assert list(buttons(card)) == ["1", "2", "3", says("button_dismiss")]
    await there.tap(ada, card, "3")
    opened = await redrawn(there, card, says("button_only_photo", number=3))
    assert says("card_which_last", number=3) in opened["text"]
    await there.tap(ada, opened, "1")
    draft = await redrawn(there, card, says("button_generate"))
    assert "jimeng-720p" in draft["text"]
    assert await there.forged_tap(ada, draft, buttons(opened)["2"]) == says("tap_too_late")
    assert there.jobs("three to two") == 0
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "three to two") == [BLUE, RED]
    assert len(there.tasks(chat)) == 1


async def test_a_choice_is_taken_back_or_left_at_one(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await there.card(chat)
    await there.tap(ada, card, "1")
    opened = await redrawn(there, card, says("button_only_photo", number=1))
    await there.tap(ada, opened, says("option_back"))
    card = await redrawn(there, card, "1")
    await there.tap(ada, card, "2")
    opened = await redrawn(there, card, says("button_only_photo", number=2))
    await there.tap(ada, opened, says("button_only_photo", number=2))
    asked = await redrawn(there, card, says("button_motion_wind"))
    assert asked["text"] == says("card_ask_photo")
    there.world.say(ada, chat, "green only")
    await there.tap(ada, await generated(there, chat), says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "green only") == [GREEN]


async def test_words_may_come_before_the_choice(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await there.card(chat)
    there.world.say(ada, chat, "named before chosen")
    await there.until(lambda: there.now(card) is None)
    card = await there.card(chat)
    assert "named before chosen" in card["text"]
    await there.tap(ada, card, "1")
    opened = await redrawn(there, card, says("button_only_photo", number=1))
    await there.tap(ada, opened, "2")
    await there.tap(ada, await redrawn(there, card, says("button_generate")), says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "named before chosen") == [RED, GREEN]


async def test_nobody_else_chooses_and_nothing_forged_is_taken(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await there.card(chat)
    data = buttons(card)["1"]
    for forged in ("9-9", "1-7", "a-b", "-"):
        assert await there.forged_tap(ada, card, data[:-1] + forged) == says("tap_gone")
    await there.handled(ada, chat)
    assert list(buttons(there.now(card) or {})) == list(buttons(card))


# A second photo by reply.


async def test_in_a_group_the_card_takes_a_second_photo_by_reply(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Friends", [ada, boris])
    picture = there.world.send_photo(boris, group, plain(RED))
    there.world.say(ada, group, f"/animate@{BOT} {PAIR_ON_720P}", reply_to=picture)
    card = await there.card(group)
    assert says("card_ask_photo_words") in card["text"]
    assert says("card_add_last") in card["text"]
    there.world.send_photo(boris, group, plain(GREEN), reply_to=card)
    there.world.send_photo(ada, group, plain(BLUE), reply_to=card)
    await there.until(lambda: there.now(card) is None)
    pair = await there.card(group)
    assert pair["text"] == TWO_PHOTOS
    change = says("button_change_flow")
    await there.tap(ada, pair, change)
    await there.tap(ada, await generated(there, group), says("button_generate"))
    await there.shown(group)
    assert colours_sent(there, change) == [RED, BLUE]
    assert len(there.tasks(group)) == 1


async def test_a_second_photo_with_words_goes_to_a_model_that_takes_both(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, plain(RED))
    card = await there.card(chat)
    assert says("card_add_last") not in card["text"], "jimeng-pro takes one"
    there.world.send_photo(ada, chat, plain(BLUE), caption="to the end", reply_to=card)
    draft = (
        await there.until(lambda: [one for one in _drafts(there, chat) if "jimeng-720p" in one["text"]])
    )[0]
    assert there.jobs("to the end") == 0
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "to the end") == [RED, BLUE]


# Albums in groups.


async def test_of_an_album_in_a_group_the_photo_with_the_command_starts(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Friends", [ada])
    there.world.send_album(
        ada, group, [plain(RED), plain(BLUE)], caption=f"/animate@{BOT} the only one heard"
    )
    await there.shown(group)
    assert colours_sent(there, "the only one heard") == [RED]


async def test_a_bot_that_hears_everything_takes_both(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Friends", [ada])
    there.world.set_bot_status(ada, group, "administrator")
    there.world.send_album(
        ada, group, [plain(RED), plain(BLUE)], caption=f"/animate@{BOT} both were heard {PAIR_ON_720P}"
    )
    await there.shown(group)
    assert colours_sent(there, "both were heard") == [RED, BLUE]


# A photo without words.


async def test_a_suggested_motion_is_what_the_model_gets(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo())
    card = await there.card(chat)
    motions = [says(f"button_motion_{name}") for name in ("closer", "wind", "alive", "around")]
    assert list(buttons(card)) == [*motions, says("button_generate"), says("button_dismiss")]
    await there.tap(ada, card, motions[1])
    draft = await redrawn(there, card, "16:9" if "16:9" in buttons(card) else says("button_generate"))
    assert motions[1] in draft["text"]
    assert await there.forged_tap(ada, draft, buttons(card)[motions[0]]) == says("tap_too_late")
    assert there.jobs(motions[1]) == 0
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat)
    assert there.jobs(motions[1]) == 1


async def test_a_motion_is_said_in_the_language_of_the_person(there: BotHarness) -> None:
    chen, chat = there.newcomer("晨", "zh-hans")
    there.world.send_photo(chen, chat, photo())
    card = await there.card(chat)
    first = next(iter(buttons(card)))
    await there.tap(chen, card, first)
    draft = await there.until(lambda: (now := there.now(card)) and first in now["text"] and now)
    assert isinstance(draft, dict)
    assert any("一" <= letter <= "鿿" for letter in first)


async def test_a_motion_keeps_the_crop_on_its_card(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, photo(400, 1000))
    card = await there.card(chat)
    await there.tap(ada, card, says("button_motion_closer"))
    draft = await there.until(
        lambda: (now := there.now(card)) and says("card_draft") in now["caption"] and now
    )
    assert isinstance(draft, dict)
    assert "photo" in draft


async def test_several_photos_in_a_row_are_drafts_and_the_newest_gets_the_words(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.send_photo(ada, chat, plain(RED))
    there.world.send_photo(ada, chat, plain(BLUE))
    await there.until(lambda: len(there.tasks(chat)) == 2)
    there.world.say(ada, chat, "this is for the blue one")
    draft = await there.until(
        lambda: [one for one in _drafts(there, chat) if "this is for the blue one" in one["text"]]
    )
    await there.tap(ada, draft[0], says("button_generate"))
    await there.shown(chat)
    assert colours_sent(there, "this is for the blue one") == [BLUE]
    assert [task["state"] for task in there.tasks(chat)] == ["draft", "succeeded"]


def _drafts(there: BotHarness, chat: Chat) -> list[Json]:
    return [one for one in there.world.bot_messages(chat) if says("button_generate") in buttons(one)]
