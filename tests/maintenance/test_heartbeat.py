"""The heartbeat: an address that is called while all is well, and known to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from proxy_servers import proxy_server
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.maintenance.heartbeat import Heartbeat
from bot.network.proxies import Proxy, read_proxy

PATIENCE_S = 30.0


class Monitor:
    """A place that expects to be called, and ends the loop of whoever waits for that."""

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200
        self.url = SecretStr("")
        self._news = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        assert request.path == "/secret-uuid"
        self.calls += 1
        self._news.set()
        return web.Response(status=self.status)

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Looked at after each call."""
        async with asyncio.timeout(PATIENCE_S):
            while not predicate():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    made = Monitor()
    application = web.Application()
    application.router.add_get("/{rest:.*}", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = SecretStr(f"http://127.0.0.1:{runner.addresses[0][1]}/secret-uuid")
    yield made
    await runner.cleanup()


class Health:
    """Asked before each call; unwell from the fourth time on, and then over after some more."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> bool:
        self.asked += 1
        if self.asked > 20:
            raise asyncio.CancelledError
        return self.asked <= 3


async def test_it_is_called_while_all_is_well_and_not_else(monitor: Monitor) -> None:
    with pytest.raises(asyncio.CancelledError):
        await Heartbeat(monitor.url, Health()).run(every_s=0)
    assert monitor.calls == 3


async def test_one_that_cannot_be_called_is_two_lines_in_the_log_without_the_address(
    monitor: Monitor,
) -> None:
    async def is_well() -> bool:
        return True

    monitor.status = 500
    with capture_logs() as lines:
        beating = asyncio.create_task(Heartbeat(monitor.url, is_well).run(every_s=0))
        await monitor.until(lambda: monitor.calls == 5)
        monitor.status = 200
        await monitor.until(lambda: len(lines) == 2)
        beating.cancel()
    events = [line["event"] for line in lines]
    assert events == ["HEARTBEAT_URL cannot be called", "HEARTBEAT_URL can be called again"]
    assert "secret-uuid" not in str(lines)


async def test_a_place_that_is_not_there_does_not_end_the_bot() -> None:
    url = SecretStr("http://127.0.0.1:9/secret-uuid")
    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await Heartbeat(url, Health()).run(every_s=0)
    assert len(lines) == 1
    assert "secret-uuid" not in str(lines)


async def test_it_goes_through_its_proxy_and_says_without_the_password_if_that_refuses(
    monitor: Monitor,
) -> None:
    async with proxy_server("socks5", account="ada:s3cret") as proxy:
        for account in ("ada:s3cret", "ada:wr0ng"):
            way = Proxy(read_proxy(proxy.url(account)), "HEARTBEAT_PROXY")
            with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
                await Heartbeat(monitor.url, Health(), way).run(every_s=0)
    assert monitor.calls == len(proxy.seen) == 3
    assert proxy.refused == 3
    (line,) = lines
    assert "HEARTBEAT_PROXY" in line["reason"]
    assert "wr0ng" not in str(lines) + str(proxy.seen)
    assert "secret-uuid" not in str(lines)
