"""Inline queries: the newest of each person, beside everything else, and none of them stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram import Bot, InlineQuery, Update

from bot.chat.telegram_io.inline_queries import InlineQueries
from bot.chat.telegram_io.polling import nothing_unstored
from bot.chat.telegram_io.webhook import WebhookReceiver, WebhookSettings
from bot.stores.sqlite import SQLiteStore

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BOT = Bot("4242:" + "x" * 35)


class Answers:
    """What was answered, in order; `held` are the people whose answers do not end."""

    def __init__(self) -> None:
        self.now = NOW
        self.begun: list[tuple[int, str]] = []
        self.held: set[int] = set()
        self.released = asyncio.Event()
        self.queries = InlineQueries(lambda body: Update.de_json(body, BOT), self._answer, lambda: self.now)

    async def _answer(self, query: InlineQuery) -> None:
        self.begun.append((query.from_user.id, query.query))
        if query.from_user.id in self.held:
            await self.released.wait()
        if query.query == "bad":
            raise RuntimeError("a defect")

    async def settle(self) -> list[tuple[int, str]]:
        for _ in range(50):
            await asyncio.sleep(0)
        return self.begun


@asynccontextmanager
async def _running() -> AsyncIterator[Answers]:
    answers = Answers()
    running = asyncio.create_task(answers.queries.run())
    yield answers
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def _typed(user_id: int, words: str, update_id: int = 1) -> dict[str, Any]:
    person = {"id": user_id, "is_bot": False, "first_name": "Ada"}
    return {
        "update_id": update_id,
        "inline_query": {"id": str(update_id), "from": person, "query": words, "offset": ""},
    }


async def test_of_what_a_person_types_meanwhile_only_the_newest_is_answered() -> None:
    async with _running() as answers:
        answers.held = {1}
        for number, words in enumerate(("a", "a b", "a bo", "a boat")):
            assert answers.queries.take(_typed(1, words, number))
            await answers.settle()
        assert answers.begun == [(1, "a")]
        answers.released.set()
        assert await answers.settle() == [(1, "a"), (1, "a boat")]


async def test_a_slow_answer_holds_up_nobody_else() -> None:
    async with _running() as answers:
        answers.held = {1}
        answers.queries.take(_typed(1, "slow"))
        answers.queries.take(_typed(2, "quick", 2))
        answers.queries.take(_typed(3, "quick", 3))
        assert await answers.settle() == [(1, "slow"), (2, "quick"), (3, "quick")]


async def test_a_defect_ends_neither_the_bot_nor_the_next_query() -> None:
    async with _running() as answers:
        answers.queries.take(_typed(1, "bad"))
        await answers.settle()
        answers.queries.take(_typed(1, "good", 2))
        assert await answers.settle() == [(1, "bad"), (1, "good")]


async def test_who_never_pauses_is_answered_thirty_times_in_ten_seconds() -> None:
    async with _running() as answers:
        for number in range(40):
            answers.queries.take(_typed(1, str(number), number))
            await answers.settle()
        assert len(answers.begun) == 30
        answers.now += timedelta(seconds=11)
        answers.queries.take(_typed(1, "later", 41))
        assert (await answers.settle())[-1] == (1, "later")


@pytest.mark.parametrize("update", [None, 7, {"update_id": 1}, {"update_id": 1, "message": {}}])
async def test_other_updates_are_left_to_the_store(update: Any) -> None:
    assert not Answers().queries.take(update)
    assert not nothing_unstored(update)


@pytest.mark.parametrize("broken", [None, [], {"id": "1"}, {"id": "1", "from": {"id": "x"}, "query": 7}])
async def test_an_unreadable_query_holds_up_nothing(broken: Any) -> None:
    async with _running() as answers:
        assert answers.queries.take({"update_id": 1, "inline_query": broken})
        answers.queries.take(_typed(1, "a boat", 2))
        assert (await answers.settle())[-1] == (1, "a boat")


async def test_a_webhook_passes_a_query_on_without_storing_it(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "bot.db", lambda: NOW)
    hook = WebhookSettings("https://bot.example/telegram", "secret")
    async with _running() as answers:
        receiver = WebhookReceiver(
            BOT, store.updates, lambda: None, lambda: NOW, hook, take_unstored=answers.queries.take
        )
        await receiver.take(_typed(1, "a boat"))
        assert await answers.settle() == [(1, "a boat")]
        assert await store.updates.count() == 0
    await store.close()
