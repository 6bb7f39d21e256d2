"""How many connections a web server has at most, and how long a new one may wait with its first request.

Each connection takes a file of the process: whoever opens a thousand and says nothing would leave none for
Telegram and the database.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

MOST = 500
"""Telegram opens 40, a provider a few."""
FIRST_REQUEST_S = 10.0


class LimitedSite(web.TCPSite):
    """Listens like `web.TCPSite`. Its application needs `middleware`, which tells it of requests."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        most: int = MOST,
        first_request_s: float = FIRST_REQUEST_S,
    ) -> None:
        super().__init__(runner, host, port)
        self._most = most
        self._first_request_s = first_request_s

    async def start(self) -> None:
        await web.BaseSite.start(self)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, self._host, self._port, backlog=self._backlog)

    def _connect(self) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None  # noqa: S101 - it is set up before a site is made
        if len(server.connections) >= self._most:
            return _Refusal()
        protocol: web.RequestHandler = server()
        loop = asyncio.get_running_loop()
        _waiting[protocol] = loop.call_later(self._first_request_s, _hang_up, protocol)
        return protocol


class _Refusal(asyncio.Protocol):
    """Hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a TCP connection
        transport.abort()


_waiting: dict[object, asyncio.TimerHandle] = {}
"""Connections without a request so far, and what hangs up on them."""


def _hang_up(protocol: web.RequestHandler) -> None:
    del _waiting[protocol]
    protocol.force_close()


@web.middleware
async def expect_no_more(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Its first request is there: the connection may stay."""
    if (timer := _waiting.pop(request.protocol, None)) is not None:
        timer.cancel()
    return await handler(request)
