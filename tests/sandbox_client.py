"""What the tests of the sandbox share: a running server, a real python-telegram-bot client, small files."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from telegram import Bot

from bot.sandbox import Chat, Json, Person, SandboxServer, World, demo_world


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Sandbox:
    """The server with its demo world: three people, Ada's private chat, the group Film night."""

    server: SandboxServer
    bot: Bot
    http: aiohttp.ClientSession
    clock: Clock

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def ada(self) -> Person:
        return self.world.people[1001]

    @property
    def boris(self) -> Person:
        return self.world.people[1002]

    @property
    def private(self) -> Chat:
        """Ada's chat with the bot, which she has begun."""
        chat = self.world.private_chat(self.ada)
        chat.started = True
        return chat

    @property
    def group(self) -> Chat:
        return next(chat for chat in self.world.chats.values() if chat.title == "Film night")

    async def call(self, method: str, **params: Any) -> Json:
        """A call in plain JSON; the whole answer, refused or not."""
        url = f"{self.server.url}/bot{self.server.token}/{method}"
        async with self.http.post(url, json=params) as answer:
            body: Json = await answer.json()
        return body

    async def updates(self) -> list[Json]:
        """All that waits for the bot, confirmed at once."""
        waiting: list[Json] = (await self.call("getUpdates"))["result"]
        if waiting:
            await self.call("getUpdates", offset=waiting[-1]["update_id"] + 1)
        return waiting

    async def messages(self) -> list[Json]:
        return [update["message"] for update in await self.updates() if "message" in update]


@asynccontextmanager
async def running_sandbox(
    *, webhook_pauses_s: Sequence[float] = (0.0,), **options: Any
) -> AsyncIterator[Sandbox]:
    clock = Clock()
    world = demo_world(now=clock)
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library warns of the other form of its durations
    async with SandboxServer(world, webhook_pauses_s=webhook_pauses_s, **options) as server:
        bot = Bot(server.token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot")
        async with bot, aiohttp.ClientSession() as http:
            yield Sandbox(server, bot, http, clock)


def jpeg(width: int, height: int, *, padding: int = 0) -> bytes:
    """As much of a JPEG as tells its size, and some bytes after it."""
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC0, 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + frame + b"\x00" * padding


def png(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\x00\x00\x00"
    )
