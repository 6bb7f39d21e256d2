"""Updates on their way in, by polling and by webhook: what refuses for a while is asked again, and what no
database can hold keeps nothing back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from running import open_gate
from telegram.error import InvalidToken

from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.polling import UpdatePoller, pause_after, store_updates
from bot.chat.telegram_io.webhook import WebhookReceiver, WebhookSettings
from bot.errors import Unstorable
from bot.sandbox import Fault, FaultKind, SandboxServer
from bot.store import Store, StoredUpdate
from bot.stores.postgres import PostgresStore
from bot.stores.sqlite import SQLiteStore


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = await PostgresStore.open(await server.clean_database())
    else:
        opened = await SQLiteStore.open(tmp_path / "bot.db")
    yield opened
    await opened.close()


def a_message(update_id: Any, text: str = "hello", chat_id: Any = 10) -> dict[str, Any]:
    return {"update_id": update_id, "message": {"text": text, "chat": {"id": chat_id}, "from": {"id": 20}}}


STRANGE: list[Any] = [
    a_message(1, "half a letter \ud83d"),
    a_message(2, "nul \0"),
    a_message(3, chat_id=2**70),
    a_message(2**70),
    a_message("four"),
    {"no": "id"},
    a_message(5),
]


class ByPolling:
    """Hands updates out like `getUpdates`, from the first that was not confirmed."""

    def __init__(self, updates: list[Any]) -> None:
        self.updates = updates
        self.offsets: list[int | None] = []
        self.confirmed = asyncio.Event()

    async def do_api_request(self, _: str, *, api_kwargs: dict[str, Any], **__: Any) -> list[Any]:
        self.offsets.append(api_kwargs.get("offset"))
        if len(self.offsets) > 1:
            self.confirmed.set()
            await asyncio.Event().wait()
        return self.updates


async def by_polling(store: Store) -> None:
    telegram: Any = ByPolling(STRANGE)
    polling = asyncio.create_task(UpdatePoller(telegram, store.updates, lambda: None, utc_now).run())
    async with asyncio.timeout(20):
        await telegram.confirmed.wait()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert telegram.offsets == [None, 6], "and Telegram may forget them"


async def by_webhook(store: Store) -> None:
    telegram: Any = None
    hook = WebhookSettings("https://bot.example/telegram", "a secret of sixteen")
    receiver = WebhookReceiver(telegram, store.updates, lambda: None, utc_now, hook)
    for update in STRANGE:
        await receiver.take(update)


@pytest.mark.parametrize("take_in", [by_polling, by_webhook])
async def test_what_no_database_can_hold_keeps_nothing_back(
    store: Store, take_in: Callable[[Store], Awaitable[None]]
) -> None:
    await take_in(store)
    assert await store.updates.count() == 4
    claimed = [one.update_id for one in await store.updates.claim(utc_now(), 60, 9)]
    assert claimed[0] == 1
    assert 3 in claimed


class Choosy:
    """A database that refuses one update, and with it every group that has it."""

    def __init__(self, refused: int) -> None:
        self.stored: list[int] = []
        self._refused = refused

    async def add(self, updates: list[StoredUpdate]) -> None:
        if any(one.update_id == self._refused for one in updates):
            raise Unstorable("no such value")
        self.stored += [one.update_id for one in updates]


async def test_one_update_that_is_refused_for_good_takes_no_other_along() -> None:
    choosy: Any = Choosy(2)
    await store_updates(choosy, [a_message(1), a_message(2), a_message(3)])
    assert choosy.stored == [1, 3]


@pytest.mark.parametrize("status", [401, 404])
async def test_a_token_refused_after_a_good_start_is_no_verdict(store: Store, status: int) -> None:
    async with SandboxServer() as server:
        server.faults.add(Fault("getUpdates", FaultKind.SERVER_ERROR, times=2, status=status))
        bot = connect(server.token, server.url, open_gate())
        await bot.initialize()
        polling = asyncio.create_task(UpdatePoller(bot, store.updates, lambda: None, utc_now).run())
        await server.wait_for(lambda: len(server.calls_of("getUpdates")) > 2, 20)
        assert not polling.done()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await bot.shutdown()


def test_pauses_grow_while_the_token_is_refused() -> None:
    pauses = [pause_after(InvalidToken("Unauthorized"), failures) for failures in range(1, 15)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 300)
