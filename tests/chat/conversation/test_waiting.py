"""Waiting: what a card says until the video is there, and who is told that somebody is at work."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL
from provider_server import Fault as ProviderFault
from running import BOT, PATIENCE_S, BotHarness, bot_process, buttons, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.rows import to_text
from bot.worker.duration_model import Durations, keys, observed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def text(live_bot: BotHarness, card: Json, containing: str) -> str:
    """What the card says, once it says so."""

    def shown() -> str:
        now = live_bot.now(card)
        said = str(now.get("text", "")) if now else ""
        return said if containing in said else ""

    return str(await live_bot.until(shown))


def actions(live_bot: BotHarness, chat: Chat) -> list[Any]:
    return live_bot.edits(chat, "sendChatAction")


async def test_a_job_counts_up_to_what_is_usual_and_its_chat_sees_that_a_video_comes(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a long way home"))
        said = await text(live_bot, card, "usually")
        assert re.search(r"▱ 0:\d\d · usually \d+ min", said)
        await live_bot.until(lambda: actions(live_bot, chat))
        assert {call.params["action"] for call in actions(live_bot, chat)} == {"upload_video"}
    await live_bot.shown(chat)


async def test_a_group_is_not_told_that_somebody_types(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} a quiet room")
        await live_bot.job("a quiet room")
        live_bot.world.say(ada, chat, "/video a loud room")
        await live_bot.until(lambda: actions(live_bot, chat))
        assert actions(live_bot, group) == []
    await live_bot.shown(group)


async def test_a_chat_that_refuses_chat_actions_gets_its_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    refusal = Fault(
        "sendChatAction", FaultKind.FORBIDDEN, times=None, when=lambda call: call["chat_id"] == chat.id
    )
    live_bot.server.faults.add(refusal)
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a stern teacher")
        await live_bot.until(lambda: actions(live_bot, chat))
    await live_bot.shown(chat)


async def test_a_draft_says_how_long_it_usually_takes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a patient snail"))
    assert re.search(r"It usually takes (\d+ min( \d+ s)?|\d+ s)\.$", draft["text"])


async def test_what_looks_have_told_is_kept(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a stopwatch")
    await live_bot.shown(chat)
    fine, coarse = keys("jimeng-pro", 5, "1080p")
    kept = {row["key"]: Durations.from_text(row["learned"]) for row in live_bot.rows("durations")}
    assert kept[fine].tasks >= 1
    assert kept[coarse].tasks >= kept[fine].tasks
    assert kept[coarse].usual_s() < A_MODEL.typical_s


async def test_who_waits_for_a_place_is_told_who_is_before_and_for_how_long(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(volcengine_concurrency="1")
        await _measured(live_bot.folder, 240.0)
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        async with running_bot(values):
            with live_bot.unfinished():
                first = await live_bot.answer(live_bot.world.say(ada, chat, "/video the first"))
                assert "usually 4 min" in await text(live_bot, first, "usually")
                second = await live_bot.answer(live_bot.world.say(boris, his, "/video the second"))
                assert "You are next · 0:0" in second["text"]
                third = await live_bot.answer(live_bot.world.say(ada, chat, "/video the third"))
                assert "In line, 1 before you · 0:0" in third["text"]
                assert third["text"].endswith("Your turn is in about 6 min.")
                listed = await live_bot.answer(
                    live_bot.world.say(ada, chat, "/models"), containing="jimeng-pro"
                )
                await live_bot.tap(ada, listed, next(iter(buttons(listed))))
                assert "Usually takes about 4 min" in (live_bot.now(listed) or {})["text"]
            await live_bot.shown(chat, 2)
            await live_bot.shown(his)


@pytest.mark.parametrize(("away_s", "time"), [(200, "3 min"), (7500, "2 h 5 min"), (30, "")])
async def test_after_a_restart_a_card_says_that_the_bot_is_back_and_goes_on(
    tmp_path: Path, away_s: int, time: str
) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(volcengine_concurrency="1")
        ada, chat = live_bot.newcomer()
        with live_bot.unfinished():
            async with running_bot(values):
                running = await live_bot.answer(live_bot.world.say(ada, chat, "/video a long pause"))
                await text(live_bot, running, "usually")
                waiting = await live_bot.answer(live_bot.world.say(ada, chat, "/video the next"))
                await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
            _stop_heart(live_bot.folder, away_s)
            before = len(live_bot.edits(chat, "editMessageText"))
            async with running_bot(values):
                for card in (running, waiting):
                    said = await _edited(live_bot, chat, card, before)
                    assert ("I was away" in said) is bool(time), "it says so where it was long"
                    assert not time or says("card_back", time=time) in said
                assert len(live_bot.world.bot_messages(chat)) == 2
        async with running_bot(values):
            await live_bot.shown(chat, 2)
        assert len(live_bot.provider.jobs) == 2


async def test_who_stops_waiting_in_the_middle_of_an_order_is_told_that_it_may_be_charged(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.provider.next("submit", ProviderFault.HANG)
        async with bot_process(live_bot.folder, live_bot.values()):
            card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a leap"))
            await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
            await live_bot.until(lambda: says("button_stop_unclear") in buttons(live_bot.now(card) or {}))
            await live_bot.tap(ada, card, says("button_stop_unclear"))
            await text(live_bot, card, says("card_stopped_unclear"))
            assert live_bot.jobs("a leap") == 0


async def _edited(live_bot: BotHarness, chat: Chat, card: Json, before: int) -> str:
    """What was first drawn on a card after so many edits in its chat."""

    def edits() -> list[str]:
        later = live_bot.edits(chat, "editMessageText")[before:]
        return [call.params["text"] for call in later if call.params["message_id"] == card["message_id"]]

    return (await live_bot.until(edits))[0]


async def _measured(folder: Path, usual_s: float) -> None:
    """Forty videos before, each of about so long."""
    state = Durations(A_MODEL.typical_s)
    for job in range(40):
        took_s = usual_s * (0.98 + job / 1000)
        state = observed(state, 0.995 * took_s, 1.005 * took_s)
    store = await SQLiteStore.open(folder / "bot.db")
    await store.providers.learn(keys("jimeng-pro", 5, "1080p"), lambda _key, _text: state.to_text())
    await store.close()


def _stop_heart(folder: Path, away_s: float) -> None:
    """As if the bot had been stopped so long ago."""
    last = to_text(datetime.now(UTC) - timedelta(seconds=away_s))
    with closing(sqlite3.connect(folder / "bot.db")) as database, database:
        assert database.execute("UPDATE heartbeat SET at = ?", [last]).rowcount == 1
