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


def photos_sent(live_bot: BotHarness, prompt: str) -> list[Image.Image]:
    (fields,) = [job.fields for job in live_bot.provider.jobs.values() if job.fields.get("prompt") == prompt]
    photos: Any = fields["binary_data_base64"]
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in photos]


def colours_sent(live_bot: BotHarness, prompt: str) -> list[str]:
    names = ((0, RED), (1, GREEN), (2, BLUE))
    found = []
    for picture in photos_sent(live_bot, prompt):
        pixel: Any = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
        found.append(next(name for place, name in names if pixel[place] == max(pixel)))
    return found


async def redrawn(live_bot: BotHarness, card: Json, label: str) -> Json:
    """The card, once it has that button."""
    found = await live_bot.until(lambda: (now := live_bot.now(card)) and label in buttons(now) and now)
    assert isinstance(found, dict)
    return found


async def generated(live_bot: BotHarness, chat: Chat) -> Json:
    """The draft's card."""
    return (
        await live_bot.until(
            lambda: [
                one for one in live_bot.world.bot_messages(chat) if says("button_generate") in buttons(one)
            ]
        )
    )[-1]


# Two photos.


async def test_two_photos_with_words_start_and_reach_the_provider_in_order(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(
        ada, chat, [plain(RED), plain(BLUE)], caption=f"from dawn to dusk {PAIR_ON_720P}"
    )
    (video,) = await live_bot.shown(chat)
    assert colours_sent(live_bot, "from dawn to dusk") == [RED, BLUE]
    assert len(live_bot.tasks(chat)) == live_bot.jobs("from dawn to dusk") == 1
    assert "jimeng-720p" in video["caption"]


async def test_where_the_chosen_model_takes_one_the_card_offers_those_that_take_both(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption="the tide turns")
    card = await live_bot.card(chat)
    assert says("no_first_last", model="jimeng-pro") in card["text"]
    assert list(buttons(card)) == [
        WITH_720P,
        says("button_other_model", model="jimeng-1080p"),
        says("button_only_photo", number=1),
        says("button_only_photo", number=2),
        says("button_dismiss"),
    ]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("the tide turns") == 0
    await live_bot.tap(ada, card, WITH_720P)
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "the tide turns") == [RED, BLUE]
    assert len(live_bot.tasks(chat)) == 1


async def test_one_photo_alone_is_drafted_for_the_chosen_model(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption="the second alone")
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, says("button_only_photo", number=2))
    draft = await redrawn(live_bot, card, says("button_generate"))
    assert says("card_draft") in draft["text"]
    assert live_bot.jobs("the second alone") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert colours_sent(live_bot, "the second alone") == [BLUE]
    assert "jimeng-pro" in video["caption"]


async def test_two_photos_without_words_are_asked_about_and_words_make_a_draft(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(BLUE)])
    card = await live_bot.card(chat)
    assert TWO_PHOTOS in card["text"]
    live_bot.world.say(ada, chat, "the leaves fall")
    draft = await generated(live_bot, chat)
    await live_bot.handled(ada, chat)
    assert live_bot.now(card) is None
    assert live_bot.jobs("the leaves fall") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "the leaves fall") == [RED, BLUE]


async def test_words_sent_in_the_same_breath_belong_to_the_album(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(GREEN)])
    live_bot.world.say(ada, chat, "the door opens")
    draft = await generated(live_bot, chat)
    assert "the door opens" in draft["text"]
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "the door opens") == [RED, GREEN]
    assert len(live_bot.tasks(chat)) == 1


async def test_a_suggested_change_leads_from_one_photo_to_the_other(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(GREEN), plain(BLUE)])
    change = says("button_change_time")
    await live_bot.tap(ada, await live_bot.card(chat), change)
    await live_bot.tap(ada, await generated(live_bot, chat), says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, change) == [GREEN, BLUE]


async def test_photos_of_two_shapes_are_shown_and_sent_in_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    wide, tall = plain(RED, 800, 600), plain(BLUE, 600, 800)
    live_bot.world.send_album(ada, chat, [wide, tall], caption=f"wide to tall {PAIR_ON_720P}")
    card = await live_bot.card(chat)
    assert says("card_crop_pair", model="jimeng-720p", ratio="4:3") in card["caption"]
    assert live_bot.jobs("wide to tall") == 0
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert [one.size for one in photos_sent(live_bot, "wide to tall")] == [(800, 600), (600, 450)]


async def test_an_old_album_is_asked_about(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    old = int(time.time()) - 30 * 60
    live_bot.world.send_album(
        ada, chat, [plain(RED), plain(BLUE)], caption=f"an old pair {PAIR_ON_720P}", date=old
    )
    card = await live_bot.card(chat)
    assert says("card_old", age=says("age_minutes", minutes=30)) in card["text"]
    assert live_bot.jobs("an old pair") == 0


async def test_a_photo_that_cannot_be_used_is_one_sentence_and_leaves_nothing_open(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_album(ada, chat, [plain(RED), plain(BLUE, 200, 200)], caption="a small one")
    answer = await live_bot.answer(sent[-1])
    assert answer["text"] == says("photo_too_small", width=200, height=200, min_side=320)
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    await live_bot.handled(ada, chat)
    assert len(live_bot.world.bot_messages(chat)) == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_limits_hold_for_an_album_too(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, daily_videos_per_user="0") as live_bot:
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_album(ada, chat, [plain(RED), plain(BLUE)], caption=f"none {PAIR_ON_720P}")
        assert (await live_bot.answer(sent[-1]))["text"] == says("limit_none")
        assert live_bot.jobs("none") == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_an_album_outlives_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            live_bot.tell(ada)
            live_bot.world.send_album(
                ada, chat, [plain(RED), plain(BLUE)], caption=f"on and on {PAIR_ON_720P}"
            )
            await live_bot.until(lambda: live_bot.tasks(chat))
        async with running_bot(live_bot.values()):
            await live_bot.shown(chat)
        assert colours_sent(live_bot, "on and on") == [RED, BLUE]
        assert len(live_bot.tasks(chat)) == 1


# More than two.


async def test_of_many_photos_two_are_chosen_in_order(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)], caption="three to two")
    card = await live_bot.card(chat)
    assert says("card_which", count=3) in card["caption"]
    assert list(buttons(card)) == ["1", "2", "3", says("button_dismiss")]
    await live_bot.tap(ada, card, "3")
    opened = await redrawn(live_bot, card, says("button_only_photo", number=3))
    assert says("card_which_last", number=3) in opened["caption"]
    await live_bot.tap(ada, opened, "1")
    draft = await redrawn(live_bot, card, says("button_generate"))
    assert "jimeng-720p" in draft["caption"]
    assert await live_bot.forged_tap(ada, draft, buttons(opened)["2"]) == says("press_too_late")
    assert live_bot.jobs("three to two") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "three to two") == [BLUE, RED]
    assert len(live_bot.tasks(chat)) == 1


async def test_a_choice_is_taken_back_or_left_at_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, "1")
    opened = await redrawn(live_bot, card, says("button_only_photo", number=1))
    await live_bot.tap(ada, opened, says("option_back"))
    card = await redrawn(live_bot, card, "1")
    await live_bot.tap(ada, card, "2")
    opened = await redrawn(live_bot, card, says("button_only_photo", number=2))
    await live_bot.tap(ada, opened, says("button_only_photo", number=2))
    asked = await redrawn(live_bot, card, says("button_motion_wind"))
    assert says("card_ask_photo") in asked["caption"]
    live_bot.world.say(ada, chat, "green only")
    await live_bot.tap(ada, await generated(live_bot, chat), says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "green only") == [GREEN]


async def test_words_may_come_before_the_choice(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await live_bot.card(chat)
    live_bot.world.say(ada, chat, "named before chosen")
    await live_bot.until(lambda: live_bot.now(card) is None)
    card = await live_bot.card(chat)
    assert "named before chosen" in card["caption"]
    await live_bot.tap(ada, card, "1")
    opened = await redrawn(live_bot, card, says("button_only_photo", number=1))
    await live_bot.tap(ada, opened, "2")
    await live_bot.tap(ada, await redrawn(live_bot, card, says("button_generate")), says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "named before chosen") == [RED, GREEN]


async def test_nobody_else_chooses_and_nothing_forged_is_taken(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [plain(RED), plain(GREEN), plain(BLUE)])
    card = await live_bot.card(chat)
    data = buttons(card)["1"]
    for forged in ("9-9", "1-7", "a-b", "-"):
        assert await live_bot.forged_tap(ada, card, data[:-1] + forged) == says("press_gone")
    await live_bot.handled(ada, chat)
    assert list(buttons(live_bot.now(card) or {})) == list(buttons(card))


# A second photo by reply.


async def test_in_a_group_the_card_takes_a_second_photo_by_reply(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    picture = live_bot.world.send_photo(boris, group, plain(RED))
    live_bot.world.say(ada, group, f"/animate@{BOT} {PAIR_ON_720P}", reply_to=picture)
    card = await live_bot.card(group)
    assert says("card_ask_photo_words") in card["text"]
    assert says("card_add_last") in card["text"]
    live_bot.world.send_photo(boris, group, plain(GREEN), reply_to=card)
    live_bot.world.send_photo(ada, group, plain(BLUE), reply_to=card)
    await live_bot.until(lambda: live_bot.now(card) is None)
    pair = await live_bot.card(group)
    assert TWO_PHOTOS in pair["text"]
    change = says("button_change_flow")
    await live_bot.tap(ada, pair, change)
    await live_bot.tap(ada, await generated(live_bot, group), says("button_generate"))
    await live_bot.shown(group)
    assert colours_sent(live_bot, change) == [RED, BLUE]
    assert len([task for task in live_bot.tasks(group) if task["user_id"] == ada.id]) == 1


async def test_a_second_photo_with_words_goes_to_a_model_that_takes_both(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, plain(RED))
    card = await live_bot.card(chat)
    assert says("card_add_last") not in card["text"], "jimeng-pro takes one"
    live_bot.world.send_photo(ada, chat, plain(BLUE), caption="to the end", reply_to=card)
    draft = (
        await live_bot.until(lambda: [one for one in _drafts(live_bot, chat) if "jimeng-720p" in one["text"]])
    )[0]
    assert live_bot.jobs("to the end") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "to the end") == [RED, BLUE]


# Albums in groups.


async def test_of_an_album_in_a_group_the_photo_with_the_command_starts(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.send_album(
        ada, group, [plain(RED), plain(BLUE)], caption=f"/animate@{BOT} the only one heard"
    )
    await live_bot.shown(group)
    assert colours_sent(live_bot, "the only one heard") == [RED]


async def test_a_bot_that_hears_everything_takes_both(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.set_bot_status(ada, group, "administrator")
    live_bot.world.send_album(
        ada, group, [plain(RED), plain(BLUE)], caption=f"/animate@{BOT} both were heard {PAIR_ON_720P}"
    )
    await live_bot.shown(group)
    assert colours_sent(live_bot, "both were heard") == [RED, BLUE]


# A photo without words.


async def test_a_suggested_motion_is_what_the_model_gets(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo())
    card = await live_bot.card(chat)
    motions = [says(f"button_motion_{name}") for name in ("closer", "wind", "alive", "around")]
    style = f"🎨 {says('option_no_style')}"
    assert list(buttons(card)) == [*motions, style, says("button_generate"), says("button_dismiss")]
    await live_bot.tap(ada, card, motions[1])
    draft = await redrawn(live_bot, card, "16:9" if "16:9" in buttons(card) else says("button_generate"))
    assert motions[1] in draft["text"]
    assert await live_bot.forged_tap(ada, draft, buttons(card)[motions[0]]) == says("press_too_late")
    assert live_bot.jobs(motions[1]) == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.jobs(motions[1]) == 1


async def test_a_motion_is_said_in_the_language_of_the_person(live_bot: BotHarness) -> None:
    chen, chat = live_bot.newcomer("晨", "zh-hans")
    live_bot.world.send_photo(chen, chat, photo())
    card = await live_bot.card(chat)
    first = next(iter(buttons(card)))
    await live_bot.tap(chen, card, first)
    draft = await live_bot.until(lambda: (now := live_bot.now(card)) and first in now["text"] and now)
    assert isinstance(draft, dict)
    assert any("一" <= letter <= "鿿" for letter in first)


async def test_a_motion_keeps_the_crop_on_its_card(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(400, 1000))
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, says("button_motion_closer"))
    draft = await live_bot.until(
        lambda: (now := live_bot.now(card)) and says("card_draft") in now["caption"] and now
    )
    assert isinstance(draft, dict)
    assert "photo" in draft


async def test_several_photos_in_a_row_are_drafts_and_the_newest_gets_the_words(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, plain(RED))
    live_bot.world.send_photo(ada, chat, plain(BLUE))
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    live_bot.world.say(ada, chat, "this is for the blue one")
    draft = await live_bot.until(
        lambda: [one for one in _drafts(live_bot, chat) if "this is for the blue one" in one["text"]]
    )
    await live_bot.tap(ada, draft[0], says("button_generate"))
    await live_bot.shown(chat)
    assert colours_sent(live_bot, "this is for the blue one") == [BLUE]
    assert [task["state"] for task in live_bot.tasks(chat)] == ["draft", "succeeded"]


def _drafts(live_bot: BotHarness, chat: Chat) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if says("button_generate") in buttons(one)]
