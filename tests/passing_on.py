"""What stands between Telegram and several processes: a forwarder to each in turn, and a slow line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_PASSED_ON = (SECRET_HEADER, "Content-Type")


@dataclass
class Forwarder:
    """Passes each call on to the next of `doors`, addresses without a path. While `keeps`, it says yes and
    passes nothing on: `release` does, all at once, and every call to all doors, as if Telegram sent it twice.
    """

    doors: Sequence[str]
    client: aiohttp.ClientSession
    url: str = ""
    keeps: bool = False
    kept: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        call = request.path, headers, await request.read()
        if self.keeps:
            self.kept.append(call)
            return web.Response()
        door = self.doors[sum(self.counts.values()) % len(self.doors)]
        return web.Response(status=await self._pass_on(door, *call))

    async def release(self) -> None:
        """AssertionError where one is refused."""
        calls, self.kept, self.keeps = self.kept, [], False
        statuses = await asyncio.gather(
            *(self._pass_on(door, *call) for call in calls for door in self.doors)
        )
        assert set(statuses) == {200}, statuses

    async def _pass_on(self, door: str, path: str, headers: dict[str, str], body: bytes) -> int:
        self.counts[door] = self.counts.get(door, 0) + 1
        async with self.client.post(f"{door}{path}", data=body, headers=headers) as answer:
            return answer.status


@asynccontextmanager
async def forwarder(doors: Sequence[str]) -> AsyncIterator[Forwarder]:
    async with aiohttp.ClientSession() as client:
        made = Forwarder(doors, client)
        async with _server_deps(made.take) as made.url:
            yield made


@dataclass
class SlowLine:
    """An address that stands for another; calls of `methods` arrive there only after `late_s`."""

    target: str
    methods: Sequence[str]
    late_s: float
    client: aiohttp.ClientSession
    url: str = ""
    under_way: int = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path.rpartition("/")[2] in self.methods:
            self.under_way += 1
            await asyncio.sleep(self.late_s)
            self.under_way -= 1
        headers = {"Content-Type": request.headers.get("Content-Type", "")}
        async with self.client.request(
            request.method, f"{self.target}{request.path_qs}", data=body, headers=headers
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )


@asynccontextmanager
async def slow_line(target: str, methods: Sequence[str], late_s: float) -> AsyncIterator[SlowLine]:
    async with aiohttp.ClientSession() as client:
        made = SlowLine(target, methods, late_s, client)
        async with _server_deps(made.take) as made.url:
            yield made


@asynccontextmanager
async def _server_deps(take: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


def free_ports(many: int) -> list[int]:
    """Different ones."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(many)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
