"""Prices over HTTP: said before anything is bought, frozen with the order, said where it costs again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Json

PRICES = "jimeng-pro=0.084/s,jimeng-720p=0.02/s"


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, model_prices=PRICES) as made:
        yield made
        assert made.world.complaints == []


async def test_a_draft_tells_its_cost_with_every_choice_and_buys_for_that(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a paper boat"))
    assert draft["text"].endswith(" and costs 0.42\u00a0USD.")
    await live_bot.tap(ada, draft, "5 s")
    changed = await live_bot.until(lambda: _with(live_bot, draft, "0.84")) or draft
    assert live_bot.tasks(chat)[0]["price"] is None
    await live_bot.tap(ada, changed, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    (task,) = live_bot.tasks(chat)
    assert task["price"] == "0.840"
    assert "Again · 0.84\u00a0USD" in buttons(video)


async def test_again_tells_what_it_costs_and_freezes_that(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a paper boat")
    (video,) = await live_bot.shown(chat)
    said = await live_bot.tap(ada, video, "Again · 0.42\u00a0USD")
    assert said == says("press_ordered", price="0.42\u00a0USD")
    await live_bot.shown(chat, 2)
    assert [task["price"] for task in live_bot.tasks(chat)] == ["0.420", "0.420"]


async def test_models_and_details_name_prices(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    listed = await live_bot.answer(live_bot.world.say(ada, chat, "/models"))
    await live_bot.tap(ada, listed, next(iter(buttons(listed))))
    shown = live_bot.now(listed)
    assert shown is not None
    assert "0.084\u00a0USD a second" in shown["text"]
    live_bot.world.say(ada, chat, "/video a lantern")
    (video,) = await live_bot.shown(chat)
    await live_bot.tap(ada, video, says("button_details"))
    details = await live_bot.answer(video, containing=says("details_cost", price="0.42\u00a0USD"))
    assert says("details_calls") in details["text"]


def _with(live_bot: BotHarness, message: Json, words: str) -> Json | None:
    now = live_bot.now(message)
    return now if now is not None and words in str(now["text"]) else None
