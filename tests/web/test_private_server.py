"""The private web server: on loopback, under names that nobody else can give it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes import health
from running import bot_process, stage

from bot.errors import SettingsError
from bot.web import PrivateServer


@asynccontextmanager
async def server(port: int = 0, *, any_port: bool = False, well: bool = True) -> AsyncIterator[PrivateServer]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    made = PrivateServer(
        "127.0.0.1",
        port,
        health=health(lambda: well),
        routes=[web.get("/hello", hello)],
        address="https://Bot.vpn.example",
        any_port=any_port,
    )
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def ask(url: str, host: str | None = None) -> aiohttp.ClientResponse:
    headers = {} if host is None else {"Host": host}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        await response.read()
        return response


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8788", "localhost", "LOCALHOST:9000", "[::1]:8788", "192.168.1.4"),
        *("bot.vpn.example", "bot.vpn.example:443", "bot:8788"),
    ],
)
async def test_an_address_and_a_name_that_was_set_are_answered(host: str) -> None:
    async with server() as made:
        assert (await ask(f"{made.url}/hello", host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8788",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "x@evil.example",
        ),
        *(
            "bot.vpn.example.evil.example",
            "127.0.0.1:8788@evil.example",
            "[::1",
            "127.0.0.1/evil.example",
            "[",
        ),
    ],
)
async def test_a_name_that_somebody_pointed_here_is_turned_away(host: str) -> None:
    async with server() as made:
        assert (await ask(f"{made.url}/hello", host)).status in (400, 421)
        assert (await ask(f"{made.url}/healthz", host)).status in (400, 421)


async def test_it_says_whether_the_bot_is_well_and_keeps_every_answer_to_itself() -> None:
    async with server() as made:
        answer = await ask(f"{made.url}/healthz")
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        missing = await ask(f"{made.url}/nothing")
        assert (missing.status, missing.headers["X-Content-Type-Options"]) == (404, "nosniff")
    async with server(well=False) as made:
        assert (await ask(f"{made.url}/healthz")).status == 503


async def test_a_port_that_is_taken_is_an_error_where_it_was_set_and_else_replaced() -> None:
    async with server() as first:
        with pytest.raises(
            SettingsError,
            match=rf"^PRIVATE_PORT {first.port} on 127.0.0.1 cannot be used: Address already in use\. ",
        ):
            async with server(first.port):
                pass
        async with server(first.port, any_port=True) as second:
            assert second.port != first.port
            assert (await ask(f"{second.url}/hello")).status == 200


async def test_a_start_prints_where_the_private_server_is_and_how_to_get_there(tmp_path: Path) -> None:
    async with (
        stage(tmp_path) as there,
        bot_process(tmp_path, there.values(private_port="0", admin_users="1")) as bot,
    ):
        url = (await bot.prints("private")).split()[1]
        tunnel = await bot.prints("ssh -L")
        port = url.rpartition(":")[2]
        assert f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}" in tunnel
        assert (await ask(f"{url}/healthz")).status == 200
