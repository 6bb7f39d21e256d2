"""Budgets and what is left of the day, over HTTP: refused before buying, and given back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from films import film
from provider_server import failure, gateway_error
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person

OWNER = Person(501, "Olga", None, "en")
PRICES = "jimeng-pro=0.40,jimeng-1080p=0"
USD = "\u00a0USD"


@asynccontextmanager
async def bot(folder: Path, **changes: str) -> AsyncIterator[tuple[BotHarness, Chat]]:
    """A bot with prices, and its owner's private chat."""
    values = {"admin_users": str(OWNER.id), "model_prices": PRICES, **changes}
    async with bot_on_stage(folder, **values) as live_bot:
        owners = live_bot.world.private_chat(live_bot.world.add_person(OWNER))
        live_bot.world.say(OWNER, owners, "/start")
        await live_bot.until(lambda: live_bot.world.bot_messages(owners))
        yield live_bot, owners
        assert live_bot.world.complaints == []


async def test_a_persons_budget_refuses_before_anything_is_bought(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_budget_per_user="1") as (live_bot, _):
        ada, chat = live_bot.newcomer()
        for words in ("/video one", "/video two"):
            live_bot.world.say(ada, chat, words)
        await live_bot.shown(chat, 2)
        refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video three"))
        assert refused["text"] == says("limit_budget", price=f"0.40{USD}", left=f"0.20{USD}", time="00:00")
        draft = await live_bot.answer(live_bot.world.say(ada, chat, "a fourth"))
        assert says("left_money", left=f"0.20{USD}", most=f"1{USD}", time="00:00") in draft["text"]
        said = await live_bot.tap(ada, draft, says("button_generate"))
        assert said == refused["text"]
        queue = await live_bot.answer(live_bot.world.say(ada, chat, "/queue"))
        assert f"0.20{USD} of 1{USD} left today" in queue["text"]
        assert (live_bot.jobs("three"), live_bot.jobs("a fourth")) == (0, 0)
        boris, his = live_bot.newcomer("Boris")
        live_bot.world.say(boris, his, "/video his own")
        await live_bot.shown(his)


async def test_what_was_not_charged_gives_back_what_it_took(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_budget_per_user="0.40", daily_videos_per_user="1") as (live_bot, _):
        ada, chat = live_bot.newcomer()
        live_bot.provider.next("submit", gateway_error(50411, "Pre Img Risk Not Pass", 400))
        live_bot.world.say(ada, chat, "/video it is refused")
        await live_bot.until(lambda: live_bot.tasks(chat) and live_bot.tasks(chat)[0]["delivered_at"])
        live_bot.world.say(ada, chat, "/video it is made")
        await live_bot.shown(chat)


async def test_the_budget_for_all_binds_admins_too_who_hear_of_it_once(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_budget="1") as (live_bot, owners):
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video one")
        live_bot.world.say(OWNER, owners, "/video two")
        await live_bot.until(
            lambda: len(_told(live_bot, owners, "budget_nearly", f"0.80{USD}", f"1{USD}")) == 1
        )
        for person, where, words in ((ada, chat, "/video three"), (OWNER, owners, "/video four")):
            refused = await live_bot.answer(live_bot.world.say(person, where, words), containing="0.40")
            left = says("limit_budget_all", price=f"0.40{USD}", left=f"0.20{USD}", time="00:00")
            assert refused["text"] == left
        assert len(_told(live_bot, owners, "budget_spent", f"0.80{USD}", f"1{USD}")) == 1
        assert len(_told(live_bot, owners, "budget_nearly", f"0.80{USD}", f"1{USD}")) == 1
        live_bot.world.say(OWNER, owners, "/set DAILY_BUDGET 5")
        await live_bot.answer(live_bot.world.say(ada, chat, "/video five"))
        await live_bot.shown(chat, 2)


async def test_within_a_budget_only_what_has_a_price_is_ordered(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_budget="1") as (live_bot, _):
        ada, chat = live_bot.newcomer()
        refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video a map --model jimeng-720p"))
        assert refused["text"] == says(
            "limit_unpriced", model="jimeng-720p", choices="jimeng-pro, jimeng-1080p"
        )
        for model in ("preview", "jimeng-1080p"):
            live_bot.world.say(ada, chat, f"/video a map --model {model}")
        await live_bot.shown(chat, 2)


async def test_a_card_says_when_few_are_left_of_the_day(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_videos_per_user="5") as (live_bot, owners):
        ada, chat = live_bot.newcomer()
        first = await live_bot.answer(live_bot.world.say(ada, chat, "/video one"))
        assert "left today" not in first["text"]
        second = await live_bot.answer(live_bot.world.say(ada, chat, "/video two"))
        assert says("left_videos", left=3, most=5, time="00:00") in second["text"]
        draft = await live_bot.answer(live_bot.world.say(ada, chat, "a third"))
        assert says("left_videos", left=3, most=5, time="00:00") in draft["text"]
        mine = await live_bot.answer(live_bot.world.say(OWNER, owners, "a kite"))
        assert "left today" not in mine["text"]


def _told(live_bot: BotHarness, owners: Chat, key: str, spent: str, budget: str) -> list[Json]:
    words = says(key, spent=spent, budget=budget, time="00:00")
    return [one for one in live_bot.world.bot_messages(owners) if one.get("text") == words]


async def test_refused_words_put_the_brake_on_for_nobody_and_are_bounded_per_person(tmp_path: Path) -> None:
    async with bot(tmp_path, submits_per_hour="3", timezone="UTC") as (live_bot, owners):
        ada, chat = live_bot.newcomer()
        live_bot.provider.next("submit", *[failure(50412, "Text Risk Not Pass", 400)] * 20)
        began = live_bot.world.say(ada, chat, "/start")["date"]
        for number in range(20):
            # Slowly enough to be no flood.
            live_bot.world.say(ada, chat, f"/video refused {number}", date=began + 2 * number)
            await live_bot.until(lambda: len(_closed(live_bot, chat)) == number + 1)  # noqa: B023
        late = began + 60
        said = await live_bot.answer(live_bot.world.say(ada, chat, "/video one more", date=late))
        first = datetime.fromisoformat(live_bot.tasks(chat)[0]["submitted_at"])
        over_at = first + timedelta(hours=1, minutes=1)
        assert said["text"] == says("limit_refused", count=20, time=f"{over_at:%H:%M}")
        assert live_bot.jobs("one more") == 0
        boris, his = live_bot.newcomer("Boris")
        live_bot.world.say(boris, his, "/video a peaceful one")
        await live_bot.shown(his)
        assert not any("SUBMITS_PER_HOUR" in one["text"] for one in live_bot.world.bot_messages(owners))


def _closed(live_bot: BotHarness, chat: Chat) -> list[dict[str, Any]]:
    return [task for task in live_bot.tasks(chat) if task["delivered_at"]]


async def test_a_film_is_checked_as_a_whole_before_its_first_shot(tmp_path: Path) -> None:
    async with bot(tmp_path, daily_budget_per_user="1", daily_videos_per_user="3") as (live_bot, _):
        ada, chat = live_bot.newcomer()
        for lines, label, refusal in [
            (
                "one\ntwo\nthree",
                f"1.20{USD}",
                says("limit_budget", price=f"1.20{USD}", left=f"1{USD}", time="00:00"),
            ),
            ("a\nb\nc\nd --model preview", "", says("limit_day_several", count=3, asked=4, time="00:00")),
        ]:
            card = await live_bot.answer(live_bot.world.say(ada, chat, f"/film {lines}"))
            (start,) = [one for one in buttons(card) if one.startswith(says("button_film_start"))]
            assert label in start
            assert await live_bot.tap(ada, card, start) == refusal
        assert live_bot.tasks(chat) == []
        live_bot.provider.video = film()
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/film four\nfive"))
        await live_bot.tap(ada, card, f"{says('button_film_start')} · 0.80{USD}")
        await live_bot.until(lambda: len(live_bot.tasks(chat)) == 3)
        assert [task["price"] for task in live_bot.tasks(chat)] == ["0.40", "0.40", None]
