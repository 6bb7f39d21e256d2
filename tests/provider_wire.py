"""A server on this machine that answers a provider's calls as it is told, and writes down what arrived."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any, Self

from aiohttp import web
from fakes import Clock
from multidict import CIMultiDict
from provider_server import Received, Reply

from bot.providers.ark import Ark
from bot.providers.geekai import GeekAI
from bot.providers.jiekou import JieKou
from bot.providers.jimeng_relay import JimengRelay
from bot.providers.unified_relay import UnifiedRelay
from bot.providers.volcengine import Volcengine
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Http

KEY = "sk-5ecret-key-0f-the-0perator"
NAMES = ("volcengine", "geekai", "jimeng_relay", "unified_relay", "jiekou", "ark")
Adapter = Volcengine | GeekAI | JimengRelay | UnifiedRelay | JieKou | Ark


class Wire:
    """Each call gets the next of `replies`; None is a connection that is cut without an answer."""

    def __init__(self, *replies: Reply | None) -> None:
        self.replies = deque(replies)
        self.received: list[Received] = []
        self.base_url = ""
        app = web.Application(client_max_size=20_000_000)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        body = await request.read()
        kind = "submit" if body and "GetResult" not in query else "poll"
        self.received.append(
            Received(
                "submit" if kind == "submit" else "poll",
                request.method,
                path,
                query,
                CIMultiDict(request.headers),
                body,
            )
        )
        reply = self.replies.popleft() if self.replies else Reply(500, "no answer was prepared")
        if reply is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        raw = isinstance(reply.body, (bytes, str))
        content = reply.body if raw else json.dumps(reply.body)
        text = content.encode() if isinstance(content, str) else content
        assert isinstance(text, bytes)
        headers = {"Content-Type": "text/html" if raw else "application/json", **reply.headers}
        return web.Response(status=reply.status, body=text, headers=headers)


def adapter(name: str, base_url: str, **options: Any) -> Adapter:
    """The adapter of that name as an operator sets it up, its server on this machine."""
    tools: dict[str, Any] = {"http": HASTY, "fetcher": VideoFetcher(frozenset({"127.0.0.1"}))}
    match name:
        case "volcengine":
            return Volcengine("AKLT-an-id", KEY, base_url, **tools, clock=Clock(), **options)
        case "geekai":
            return GeekAI(KEY, f"{base_url}/api/v1", **tools, **options)
        case "jimeng_relay":
            return JimengRelay(KEY, base_url, **tools, **options)
        case "unified_relay":
            return UnifiedRelay(KEY, base_url, **tools, **options)
        case "jiekou":
            return JieKou(KEY, base_url, **tools, **options)
        case "ark":
            return Ark(KEY, f"{base_url}/api/v3", **tools, **options)
    raise AssertionError(name)


HASTY = Http(connect_limit_s=2.0, submit_limit_s=5.0, poll_limit_s=5.0)


async def refused_port() -> str:
    """An address of this machine where nobody listens."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"
