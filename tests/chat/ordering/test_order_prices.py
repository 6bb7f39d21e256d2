"""Prices over HTTP: said before anything is bought, frozen with the order, said where it costs again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Json

PRICES = "jimeng-pro=0.084/s,jimeng-720p=0.02/s"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, model_prices=PRICES) as made:
        yield made
        assert made.world.complaints == []


async def test_a_draft_tells_its_cost_with_every_choice_and_buys_for_that(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    draft = await there.answer(there.world.say(ada, chat, "a paper boat"))
    assert draft["text"].endswith(" and costs 0.42\u00a0USD.")
    await there.tap(ada, draft, "5 s")
    changed = await there.until(lambda: _with(there, draft, "0.84")) or draft
    assert there.tasks(chat)[0]["price"] is None
    await there.tap(ada, changed, says("button_generate"))
    (video,) = await there.shown(chat)
    (task,) = there.tasks(chat)
    assert task["price"] == "0.840"
    assert "Again · 0.84\u00a0USD" in buttons(video)


async def test_again_tells_what_it_costs_and_freezes_that(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.say(ada, chat, "/video a paper boat")
    (video,) = await there.shown(chat)
    said = await there.tap(ada, video, "Again · 0.42\u00a0USD")
    assert said == says("tap_ordered", price="0.42\u00a0USD")
    await there.shown(chat, 2)
    assert [task["price"] for task in there.tasks(chat)] == ["0.420", "0.420"]


async def test_models_and_details_name_prices(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    shown = await there.answer(there.world.say(ada, chat, "/models"))
    assert "0.084\u00a0USD a second" in shown["text"]
    there.world.say(ada, chat, "/video a lantern")
    (video,) = await there.shown(chat)
    await there.tap(ada, video, says("button_details"))
    details = await there.answer(video, containing=says("details_cost", price="0.42\u00a0USD"))
    assert says("details_calls") in details["text"]


def _with(there: BotHarness, message: Json, words: str) -> Json | None:
    now = there.now(message)
    return now if now is not None and words in str(now["text"]) else None
