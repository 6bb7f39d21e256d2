"""Secrets: whatever fails, and whatever a provider repeats of them, none leaves the process."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from provider_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Fault, Reply, gateway_error
from running import PATIENCE_S, BotHarness, BotProcess, bot_process, stage

from bot.sandbox import Fault as TelegramFault
from bot.sandbox import FaultKind, Person

OWNER = Person(501, "Olga", None, "en")
KEYS = {
    "geekai-jimeng": "sk-geekai-7f3a9c1e5b",
    "veo-3": "sk-jiekou-2d8e6f0a4c",
    "ark-seedance-2.0": "ark-5b7d9f1a3c",
    "relay-jimeng": "sk-relay-9b1c3d5e7f",
    "unified-jimeng": "sk-unified-0a2b4c6d8e",
}
BEAT = "heartbeat-uuid-5e7f9a1b"
SIGNER = "signing-key-3c5d7e9f1a"
WORDS = "an unmistakable zeppelin"


class MeanProvider:
    """Answers every call wrongly, and repeats the key in it: in texts, in JSON, in headers, in an address."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.url = ""
        self._news = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.bodies.append(await request.read() + str(request.headers).encode())
        turn = self.heard[key]
        self.heard[key] += 1
        async with self._news:
            self._news.notify_all()
        told = f"The key {key} of {request.headers.get('Authorization')} is refused."
        match turn % 8:
            case 0:
                return web.json_response({"error": {"message": told, "code": key}}, status=401)
            case 1:
                return web.json_response({"code": 400, "msg": told, "message": told}, status=400)
            case 2:
                return web.Response(text=f"<h1>{told}</h1>", status=502, content_type="text/html")
            case 3:
                return web.Response(status=302, headers={"Location": f"{self.url}/again?key={key}"})
            case 4:
                return web.Response(text=f'{{"id": "{key}', content_type="application/json")
            case 5:
                return web.json_response({"error": told}, status=403, headers={"X-Your-Key": key})
            case 6:
                return web.json_response([told, {"task_id": None}])
            case _:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()

    async def wait(self, calls: int) -> None:
        """Until each key has come so often."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: all(self.heard[key] >= calls for key in KEYS.values()))


@pytest.fixture
async def mean() -> AsyncIterator[MeanProvider]:
    made = MeanProvider()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def settings(live_bot: BotHarness, mean: MeanProvider) -> dict[str, str]:
    return live_bot.values(
        admin_users=str(OWNER.id),
        geekai_api_key=KEYS["geekai-jimeng"],
        geekai_base_url=mean.url,
        geekai_concurrency="9",
        jiekou_api_key=KEYS["veo-3"],
        jiekou_base_url=mean.url,
        jiekou_concurrency="9",
        ark_api_key=KEYS["ark-seedance-2.0"],
        ark_base_url=mean.url,
        ark_concurrency="9",
        jimeng_relay_api_key=KEYS["relay-jimeng"],
        jimeng_relay_base_url=mean.url,
        jimeng_relay_concurrency="9",
        unified_relay_api_key=KEYS["unified-jimeng"],
        unified_relay_base_url=mean.url,
        unified_relay_concurrency="9",
        secret_key=SIGNER,
        heartbeat_url=f"http://127.0.0.1:9/{BEAT}",
        private_port="0",
        submits_per_hour="unlimited",
        log_level="debug",
    )


async def everything_fails(live_bot: BotHarness, mean: MeanProvider) -> None:
    """At each provider in each way, and at Telegram."""
    live_bot.world.add_person(OWNER)
    told = f"The accesskey {ACCESS_KEY_ID} with {SECRET_ACCESS_KEY} is invalid."
    live_bot.provider.next(
        "submit", gateway_error(100009, "InvalidAccessKey", 401, told), Fault.CUT, None, Reply(500, told)
    )
    live_bot.provider.next("poll", Reply(500, told), Reply(200, told), Fault.RESET)
    live_bot.server.faults.add(TelegramFault("editMessageText", FaultKind.SERVER_ERROR, times=2))
    live_bot.server.faults.add(TelegramFault("sendMessage", FaultKind.DROP_AFTER, times=1))
    live_bot.server.faults.add(TelegramFault("getUpdates", FaultKind.SERVER_ERROR, times=2))
    live_bot.server.faults.add(TelegramFault("editMessageMedia", FaultKind.BAD_REQUEST, times=1))
    chats = []
    for model in ("jimeng-pro", "jimeng-pro", *KEYS):
        for number in range(4):
            somebody, chat = live_bot.newcomer()
            live_bot.world.say(somebody, chat, f"/video {WORDS} {number} --model {model}")
            live_bot.world.say(somebody, chat, f"/video {WORDS} once more --model {model}")
            chats.append(chat)
    await mean.wait(8)
    await live_bot.until(lambda: any(live_bot.videos(chat) for chat in chats))


async def pages(url: str) -> str:
    """All that the private server tells without a pass."""
    async with aiohttp.ClientSession() as session:
        told = []
        for path in ("/metrics", "/healthz", "/readyz", "/admin", "/admin/login/forged", "/nothing"):
            async with session.get(f"{url}{path}") as answer:
                told.append(f"{answer.headers}{await answer.text()}")
    return "".join(told)


async def ends(live_bot: BotHarness, values: dict[str, str], *arguments: str) -> str:
    """What a process prints that ends by itself."""
    process = BotProcess(live_bot.folder, values, *arguments)
    await process.start()
    await process.end()
    return process.printed


async def test_no_failure_lets_a_secret_out(tmp_path: Path, mean: MeanProvider) -> None:
    async with stage(tmp_path) as live_bot:
        values = settings(live_bot, mean)
        token = live_bot.server.token
        async with bot_process(tmp_path, values) as process:
            url = (await process.prints("private")).split()[1]
            await everything_fails(live_bot, mean)
            left = {"the private pages": await pages(url)}
            second = await ends(live_bot, values)
            process.send(signal.SIGTERM)
            await process.end()
        left["the log"] = process.printed
        left["a second start"] = second
        left["a start with a token that Telegram does not know"] = await ends(
            live_bot, values | {"telegram_bot_token": token[:-1] + ("x" if token[-1] != "x" else "y")}
        )
        left["a start with a wrong setting"] = await ends(live_bot, values | {"listen_port": "no number"})
        left["the doctor"] = await ends(live_bot, values, "doctor") + await ends(
            live_bot, values, "doctor", "--json"
        )
        left["what Telegram got"] = str([call.params for call in live_bot.server.calls])
        left["the data"] = "".join(
            file.read_bytes().decode("latin-1") for file in tmp_path.rglob("*") if file.is_file()
        )
        heard = "".join(f"{call.query}{call.headers}{call.body!r}" for call in live_bot.provider.received)
    everybody = [*KEYS.values(), ACCESS_KEY_ID, SECRET_ACCESS_KEY, token, BEAT, SIGNER]
    out = {(place, secret) for place, text in left.items() for secret in everybody if secret in text}
    assert out == set()
    # A provider gets its own key, and nobody's else.
    assert [one for one in everybody if one != ACCESS_KEY_ID and one in heard] == []
    others = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, token, BEAT, SIGNER]
    for body in mean.bodies:
        assert sum(key.encode() in body for key in KEYS.values()) <= 1
        assert not any(secret.encode() in body for secret in others)
    assert "zeppelin" not in process.printed, "no log line holds a prompt"
