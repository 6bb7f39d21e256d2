"""Several videos at once over HTTP: one price and one question for all, then a task and a card for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from provider_server import failure
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRICES = "jimeng-pro=0.084/s"
GENERATE = says("button_generate")
STOP = says("button_stop_paid")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def priced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    folder: Path = tmp_path_factory.mktemp("several")
    limits = {"daily_videos_per_user": "5", "daily_budget_per_user": "3", "volcengine_concurrency": "20"}
    async with bot_on_stage(folder, model_prices=PRICES, **limits) as live_bot:
        yield live_bot
        assert live_bot.world.complaints == []
        assert live_bot.provider.complaints == []


def place(number: int, size: int = 3) -> str:
    return says("card_of_several", place=number, size=size)


def seeds(live_bot: BotHarness, prompt: str) -> list[object]:
    return [job.fields["seed"] for job in live_bot.provider.jobs.values() if job.fields["prompt"] == prompt]


async def cards(live_bot: BotHarness, chat: Chat, many: int) -> list[Json]:
    """The cards that can be stopped, once there are so many."""

    def running() -> list[Json]:
        found = [one for one in live_bot.world.bot_messages(chat) if STOP in buttons(one)]
        return found if len(found) == many else []

    return await live_bot.until(running)


async def test_three_are_confirmed_once_for_one_price_and_come_each_on_a_card(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    draft = await priced.answer(priced.world.say(ada, chat, "/video three kites --count 3"))
    assert says("card_several", count=3) in draft["text"]
    assert "1.26\u00a0USD" in draft["text"]
    assert priced.jobs("three kites") == 0
    await priced.tap(ada, draft, GENERATE)
    videos = await priced.shown(chat, 3)
    assert [video["caption"].rpartition(" · ")[2] for video in videos] == [place(1), place(2), place(3)]
    assert all("Again · 0.42\u00a0USD" in buttons(video) for video in videos)
    tasks = priced.tasks(chat)
    assert sum(Decimal(task["price"]) for task in tasks) == Decimal("1.26")
    assert {task["batch_id"] for task in tasks} == {tasks[0]["id"]}
    assert priced.jobs("three kites") == 3
    first = min(map(int, map(str, seeds(priced, "three kites"))))
    assert sorted(map(int, map(str, seeds(priced, "three kites")))) == [first, first + 1, first + 2]
    assert [one["message_id"] for one in priced.messages(chat)] == [one["message_id"] for one in videos]


async def test_a_named_seed_is_that_of_the_first_and_the_card_says_so(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    draft = await priced.answer(priced.world.say(ada, chat, "two moons --seed 7 x2"))
    assert says("card_seeds", seeds="7, 8") in draft["text"]
    await priced.tap(ada, draft, GENERATE)
    (_, second) = await priced.shown(chat, 2)
    assert sorted(map(str, seeds(priced, "two moons"))) == ["7", "8"]
    await priced.tap(ada, second, "Again · 0.42\u00a0USD")
    await priced.shown(chat, 3)
    assert [task["batch_size"] for task in priced.tasks(chat)] == [2, 2, 1]


async def test_an_answer_that_asks_for_several_is_asked_about_too(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    question = await priced.answer(priced.world.say(ada, chat, "/video"))
    draft = await priced.answer(priced.world.say(ada, chat, "a maze x2", reply_to=question))
    assert says("card_several", count=2) in draft["text"]
    assert priced.jobs("a maze") == 0
    await priced.tap(ada, draft, GENERATE)
    await priced.shown(chat, 2)


async def test_again_can_ask_for_several(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    priced.world.say(ada, chat, "/video a nest")
    (video,) = await priced.shown(chat)
    draft = await priced.answer(priced.world.say(ada, chat, "/again x2", reply_to=video))
    assert "0.84\u00a0USD" in draft["text"]
    await priced.tap(ada, draft, GENERATE)
    await priced.shown(chat, 3)
    (parent, *batch) = priced.tasks(chat)
    assert [(task["parent_id"], task["batch_size"]) for task in batch] == [(parent["id"], 2)] * 2


async def test_a_button_of_a_draft_offers_each_number_with_the_price_of_all(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    draft = await priced.answer(priced.world.say(ada, chat, "a lantern"))
    await priced.tap(ada, draft, says("card_several", count=1))
    choice = f"{says('card_several', count=3)} · 1.26"
    opened = await priced.until(lambda: choice in buttons(priced.now(draft) or {}) and priced.now(draft))
    assert f"{says('card_several', count=4)} · 1.68" in buttons(opened or {})
    await priced.tap(ada, opened or {}, choice)
    chosen = await priced.until(lambda: GENERATE in buttons(priced.now(draft) or {}) and priced.now(draft))
    assert "1.26\u00a0USD" in (chosen or {})["text"]
    # Two presses in a row order once.
    await priced.tap(ada, chosen or {}, GENERATE)
    assert await priced.forged_tap(ada, draft, f"generate:{priced.tasks(chat)[0]['id']}") == says(
        "press_too_late"
    )
    await priced.shown(chat, 3)
    assert len(priced.tasks(chat)) == priced.jobs("a lantern") == 3


async def test_in_a_group_they_are_asked_about_too(priced: BotHarness) -> None:
    ada, _ = priced.newcomer()
    group = priced.world.add_group("Friends", [ada])
    draft = await priced.answer(priced.world.say(ada, group, f"/video@{BOT} two herons x2"))
    assert says("card_several", count=2) in draft["text"]
    assert "0.84\u00a0USD" in draft["text"]
    await priced.tap(ada, draft, GENERATE)
    videos = await priced.shown(group, 2)
    assert [video["caption"].rpartition(" · ")[2] for video in videos] == [place(1, 2), place(2, 2)]


async def test_of_what_the_day_still_allows_three_fit_and_four_do_not(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    for number in (1, 2):
        priced.world.say(ada, chat, f"/video a stamp {number}")
        await priced.shown(chat, number)
    four = await priced.answer(priced.world.say(ada, chat, "/video a letter --count 4"))
    assert four["text"].startswith(says("limit_day_several", count=3, asked=4, time="00:00"))
    three = await priced.answer(priced.world.say(ada, chat, "/video a letter --count 3"))
    task_id = buttons(three)[GENERATE].partition(":")[2]
    toast = await priced.forged_tap(ada, three, f"pick:{task_id}:count=4")
    assert toast == says("limit_day_several", count=3, asked=4, time="00:00")
    await priced.tap(ada, three, GENERATE)
    await priced.shown(chat, 5)
    used_up = await priced.answer(priced.world.say(ada, chat, "/video a letter"))
    assert used_up["text"].startswith(says("limit_day", count=5, time="00:00"))


async def test_what_a_budget_does_not_allow_is_refused_whole(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    refused = await priced.answer(priced.world.say(ada, chat, "/video a palace --seconds 10 --count 4"))
    assert "3.36\u00a0USD" in refused["text"]
    assert buttons(refused) == {}
    draft = await priced.answer(priced.world.say(ada, chat, "/video a palace --seconds 10 --count 3"))
    await priced.tap(ada, draft, GENERATE)
    await priced.shown(chat, 3)
    assert sum(Decimal(task["price"]) for task in priced.tasks(chat)) == Decimal("2.52")


async def test_one_that_is_refused_says_which_and_that_it_cost_nothing(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    draft = await priced.answer(priced.world.say(ada, chat, "/video a duel x3"))
    priced.provider.next("submit", failure(50412, "Text Risk Not Pass", 400))
    await priced.tap(ada, draft, GENERATE)
    videos = await priced.shown(chat, 2)
    failed = await priced.until(
        lambda: [one for one in priced.messages(chat) if says("not_charged") in one.get("text", "")]
    )
    (card,) = failed
    told = {one.get("caption", one.get("text", "")) for one in [*videos, card]}
    assert all(any(place(number) in text for text in told) for number in (1, 2, 3))
    assert priced.jobs("a duel") == 2


async def test_the_button_on_a_card_cancels_one_and_the_command_all(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    with priced.unfinished():
        draft = await priced.answer(priced.world.say(ada, chat, "/video a comet x3"))
        await priced.tap(ada, draft, GENERATE)
        (_, second, _) = await cards(priced, chat, 3)
        assert place(2) in second["text"]
        assert "a comet" not in second["text"], "its words stand on the first card"
        await priced.tap(ada, second, STOP)
        await cards(priced, chat, 2)
        told = await priced.answer(priced.world.say(ada, chat, "/cancel"))
        stopped = says("card_stopped")
        assert told["text"] == f"a comet\n\n{place(1)} · {stopped}\n{place(3)} · {stopped}"
        assert all(task["cancelled_at"] for task in priced.tasks(chat))


async def test_a_choice_of_what_to_cancel_names_an_order_once(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    with priced.unfinished():
        draft = await priced.answer(priced.world.say(ada, chat, "/video a sundial x2"))
        await priced.tap(ada, draft, GENERATE)
        await cards(priced, chat, 2)
        await priced.answer(priced.world.say(ada, chat, "/video an hourglass"))
        await cards(priced, chat, 3)
        choice = await priced.answer(priced.world.say(ada, chat, "/cancel"))
        assert list(buttons(choice)) == ["✕ an hourglass", "✕ a sundial"]
        await priced.tap(ada, choice, "✕ a sundial")
        await cards(priced, chat, 1)
        assert [bool(task["cancelled_at"]) for task in priced.tasks(chat)] == [True, True, False]
