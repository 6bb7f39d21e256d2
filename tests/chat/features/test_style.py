"""Styles over HTTP: by command, by option and by button; the model gets the words in their style."""

from __future__ import annotations

import pytest
from pictures import photo
from running import BotHarness, buttons, says

from bot.styles import styles

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAY = styles()["clay"]


async def test_the_model_gets_the_words_in_their_style_and_the_card_shows_the_persons(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/style clay a fox that yawns")
    (video,) = await live_bot.shown(chat)
    assert live_bot.jobs(CLAY.words("a fox that yawns")) == 1
    assert video["caption"].startswith("a fox that yawns\n")
    assert "🎨 Clay" in video["caption"]
    await live_bot.tap(ada, video, says("button_details"))
    assert "--style clay" in (await live_bot.answer(video, containing="--style"))["text"]


async def test_style_alone_lists_the_styles(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    told = (await live_bot.answer(live_bot.world.say(ada, chat, "/style")))["text"]
    assert all(f"{one.name} · {one.title('en')}" in told for one in styles().values())


async def test_a_draft_takes_a_style_by_button_and_gives_it_back(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a harbour at dusk"))
    await live_bot.tap(ada, draft, f"🎨 {says('option_no_style')}")
    await live_bot.until(lambda: "Clay" in buttons(live_bot.now(draft) or {}))
    await live_bot.tap(ada, live_bot.now(draft) or {}, "Clay")
    await live_bot.until(lambda: "🎨 Clay" in buttons(live_bot.now(draft) or {}))
    assert live_bot.tasks(chat)[0]["state"] == "draft"


async def test_a_photo_card_offers_styles(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo())
    card = await live_bot.card(chat)
    assert f"🎨 {says('option_no_style')}" in buttons(card)


async def test_an_unknown_style_is_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    told = await live_bot.answer(live_bot.world.say(ada, chat, "/video a fox --style chrome"))
    assert "--style clay" in told["text"]
    assert live_bot.tasks(chat) == []
