"""Loops, cheaper hours and several shots over HTTP: as options, as buttons, and in what is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pictures import photo
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRICES = "vidu-q3=0.10/s,vidu-q3:off-peak=0.05/s"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cheaper(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """A bot with a model that has cheaper hours, and one that makes several shots."""
    folder: Path = tmp_path_factory.mktemp("cheaper")
    accounts = {"jiekou_api_key": "key", "jiekou_models": "vidu-q3,wan-2.6"}
    async with bot_on_stage(folder, model_prices=PRICES, **accounts) as live_bot:
        yield live_bot


async def test_a_loop_sends_the_same_photo_first_and_last(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="it breathes --loop --model jimeng-720p")
    (video,) = await live_bot.shown(chat)
    assert says("card_loop") in video["caption"]
    (job,) = [one for one in live_bot.provider.jobs.values() if one.fields["prompt"] == "it breathes"]
    photos = job.fields["binary_data_base64"]
    assert isinstance(photos, list)
    assert len(photos) == 2
    assert photos[0] == photos[1]
    assert job.fields["req_key"] == "jimeng_i2v_first_tail_v30"
    await live_bot.tap(ada, video, says("button_details"))
    assert "--loop on" in (await live_bot.answer(video, containing="--loop"))["text"]


async def test_a_photo_card_has_a_button_that_makes_it_a_loop(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="--model jimeng-720p")
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, says("option_loop_off"))
    looped = await _with_button(live_bot, card, says("option_loop_on"))
    await live_bot.tap(ada, looped, says("button_motion_wind"))
    chosen = await _with_button(live_bot, card, says("button_generate"))
    assert says("card_loop") in chosen["text"]
    assert says("option_loop_on") in buttons(chosen)


async def test_a_loop_of_words_or_of_two_photos_is_refused_in_a_sentence(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = live_bot.world.say(ada, chat, "/video a wheel --loop --model jimeng-720p")
    assert (await live_bot.answer(asked))["text"] == says("loop_needs_photo")
    assert live_bot.tasks(chat) == []


async def test_words_that_ask_for_a_loop_wait_for_their_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = live_bot.world.say(ada, chat, "/animate a wheel --loop --model jimeng-720p")
    await live_bot.answer(asked)
    live_bot.world.send_photo(ada, chat, photo())
    (video,) = await live_bot.shown(chat)
    assert says("card_loop") in video["caption"]


async def test_a_draft_offers_cheaper_hours_with_their_price_and_time(cheaper: BotHarness) -> None:
    ada, chat = cheaper.newcomer()
    draft = await cheaper.answer(cheaper.world.say(ada, chat, "a slow dawn --model vidu-q3"))
    label = f"{says('button_later_on', hours=48)} · 0.25\u00a0USD"
    assert label in buttons(draft)
    await cheaper.tap(ada, draft, label)
    now = f"{says('button_later_off')} · 0.50\u00a0USD"
    later = await _with_button(cheaper, draft, now)
    assert says("card_usual_later", hours=48) in later["text"]
    assert "0.25\u00a0USD" in later["text"]
    await cheaper.tap(ada, later, now)
    await _with_button(cheaper, draft, label)


async def test_later_is_an_option_that_only_some_models_have(cheaper: BotHarness) -> None:
    ada, chat = cheaper.newcomer()
    draft = await cheaper.answer(cheaper.world.say(ada, chat, "a slow dusk --later --model vidu-q3"))
    assert says("card_later") in draft["text"]
    refused = await cheaper.answer(cheaper.world.say(ada, chat, "/video a dusk --later --model jimeng-pro"))
    assert says("no_off_peak", model="jimeng-pro") in refused["text"]


async def test_a_draft_offers_several_shots_where_the_model_makes_them(cheaper: BotHarness) -> None:
    ada, chat = cheaper.newcomer()
    draft = await cheaper.answer(cheaper.world.say(ada, chat, "a chase --model wan-2.6"))
    await cheaper.tap(ada, draft, says("option_shots_off"))
    several = await _with_button(cheaper, draft, says("option_shots_on"))
    assert says("card_shots") in several["text"]
    typed = await cheaper.answer(cheaper.world.say(ada, chat, "a chase --shots --model wan-2.6"))
    assert says("card_shots") in typed["text"]


async def _with_button(live_bot: BotHarness, message: Json, label: str) -> Json:
    """The message, once it has the button."""
    await live_bot.until(lambda: label in buttons(live_bot.now(message) or {}))
    return live_bot.now(message) or {}
