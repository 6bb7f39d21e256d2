"""A database that refuses for a while ends nothing: what came is stored, and handled, afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from running import open_gate, says
from telegram import Bot, Update

from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.dispatcher import Dispatcher
from bot.chat.telegram_io.polling import UpdatePoller
from bot.errors import StoreError
from bot.sandbox import Person, SandboxServer
from bot.store import StoredUpdate
from bot.stores.sqlite import SQLiteStore

FULL = StoreError("its disk is full")


class Disk:
    """The updates of a real store; the first call of each kind is refused."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._refused: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name in self._refused:
            return getattr(self._store.updates, name)
        self._refused.add(name)
        return self._refuse

    async def _refuse(self, *_: Any, **__: Any) -> Any:
        raise FULL


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def a_bot(folder: Path) -> AsyncIterator[tuple[SandboxServer, Bot, Any]]:
    store = await SQLiteStore.open(folder / "bot.db", utc_now)
    async with SandboxServer() as server:
        bot = connect(server.token, server.url, open_gate())
        await bot.initialize()
        yield server, bot, Disk(store)
        await bot.shutdown()
    await store.close()


async def test_what_could_not_be_stored_or_handled_at_first_is_handled_after_all(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as (server, bot, disk):

        async def greet(update: Update) -> None:
            assert update.message is not None
            await update.message.reply_text(says("start"))

        def read(body: dict[str, Any]) -> Update:
            return Update.de_json(body, bot)

        dispatcher = Dispatcher(disk, read, greet, greet, utc_now, store_pause_s=0)
        intake = UpdatePoller(bot, disk, dispatcher.wake, utc_now, store_pause_s=0)
        parts: Sequence[asyncio.Task[None]] = [
            asyncio.create_task(intake.run()),
            asyncio.create_task(dispatcher.run()),
        ]
        ada = server.world.add_person(Person(7001, "Ada", None, "en"))
        chat = server.world.private_chat(ada)
        server.world.say(ada, chat, "/start")
        await server.wait_for(lambda: server.world.bot_messages(chat))
        assert [part for part in parts if part.done()] == []
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        stored: StoredUpdate | None = next(iter(await disk.claim(utc_now(), 1, 9)), None)
        assert stored is None
