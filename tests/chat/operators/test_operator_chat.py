"""The operators' chat: it hears of the night, and of accounts in trouble, with a button to pause."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from provider_server import gateway_error
from running import BotHarness, buttons, running_bot, says, stage
from structlog.testing import capture_logs

from bot.chat.cards.price_labels import PriceLabels
from bot.chat.operators.operator_chat import OperatorChat
from bot.errors import ChatGone
from bot.prices import Prices
from bot.sandbox import Chat, Json, Person
from bot.text import plain, say

OWNER = Person(501, "Olga", None, "en")
KEY_REFUSED = gateway_error(100009, "InvalidAccessKey", 401, "The accesskey [AKEXAMPLE] is invalid.")


def operators(live_bot: BotHarness) -> Chat:
    live_bot.world.add_person(OWNER)
    return live_bot.world.add_group("Operators", [OWNER])


def settings(live_bot: BotHarness, chat: Chat, **changes: str) -> dict[str, str]:
    return live_bot.values(
        alert_chat=str(chat.id),
        admin_users=str(OWNER.id),
        default_language="en",
        allowed_chats="*",
        **changes,
    )


async def heard(live_bot: BotHarness, chat: Chat, words: str) -> Json:
    """The first message with these words."""

    def found() -> list[Json]:
        return [one for one in live_bot.world.bot_messages(chat) if words in one.get("text", "")]

    return (await live_bot.until(found))[0]


async def test_a_start_after_an_absence_says_how_long_and_what_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        chat = operators(live_bot)
        ada, hers = live_bot.newcomer()
        with live_bot.unfinished():
            async with running_bot(settings(live_bot, chat)):
                live_bot.world.say(ada, hers, "/video a paper boat")
                await live_bot.job("a paper boat")
                await heard(live_bot, chat, "videos 0")
            with closing(sqlite3.connect(tmp_path / "bot.db")) as database:
                long_ago = datetime.now(UTC) - timedelta(minutes=3)
                database.execute("UPDATE heartbeat SET at = ?", [long_ago.isoformat(timespec="microseconds")])
                database.commit()
            async with running_bot(settings(live_bot, chat)):
                back, goes_on, *_ = says("alert_back", away="3 min", count=1).split(". ")
                assert goes_on in (await heard(live_bot, chat, back))["text"]  # a slow start adds seconds
        assert len([one for one in live_bot.world.bot_messages(chat) if "videos 0" in one["text"]]) == 1
        silent = [call.params.get("disable_notification") for call in live_bot.server.calls_of("sendMessage")]
        assert silent.count(True) >= 2


async def test_an_account_in_trouble_is_told_there_too_with_a_button_for_each_model(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(settings(live_bot, chat := operators(live_bot))):
        live_bot.provider.next("submit", KEY_REFUSED)
        ada, hers = live_bot.newcomer()
        live_bot.world.say(ada, hers, "/video a lantern")
        told = await heard(live_bot, chat, says("trouble_key_refused", provider="volcengine"))
        assert buttons(told) == {
            f"⏸ Pause {model}": f"pause:{model}" for model in ("jimeng-pro", "jimeng-720p", "jimeng-1080p")
        }
        assert await live_bot.tap(ada, told, "⏸ Pause jimeng-720p")
        assert live_bot.rows("pauses") == []
        assert await live_bot.tap(OWNER, told, "⏸ Pause jimeng-720p") == ""
        await live_bot.until(lambda: [row["model"] for row in live_bot.rows("pauses")] == ["jimeng-720p"])
        live_bot.world.say(ada, hers, "/video a lamp")
        over = await heard(live_bot, chat, says("trouble_over", provider="volcengine", minutes=1))
        assert buttons(over) == {}


async def test_the_line_of_a_day_has_money_only_where_prices_are_set(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        chat = operators(live_bot)
        async with running_bot(settings(live_bot, chat, model_prices="jimeng-pro=3.50", currency="EUR")):
            line = await heard(live_bot, chat, "videos 0")
        spent = plain(say("en", "alert_day_spent", money="0\u00a0EUR"))
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d: videos 0 · failed 0 · people 0 · {spent}", line["text"])


async def test_a_group_that_became_a_supergroup_still_hears(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        chat = operators(live_bot)
        new = live_bot.world.upgrade_group(OWNER, chat)
        async with running_bot(settings(live_bot, chat)):
            await heard(live_bot, new, "videos 0")


async def test_a_budget_that_is_nearly_spent_is_told_with_a_button_that_pauses_everything(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as live_bot:
        chat = operators(live_bot)
        money = {"model_prices": "jimeng-pro=0.80", "daily_budget": "1"}
        async with running_bot(settings(live_bot, chat, **money)):
            ada, hers = live_bot.newcomer()
            live_bot.world.say(ada, hers, "/video a paper boat")
            told = await heard(live_bot, chat, "(DAILY_BUDGET)")
            assert await live_bot.tap(OWNER, told, "⏸ Pause everything") == ""
            await live_bot.until(lambda: [row["model"] for row in live_bot.rows("pauses")] == [""])


class _Deaf:
    """A voice whose chat is not there, and the preferences of nobody."""

    def __init__(self) -> None:
        self.is_gone = True

    async def language_for(self, _chat_id: int, _language: str | None) -> str:
        return "en"

    def price_labels(self) -> PriceLabels:
        return PriceLabels(Prices(), "USD")

    async def send(self, *_: object, **__: object) -> None:
        if self.is_gone:
            raise ChatGone("not here")


async def test_a_chat_that_cannot_be_told_is_one_line_in_the_log_until_it_hears_again() -> None:
    deaf: Any = _Deaf()
    with capture_logs() as lines:
        chat = OperatorChat(-7, messenger=deaf, preferences=deaf, models={}, price_labels=deaf.price_labels)
        for _ in range(3):
            assert not await chat.send("alert_disk", {"free": "0.1"})
        assert not await chat.send("alert_disk_over", {"free": "9"})
        deaf.is_gone = False
        assert await chat.send("alert_disk", {"free": "0.1"})
        deaf.is_gone = True
        assert not await chat.send("alert_disk", {"free": "0.1"})
    assert [line["alert"] for line in lines] == ["alert_disk", "alert_disk_over", "alert_disk"]
