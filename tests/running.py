"""The whole bot, running for a test: in this process or as one of its own, with a Telegram and a Volcengine
of this machine around it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image
from provider_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, ProviderServer

import bot
from bot import app
from bot.chat.telegram_io.rate_limiter import RateLimiter
from bot.sandbox import Chat, Json, Person, SandboxServer, World
from bot.send_rates import Limit, Limits, MemoryRateStore
from bot.settings import IsolatedSettings
from bot.text import plain, say

T = TypeVar("T")

PATIENCE_S = 40.0
"""For one step of the bot, on a machine that is busy with other things."""
BOT = "dreamreel_bot"
COMPANY = "Volcengine (ByteDance)"
"""Who gets the photos of the default model."""
UNHURRIED = Limits(Limit(0.001, 100), Limit(0.001, 100), Limit(0.001, 100), arriving=1000)
"""Sending rates that hold up no test."""
_GLANCE_S = 0.1


@dataclass
class BotHarness:
    """Telegram and the provider, where the bot under test finds them, and the folder it keeps its data in."""

    server: SandboxServer
    provider: ProviderServer
    folder: Path
    _ids: count[int] = field(default_factory=lambda: count(7001))

    @property
    def world(self) -> World:
        return self.server.world

    def values(self, **changes: str) -> dict[str, str]:
        """The bot's settings, as texts; `changes` by their names in lower case."""
        return {
            "telegram_bot_token": self.server.token,
            "telegram_api_url": self.server.url,
            "database_url": f"sqlite:///{self.folder}/bot.db",
            "data_dir": str(self.folder),
            "allowed_users": "*",
            "volcengine_access_key_id": ACCESS_KEY_ID,
            "volcengine_secret_access_key": SECRET_ACCESS_KEY,
            "volcengine_base_url": self.provider.base_url,
            "volcengine_concurrency": "4",
            "trusted_private_hosts": "127.0.0.1",
            "poll_max_seconds": "0.2",
            "private_port": "off",
            **changes,
        }

    def newcomer(
        self, name: str = "Ada", language: str = "en", *, is_told: bool = True
    ) -> tuple[Person, Chat]:
        """A person who has not been seen before, and their chat with the bot. `is_told`: they know who gets
        their photos, if the bot has a database already, so that a photo with words starts."""
        person = self.world.add_person(Person(next(self._ids), name, None, language))
        if is_told and (self.folder / "bot.db").exists():
            self.tell(person)
        return person, self.world.private_chat(person)

    def tell(self, person: Person, *companies: str) -> None:
        """Let the bot know that this person was told that these companies get their photos, or the usual."""
        with closing(sqlite3.connect(self.folder / "bot.db", timeout=30)) as database, database:
            database.execute(
                "INSERT INTO people (user_id, companies) VALUES (?, ?)",
                [person.id, json.dumps(companies or [COMPANY])],
            )

    async def until(self, predicate: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
        """The first true value of `predicate`: what the bot stores changes without a sign in the chat."""
        begun = asyncio.get_running_loop().time()
        while True:
            try:
                return await self.server.wait_for(predicate, _GLANCE_S)
            except TimeoutError:
                if asyncio.get_running_loop().time() - begun > timeout_s:
                    raise

    async def answer(self, message: Json, *, containing: str = "") -> Json:
        """The bot's first message after `message`."""
        chat = self.world.chat_of(message)

        def later() -> list[Json]:
            return [
                one
                for one in self.world.bot_messages(chat)
                if one["message_id"] > message["message_id"] and containing in one.get("text", "")
            ]

        return (await self.until(later))[0]

    async def card(self, chat: Chat) -> Json:
        """The bot's newest message with buttons."""
        return (await self.until(lambda: [one for one in self.world.bot_messages(chat) if buttons(one)]))[-1]

    async def shown(self, chat: Chat, many: int = 1) -> list[Json]:
        """The messages that are videos, once there are so many and the bot knows that it showed them."""
        await self.until(lambda: len(self.videos(chat)) >= many)
        await self.until(lambda: all(task["delivered_at"] for task in self.tasks(chat) if task["remote_id"]))
        return self.videos(chat)

    def videos(self, chat: Chat) -> list[Json]:
        return [one for one in self.world.bot_messages(chat) if "video" in one or "animation" in one]

    def messages(self, chat: Chat) -> list[Json]:
        """All that the bot said but its calls: those come where the machine was so busy that it took long."""
        calls = (says("card_ready"), says("card_failed"))
        return [one for one in self.world.bot_messages(chat) if one.get("text") not in calls]

    def now(self, message: Json) -> Json | None:
        """The message as it is by now; None when it is gone."""
        found = [
            one
            for one in self.world.messages(self.world.chat_of(message))
            if one["message_id"] == message["message_id"]
        ]
        return found[0] if found else None

    async def handled(self, person: Person, chat: Chat) -> None:
        """Until all that was said in the chat so far has been handled: what a chat says is taken in order."""
        asked = self.world.say(person, chat, f"/help@{BOT}")
        await self.answer(asked, containing="Options:")

    async def tap(self, person: Person, message: Json, button: str) -> str:
        """Tap a button; what the bot says to that, or nothing."""
        return await self._answer_to(self.world.press(person, message, button))

    async def forged_tap(self, person: Person, message: Json, data: str) -> str:
        """The same with data of one's own making, as a modified client would send it."""
        query = self.world.callbacks.open(person, self.world.chat_of(message), message, data)
        self.world.updates.put("callback_query", query)
        return await self._answer_to(query["id"])

    async def _answer_to(self, query_id: str) -> str:
        def answers() -> list[str]:
            calls = self.server.calls_of("answerCallbackQuery")
            return [
                call.params.get("text", "-")
                for call in calls
                if call.ok and call.params["callback_query_id"] == query_id
            ]

        (text,) = await self.until(answers)
        return "" if text == "-" else str(text)

    @contextmanager
    def unfinished(self) -> Iterator[None]:
        """Meanwhile no job at the provider comes to an end."""
        before, self.provider.statuses = self.provider.statuses, ("generating",) * 100_000
        try:
            yield
        finally:
            self.provider.statuses = before

    async def job(self, prompt: str) -> None:
        """Until the provider has taken a job with these words."""
        await self.until(lambda: self.jobs(prompt))

    async def heard_nothing(self, person: Person, chat: Chat) -> bool:
        """Whether nothing came of all that was said in the chat."""
        await self.handled(person, chat)
        return len(self.world.bot_messages(chat)) == 1 and self.tasks(chat) == []

    def photo_sent(self, prompt: str) -> Image.Image:
        """The photo that the provider got with these words."""
        (fields,) = [job.fields for job in self.provider.jobs.values() if job.fields.get("prompt") == prompt]
        photos = fields["binary_data_base64"]
        assert isinstance(photos, list)
        return Image.open(io.BytesIO(base64.b64decode(photos[0])))

    def file_of(self, video: Json) -> Path:
        stored = self.world.files.get((video.get("video") or video["animation"])["file_id"])
        assert stored is not None
        return stored.path

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the bot's database holds."""
        with closing(sqlite3.connect(f"file:{self.folder}/bot.db?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY rowid")]

    def tasks(self, chat: Chat) -> list[dict[str, Any]]:
        return [row for row in self.rows("tasks") if row["chat_id"] == chat.id]

    def jobs(self, prompt: str) -> int:
        """How many jobs with these words the provider has taken, and would charge for."""
        return sum(job.fields.get("prompt") == prompt for job in self.provider.jobs.values())

    def edits(self, chat: Chat, method: str = "editMessageMedia") -> list[Any]:
        return [call for call in self.server.calls_of(method) if call.params.get("chat_id") == chat.id]


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[BotHarness]:
    """A sandbox and a provider, with no bot so far."""
    async with SandboxServer() as server, ProviderServer() as provider:
        yield BotHarness(server, provider, folder)


@asynccontextmanager
async def running_bot(values: dict[str, str], limits: Limits = UNHURRIED) -> AsyncIterator[app.StartInfo]:
    """The bot in this process, from its start to an orderly end."""
    stopping = asyncio.Event()
    started: asyncio.Future[app.StartInfo] = asyncio.get_running_loop().create_future()
    run = asyncio.create_task(
        app.run(IsolatedSettings.model_validate(values), started.set_result, stopping, limits)
    )
    either: set[asyncio.Future[Any]] = {run, started}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if run.done():
        await run
    try:
        yield await started
    finally:
        stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await run


@asynccontextmanager
async def bot_on_stage(folder: Path, **changes: str) -> AsyncIterator[BotHarness]:
    """Everything at once, for tests that need nothing special."""
    async with stage(folder) as live_bot, running_bot(live_bot.values(**changes)):
        yield live_bot


class BotProcess:
    """`python -m bot …` as an operator starts it, in a folder of its own, with nothing else in its
    environment."""

    def __init__(self, folder: Path, values: dict[str, str], *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments or ("run",)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # The very code under test, also where that is a copy broken on purpose.
        kept["PYTHONPATH"] = str(Path(bot.__file__).parents[1])
        self._environment = {**kept, **{name.upper(): value for name, value in values.items()}}
        self._process: asyncio.subprocess.Process | None = None
        self.printed = ""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *self._arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def prints(self, words: str) -> str:
        """The line with `words`, once it was printed."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._process.stdout.readline()).decode():
                self.printed += line
                if words in line:
                    return line
        raise AssertionError(f"the bot ended without a word of {words!r}:\n{self.printed}")

    async def end(self, limit_s: float = PATIENCE_S) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        async with asyncio.timeout(limit_s):
            rest, _ = await self._process.communicate()
        self.printed += rest.decode()
        return await self._process.wait()

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.end()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None


@asynccontextmanager
async def bot_process(folder: Path, values: dict[str, str]) -> AsyncIterator[BotProcess]:
    """`python -m bot run`, up and polling; killed at the end where it still runs."""
    process = BotProcess(folder, values)
    await process.start()
    try:
        await process.prints("Dreamreel is up")
        yield process
    finally:
        if process.is_running:
            await process.kill()


def open_gate() -> RateLimiter:
    """For a connection of a test's own."""
    return RateLimiter(MemoryRateStore(), app.utc_now)


def says(key: str, **values: object) -> str:
    """What an English reader sees of a phrase."""
    return plain(say("en", key, **values))


def buttons(message: Json) -> dict[str, str]:
    """The data behind each button of a message, by its words."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {item["text"]: item.get("callback_data", "") for row in rows for item in row}
