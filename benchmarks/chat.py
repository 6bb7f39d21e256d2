"""The chat: how soon people are answered, and what handling chats side by side is worth.

`python benchmarks/chat.py` prints three tables in about four minutes. The bot runs in a process of its own
and speaks HTTP with a Telegram and a provider in this one. Each answer of that Telegram takes 50 ms longer,
as it does over the Internet; its sending rates are left aside. The same updates are handled side by side, and
once more one after the other. The third table is of a bot that was away: 10,000 updates of 500 people wait,
and behind all of them somebody new. Their answer is about the 600th, while the updates are still being read:
Telegram gives them out in order, a hundred at a time.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from provider_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, ProviderServer
from running import UNHURRIED

from bot import app
from bot.chat.telegram_io import dispatcher
from bot.log import set_up_logs
from bot.sandbox import CallRecord, Chat, Fault, FaultKind, Json, Person, SandboxServer
from bot.settings import load_settings, secrets_of

CHATS = 100
RATES = (30, 300)
LOAD_S = 6.0
WAITING = 10_000
EACH = 20
"""Updates of the same person among them."""
BACKLOG_S = 300.0
"""For the answers to all that waits."""
PATIENCE_S = 14.0
"""For what is still unanswered when the load ends. What then is not counts as answered at that moment."""
DISTANCE_S = 0.05
JOB_POLLS = 8
"""A job is polled every second, and is done after so many polls."""
SPACING_S = 2
"""Between the dates of a person's messages: how the bot brakes floods is not what is measured here."""
MIX = {"words": 45, "help": 28, "tap": 25, "video": 2}
ANSWERS = ("sendMessage", "sendPhoto", "answerCallbackQuery")


def main() -> None:
    if sys.argv[1:2] == ["bot"]:
        dispatcher._CHATS = int(sys.argv[2])
        settings = load_settings()
        set_up_logs(settings.log_level, settings.log_format, secrets_of(settings))
        asyncio.run(app.run(settings, lambda _: None, limits=UNHURRIED))
        return
    answers, tasks = [], []
    for rate in RATES:
        for name, at_once in (("side by side", dispatcher._CHATS), ("one by one", 1)):
            run = asyncio.run(_measure(rate, at_once))
            answers.append((f"{rate} a second, {name}", run.answer_figures()))
            if finished := run.task_figures():
                tasks.append((f"{rate} a second, {name}", finished))
    columns = ["updates", "answered, %", "p50, ms", "p99, ms", "answers per s"]
    _print(f"Update to first answer, {CHATS} chats", columns, answers)
    _print("Each finished task", ["tasks", "messages", "edits", "calls"], tasks)
    columns = ["answers before", "% of all", "theirs, s", "all, s"]
    _print("A newcomer behind a queue", columns, [(f"{WAITING:,} wait", asyncio.run(_measure_backlog()))])


@dataclass
class Run:
    """What was sent and what came of it: seconds of the clock, by chat or by tap."""

    server: SandboxServer
    sent: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    taps: dict[str, float] = field(default_factory=dict)
    orders: list[tuple[Chat, int]] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    def waits_s(self) -> list[float | None]:
        """From each update to its first answer. A chat's messages are answered in order."""
        answered: dict[int, list[float]] = defaultdict(list)
        found: dict[str, float] = {}
        for call in self._calls():
            if call.method == "answerCallbackQuery":
                found[call.params["callback_query_id"]] = call.at
            elif not self._is_afterthought(call):
                answered[call.params["chat_id"]].append(call.at)
        waits: list[float | None] = [
            found[one] - at if one in found else None for one, at in self.taps.items()
        ]
        for chat_id, sent in self.sent.items():
            came = answered[chat_id][: len(sent)]
            waits += [at - since for at, since in zip(came, sent, strict=False)]
            waits += [None] * (len(sent) - len(came))
        return waits

    def answer_figures(self) -> list[float]:
        waits = self.waits_s()
        came = [wait for wait in waits if wait is not None]
        ordered = sorted(came) + [self.ended - self.began] * (len(waits) - len(came))
        answers = [call.at for call in self._calls()]
        return [
            len(waits),
            100 * len(came) / len(waits),
            1000 * statistics.median(ordered),
            1000 * ordered[len(ordered) * 99 // 100],
            len(came) / (max(answers) - self.began),
        ]

    def task_figures(self) -> list[float]:
        """Of the orders whose card has become a video; nothing where none has."""
        counted = [found for chat, asked_id in self.orders if (found := self.count(chat, asked_id))]
        if not counted:
            return []
        messages, edits = (statistics.mean(figures) for figures in zip(*counted, strict=True))
        return [len(counted), messages, edits, messages + edits]

    def count(self, chat: Chat, asked_id: int) -> tuple[int, int] | None:
        """The messages and edits of an order; None while it has no video."""
        sends = [call for call in self._calls() if call.params.get("chat_id") == chat.id]
        card = next((call for call in sends if _replies_to(call) == asked_id), None)
        if card is None or "video" not in chat.messages[card.result["message_id"]]:
            return None
        card_id = card.result["message_id"]
        edits = [
            call
            for call in self.server.calls
            if call.ok and call.method.startswith("editMessage") and call.params.get("chat_id") == chat.id
        ]
        messages = 1 + sum(_replies_to(call) == card_id for call in sends)
        return messages, sum(call.params["message_id"] == card_id for call in edits)

    def _calls(self) -> list[CallRecord]:
        return [call for call in self.server.calls_of(*ANSWERS) if call.ok]

    def _is_afterthought(self, call: CallRecord) -> bool:
        """A short reply to a card, which says that it has news."""
        message = self.server.world.chats[call.params["chat_id"]].messages.get(_replies_to(call) or 0, {})
        return bool(message.get("from", {}).get("is_bot"))


async def _measure(rate: int, at_once: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        async with SandboxServer() as server, ProviderServer(["generating"] * JOB_POLLS) as provider:
            for method in (*ANSWERS, "editMessageText", "editMessageMedia"):
                server.faults.add(Fault(method, FaultKind.SLOW, times=None, delay_s=DISTANCE_S))
            run = Run(server)
            async with _bot(Path(folder), server, provider, at_once):
                await _load(run, rate)
                await _rest(run)
            return run


async def _load(run: Run, rate: int) -> None:
    """The updates in their time; who comes next, and with what, is the same in every run."""
    world, dice = run.server.world, random.Random(5)
    people = [world.add_person(Person(10_000 + number, f"Person {number}")) for number in range(CHATS)]
    said: dict[int, int] = defaultdict(int)
    run.began = time.time()
    for number in range(int(rate * LOAD_S)):
        await asyncio.sleep(max(0.0, run.began + number / rate - time.time()))
        person = people[number % CHATS]
        chat = world.private_chat(person)
        (kind,) = dice.choices(list(MIX), list(MIX.values()))
        card = _newest_card(chat) if kind == "tap" else None
        if card is not None:
            run.taps[world.press(person, card, _option(card))] = time.time()
            continue
        words = {"help": "/help", "video": f"/video a boat, number {number}"}.get(kind, f"a boat {number}")
        message = world.say(person, chat, words, date=int(run.began) + SPACING_S * said[person.id])
        said[person.id] += 1
        run.sent[chat.id].append(time.time())
        if kind == "video":
            run.orders.append((chat, message["message_id"]))


async def _rest(run: Run) -> None:
    """Until all are answered and all videos shown, or patience ends."""
    until = time.time() + PATIENCE_S
    while time.time() < until:
        await asyncio.sleep(1.0)
        if None not in run.waits_s() and all(run.count(*order) for order in run.orders):
            break
    run.ended = time.time()


async def _measure_backlog() -> list[float]:
    """Return how many answers come before a newcomer's, their share, the newcomer's seconds, and all."""
    with tempfile.TemporaryDirectory() as folder:
        async with SandboxServer() as server, ProviderServer() as provider:
            server.faults.add(Fault("sendMessage", FaultKind.SLOW, times=None, delay_s=DISTANCE_S))
            world, now = server.world, int(time.time())
            people = [world.add_person(Person(10_000 + n, f"Person {n}")) for n in range(WAITING // EACH)]
            for number in range(WAITING):
                person = people[number % len(people)]
                sent_at = now - SPACING_S * (EACH - number // len(people))
                world.say(person, world.private_chat(person), "/help", date=sent_at)
            newcomer = world.add_person(Person(9_000, "Newcomer"))
            chat = world.private_chat(newcomer)
            world.say(newcomer, chat, "/start")
            async with _bot(Path(folder), server, provider, dispatcher._CHATS):
                began = time.time()
                await server.wait_for(lambda: len(_answers(server)) > WAITING, timeout_s=BACKLOG_S)
            answers = _answers(server)
            theirs = next(n for n, call in enumerate(answers) if call.params["chat_id"] == chat.id)
            return [theirs, 100 * theirs / WAITING, answers[theirs].at - began, answers[-1].at - began]


def _answers(server: SandboxServer) -> list[CallRecord]:
    return [call for call in server.calls_of("sendMessage") if call.ok]


@asynccontextmanager
async def _bot(
    folder: Path, server: SandboxServer, provider: ProviderServer, at_once: int
) -> AsyncIterator[None]:
    values = {
        "TELEGRAM_BOT_TOKEN": server.token,
        "TELEGRAM_API_URL": server.url,
        "DATABASE_URL": f"sqlite:///{folder}/bot.db",
        "DATA_DIR": str(folder),
        "ALLOWED_USERS": "*",
        "OPEN_TASKS_PER_USER": "unlimited",
        "DAILY_VIDEOS_PER_USER": "unlimited",
        "VOLCENGINE_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "VOLCENGINE_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "VOLCENGINE_BASE_URL": provider.base_url,
        "VOLCENGINE_CONCURRENCY": "50",
        "TRUSTED_PRIVATE_HOSTS": "127.0.0.1",
        "POLL_MAX_SECONDS": "1",
        "LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "bot",
        str(at_once),
        cwd=folder,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | values,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await server.wait_for(lambda: server.calls_of("getUpdates"), timeout_s=30)
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def _newest_card(chat: Chat) -> Json | None:
    for message in reversed(chat.messages.values()):
        if "inline_keyboard" in message.get("reply_markup", {}) and "text" in message:
            return message
    return None


def _option(card: Json) -> str:
    return str(card["reply_markup"]["inline_keyboard"][0][0]["callback_data"])


def _replies_to(call: CallRecord) -> int | None:
    replied: int | None = (call.params.get("reply_parameters") or {}).get("message_id")
    return replied


def _print(title: str, columns: Sequence[str], rows: Sequence[tuple[str, list[float]]]) -> None:
    print(f"\n{title}\n{'':28}" + "".join(f"{column:>15}" for column in columns))
    for name, figures in rows:
        print(f"{name:28}" + "".join(f"{figure:15,.1f}" for figure in figures))


if __name__ == "__main__":
    main()
