"""Connections that say nothing, and requests that are no HTTP: neither deafens the bot nor fills its log."""

from __future__ import annotations

import asyncio
import io
import logging
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import structlog
from aiohttp import web

from bot.log import set_up_logs
from bot.web.connections import BoundedSite, allow_many_files, note_first_request


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    set_up_logs("info", "text", [], stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server that takes three connections, and waits half a second for their first request."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="here")

    application = web.Application(middlewares=[note_first_request])
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await BoundedSite(runner, "127.0.0.1", 0, most=3, first_request_s=0.5).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes = REQUEST) -> bytes:
    """The first line of the answer; nothing from a connection that is closed."""
    with suppress(ConnectionError):
        writer.write(request)
        async with asyncio.timeout(20):
            return await reader.readline()
    return b""


async def test_who_says_nothing_is_hung_up_on_and_makes_room(port: int) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    assert await ask(*await asyncio.open_connection("127.0.0.1", port)) == b"", "there is no room"
    async with asyncio.timeout(20):
        for reader, _ in idle:
            assert await reader.read() == b""
    assert b"200" in await ask(*await asyncio.open_connection("127.0.0.1", port))


async def test_half_a_request_is_no_request(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2])
    async with asyncio.timeout(20):
        assert await reader.read() == b""


async def test_who_has_asked_may_stay(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert b"200" in await ask(reader, writer)
    idle, _ = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        await idle.read()  # later than half a second
        await reader.readuntil(b"here")
    writer.write(REQUEST)
    assert b"200" in await reader.readline()


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\0\0\r\n\r\n", b"GET / HTTP/9.9x\r\n\r\n", b"GET / HTTP/1.1\r\na b: c\r\n\r\n"]
)
async def test_what_is_no_http_is_a_line_at_most_and_no_traceback(
    written: io.StringIO, port: int, sent: bytes
) -> None:
    assert b"400" in await ask(*await asyncio.open_connection("127.0.0.1", port), sent)
    assert "Traceback" not in written.getvalue()
    assert len(written.getvalue().splitlines()) <= 1


def test_a_port_that_accepts_nothing_more_is_one_line(written: io.StringIO) -> None:
    error = OSError(24, "Too many open files")
    for _ in range(100):
        logging.getLogger("asyncio").error("socket.accept() out of system resource\nsocket", exc_info=error)
    (line,) = written.getvalue().splitlines()
    assert "too many connections" in line


def test_the_soft_limit_on_files_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        allow_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_a_server_at_every_ipv6_address_answers_ipv4_too() -> None:
    runner = web.AppRunner(web.Application(middlewares=[note_first_request]), access_log=None)
    await runner.setup()
    await BoundedSite(runner, "::", 0).start()
    port = runner.addresses[0][1]
    for host in ("127.0.0.1", "::1"):
        reader, writer = await asyncio.open_connection(host, port)
        assert b"404" in await ask(reader, writer)
        writer.close()
    await runner.cleanup()
