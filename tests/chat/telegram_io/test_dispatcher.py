"""Dispatch: what may pass by waiting is tried again, anything else is parked at once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from fakes import Clock
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, TimedOut

from bot.chat.telegram_io.dispatcher import Dispatcher
from bot.errors import (
    CallRefused,
    CallUnclear,
    ChatBusy,
    ChatGone,
    ChatMoved,
    IllegalMove,
    StaleTask,
    StoreError,
    Unstorable,
)
from bot.store import StoredUpdate
from bot.stores.sqlite import SQLiteStore
from bot.worker.schedule import UPDATE_ATTEMPTS

PASSING = [
    OSError(28, "No space left on device"),
    ConnectionResetError(),
    MemoryError(),
    StaleTask("moved"),
    StoreError("the database refused"),
    CallUnclear("TimedOut"),
    ChatBusy(3),
    ChatMoved(-1001),
    TimedOut(),
    NetworkError("Bad Gateway"),
]
LASTING = [
    ValueError("a hundred digits"),
    OverflowError(),
    KeyError("limit"),
    AttributeError("None"),
    AssertionError(),
    IllegalMove("closed"),
    Unstorable("no such value"),
    CallRefused("message is too long"),
    BadRequest("Message is too long"),
]
GONE = [ChatGone("blocked"), Forbidden("bot was blocked by the user")]


class DispatcherHarness:
    """Handles by raising, and writes down what it gave up."""

    def __init__(self, store: SQLiteStore, clock: Clock, error: Exception) -> None:
        self._store = store
        self._clock = clock
        self._error = error
        self.tries = 0
        self.given_up: list[int] = []

    async def handle(self, _: Update) -> None:
        self.tries += 1
        raise self._error

    async def give_up(self, update: Update) -> None:
        self.given_up.append(update.update_id)

    async def take(self) -> None:
        """Whatever is due now, to its end."""
        dispatcher = Dispatcher(self._store.updates, _read, self.handle, self.give_up, self._clock)
        before = self.tries
        running = asyncio.create_task(dispatcher.run())
        async with asyncio.timeout(20):
            while self.tries == before:
                await asyncio.sleep(0)
        dispatcher.stop()
        await running


def _read(body: dict[str, Any]) -> Update:
    return Update(body["update_id"])


@pytest.fixture
async def stored(store: SQLiteStore) -> SQLiteStore:
    await store.updates.add([StoredUpdate(1, 10, json.dumps({"update_id": 1}), user_id=20)])
    return store


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_may_pass_is_tried_again(stored: SQLiteStore, clock: Clock, error: Exception) -> None:
    ctx = DispatcherHarness(stored, clock, error)
    await ctx.take()
    assert (ctx.tries, ctx.given_up, await stored.updates.count()) == (1, [], 1)
    assert await stored.updates.claim(clock(), 60, 9) == []
    clock.advance(600)
    await ctx.take()
    assert (ctx.tries, ctx.given_up, await stored.updates.count()) == (2, [], 1)


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
async def test_what_lasts_is_parked_at_once(stored: SQLiteStore, clock: Clock, error: Exception) -> None:
    ctx = DispatcherHarness(stored, clock, error)
    await ctx.take()
    assert (ctx.tries, ctx.given_up, await stored.updates.count()) == (1, [1], 0)


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
async def test_where_nobody_can_be_answered_it_is_done(
    stored: SQLiteStore, clock: Clock, error: Exception
) -> None:
    ctx = DispatcherHarness(stored, clock, error)
    await ctx.take()
    assert (ctx.tries, ctx.given_up, await stored.updates.count()) == (1, [], 0)


async def test_what_never_passes_is_parked_after_its_last_try(stored: SQLiteStore, clock: Clock) -> None:
    ctx = DispatcherHarness(stored, clock, OSError("the disk is gone"))
    for tried in range(UPDATE_ATTEMPTS):
        assert (ctx.tries, ctx.given_up) == (tried, [])
        await ctx.take()
        clock.now += timedelta(minutes=10)
    assert (ctx.given_up, await stored.updates.count()) == ([1], 0)


async def test_a_newcomer_does_not_wait_behind_the_long_queues_of_others(
    store: SQLiteStore, clock: Clock
) -> None:
    many = [StoredUpdate(number, 7000 + number % 50, _body(number), user_id=1) for number in range(1, 1001)]
    await store.updates.add([*many, StoredUpdate(2000, 9000, _body(2000), user_id=2)])
    handled: list[int] = []

    async def handle(update: Update) -> None:
        handled.append(update.update_id)
        if len(handled) == 200:
            dispatcher.stop()
        await asyncio.sleep(0)

    dispatcher = Dispatcher(store.updates, _read, handle, handle, clock)
    async with asyncio.timeout(60):
        await dispatcher.run()
    assert handled.index(2000) < 100
    assert handled[:40] != sorted(handled[:40]) or 1 in handled[:40]
    assert {number % 50 for number in handled} >= set(range(40)), "nobody is forgotten over it"


def _body(update_id: int) -> str:
    return json.dumps({"update_id": update_id})
