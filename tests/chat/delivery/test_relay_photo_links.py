"""Relays fetch photos themselves: by our own signed link, and never with the bot's token."""

from __future__ import annotations

import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from pictures import photo
from PIL import Image
from provider_server import make_mp4
from running import BotHarness, buttons, running_bot, says, stage


class Relay:
    """A relay that fetches the photo at once, as some do, and has the video at the first look."""

    def __init__(self) -> None:
        self.base_url = ""
        self.links: list[str] = []
        self.photos: list[bytes] = []
        self.heard: list[str] = []
        app = web.Application()
        app.router.add_post("/jimeng/submit/videos", self._submit)
        app.router.add_get("/jimeng/fetch/4596", self._look)
        app.router.add_get("/a.mp4", self._video)
        self.runner = web.AppRunner(app, access_log=None)

    async def _hear(self, request: web.Request) -> None:
        body = await request.text()
        self.heard.append(f"{request.method} {request.raw_path} {dict(request.headers)} {body}")

    async def _submit(self, request: web.Request) -> web.Response:
        await self._hear(request)
        fields = await request.json()
        if link := fields.get("image_url"):
            self.links.append(link)
            async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as reply:
                assert (reply.status, reply.content_type) == (200, "image/jpeg")
                self.photos.append(await reply.read())
        return web.json_response({"code": "success", "message": "", "data": "4596"})

    async def _look(self, request: web.Request) -> web.Response:
        await self._hear(request)
        record = {"status": "SUCCESS", "data": {"video": f"{self.base_url}/a.mp4"}}
        return web.json_response({"code": "success", "data": record})

    async def _video(self, request: web.Request) -> web.Response:
        await self._hear(request)
        return web.Response(body=make_mp4(), content_type="video/mp4")


@asynccontextmanager
async def a_relay() -> AsyncIterator[Relay]:
    relay = Relay()
    await relay.runner.setup()
    await web.TCPSite(relay.runner, "127.0.0.1", 0).start()
    relay.base_url = f"http://127.0.0.1:{relay.runner.addresses[0][1]}"
    yield relay
    await relay.runner.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _of(live_bot: BotHarness, relay: Relay, **changes: str) -> dict[str, str]:
    return live_bot.values(
        jimeng_relay_api_key="sk-relay", jimeng_relay_base_url=relay.base_url, default_model="relay-jimeng"
    ) | {name: value for name, value in changes.items() if value}


async def test_a_relay_gets_the_photo_by_a_link_of_ours_and_nothing_says_the_token(tmp_path: Path) -> None:
    port = str(_free_port())
    async with stage(tmp_path) as live_bot, a_relay() as relay:
        own = {"public_url": f"http://127.0.0.1:{port}", "listen_port": port}
        async with running_bot(_of(live_bot, relay, **own)):
            ada, chat = live_bot.newcomer(is_told=False)
            live_bot.tell(ada, "the relay 127.0.0.1")
            live_bot.world.send_photo(ada, chat, photo(720, 1280), caption="it waves")
            await live_bot.shown(chat)
            (link,) = relay.links
            async with aiohttp.ClientSession() as session:
                async with session.get(link) as again:
                    assert again.status == 200
                async with session.get(link.replace("/0/", "/1/")) as forged:
                    assert forged.status == 404
    assert link.startswith(f"http://127.0.0.1:{port}/photos/")
    (picture,) = relay.photos
    assert Image.open(io.BytesIO(picture)).size == (720, 1280)
    assert relay.heard
    assert live_bot.server.token not in "".join(relay.heard)
    assert live_bot.server.token.partition(":")[2] not in link


async def test_without_a_public_address_the_model_says_so_and_takes_words(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, a_relay() as relay, running_bot(_of(live_bot, relay)):
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_photo(ada, chat, photo(720, 1280), caption="it waves")
        answer = await live_bot.answer(sent)
        assert says("no_public_address", model="relay-jimeng") in answer["text"]
        assert says("button_other_model", model="jimeng-pro") in buttons(answer)
        live_bot.world.say(ada, chat, "/video a paper boat")
        await live_bot.shown(chat)
    assert relay.links == []
