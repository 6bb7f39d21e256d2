"""An update that cannot be handled: parked at once or tried again, and the others in its chat go on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import a_task
from running import BOT, BotHarness, says, stage
from telegram_side import a_conversation

from bot.chat.telegram_io.polling import as_stored
from bot.sandbox import Chat, Fault, FaultKind
from bot.stores.sqlite import SQLiteStore
from bot.task import Task
from bot.worker import schedule


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def test_what_cannot_pass_by_waiting_is_parked_at_once_and_its_chat_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, Clock()):
        ada, chat = live_bot.newcomer()
        greeting = says("start").split("\n", maxsplit=1)[0]
        is_greeting = partial(_says, greeting)
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.BAD_REQUEST, times=None, when=is_greeting))
        live_bot.world.say(ada, chat, "/start")
        second = live_bot.world.say(ada, chat, "/help")
        await live_bot.answer(second, containing="Options:")
        assert live_bot.world.bot_messages(chat)[0]["text"] == says("given_up")
        first, *_ = live_bot.rows("updates")
        assert (first["state"], first["attempts"]) == ("parked", 1)
        assert len([call for call in live_bot.server.calls_of("sendMessage") if not call.ok]) == 1


async def test_who_has_ordered_before_it_went_wrong_is_not_asked_to_try_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, Clock()) as store:
        ada, chat = live_bot.newcomer()
        ordering: list[asyncio.Task[Task]] = []

        def is_ordered(params: dict[str, Any]) -> bool:
            if params["chat_id"] == chat.id and not ordering:
                order = a_task(chat_id=chat.id, user_id=ada.id, update_id=live_bot.world.updates.next_id - 1)
                ordering.append(asyncio.create_task(store.tasks.add(order)))
                return True
            return False

        live_bot.server.faults.add(Fault("sendMessage", FaultKind.BAD_REQUEST, times=1, when=is_ordered))
        live_bot.world.say(ada, chat, "/start")
        await live_bot.until(lambda: [row["state"] for row in live_bot.rows("updates")] == ["parked"])
        await live_bot.handled(ada, chat)
        assert says("given_up") not in [one["text"] for one in live_bot.world.bot_messages(chat)]


async def test_while_one_persons_message_waits_for_its_next_try_the_others_in_the_chat_are_answered(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, clock):
        ada, _ = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        group = live_bot.world.add_group("Friends", [ada, boris])
        asked = live_bot.world.say(ada, group, f"/help@{BOT}")
        to_ada = partial(_replies_to, asked["message_id"])
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.SERVER_ERROR, times=1, when=to_ada))
        await _tried(live_bot, 1)
        second = live_bot.world.say(ada, group, f"/models@{BOT}")
        others = [live_bot.world.say(boris, group, f"/help@{BOT}")["message_id"] for _ in range(2)]
        await live_bot.until(lambda: len(_replied(live_bot, group)) == 2)
        assert _replied(live_bot, group) == others
        clock.ahead += timedelta(minutes=6)
        await live_bot.handled(boris, his)  # any news makes the bot look at its clock
        await live_bot.until(lambda: len(_replied(live_bot, group)) == 4)
        assert _replied(live_bot, group) == [*others, asked["message_id"], second["message_id"]]


def _replied(live_bot: BotHarness, chat: Chat) -> list[int]:
    """To which messages the bot replied, in order."""
    return [one["reply_to_message"]["message_id"] for one in live_bot.world.bot_messages(chat)]


def _says(beginning: str, params: dict[str, object]) -> bool:
    return str(params["text"]).startswith(beginning)


def _replies_to(message_id: int, params: dict[str, Any]) -> bool:
    replied = params.get("reply_parameters")
    return bool(replied) and f'"message_id":{message_id}' in str(replied).replace("'", '"').replace(" ", "")


async def _tried(live_bot: BotHarness, times: int) -> None:
    await live_bot.until(lambda: sum(row["attempts"] for row in live_bot.rows("updates")) == times)


async def test_an_update_that_ends_its_process_each_time_is_parked_and_its_chat_told(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/start")
        second = live_bot.world.say(ada, chat, "/help")
        for _ in range(5):
            store = await SQLiteStore.open(tmp_path / "bot.db", clock)
            await store.updates.add([as_stored(update) for update in live_bot.world.updates.history])
            assert len(await store.updates.claim(clock(), 60, 9)) == 1
            await store.close()  # without a release, as after `kill -9`
        async with a_conversation(live_bot, clock):
            await live_bot.answer(second, containing="Options:")
        assert live_bot.world.bot_messages(chat)[0]["text"] == says("given_up")
        assert live_bot.rows("updates")[0]["state"] == "parked"


async def test_what_takes_too_long_is_answered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(schedule, "UPDATE_LEASE_S", 11.0)  # one second to handle it
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, clock):
        ada, chat = live_bot.newcomer()
        greeting = says("start").split("\n", maxsplit=1)[0]
        live_bot.server.faults.add(
            Fault(
                "sendMessage",
                FaultKind.SLOW,
                times=None,
                when=lambda params: str(params["text"]).startswith(greeting),
            )
        )
        live_bot.world.say(ada, chat, "/start")
        second = live_bot.world.say(ada, chat, "/help")
        await live_bot.answer(second, containing="Options:")
        assert says("given_up") in [one["text"] for one in live_bot.world.bot_messages(chat)]
        assert [row["state"] for row in live_bot.rows("updates")][:1] == ["parked"]
        assert live_bot.rows("updates")[0]["attempts"] == 1


async def test_an_outage_of_telegram_parks_nothing(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, clock):
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        for_ada = Fault(
            "sendMessage", FaultKind.SERVER_ERROR, times=8, when=lambda params: params["chat_id"] == chat.id
        )
        live_bot.server.faults.add(for_ada)
        asked = live_bot.world.say(ada, chat, "/start")
        for attempt in range(1, 9):
            await _tried(live_bot, attempt)
            clock.ahead += timedelta(minutes=6)
            await live_bot.handled(boris, his)
        assert (await live_bot.answer(asked))["text"] == says("start")
