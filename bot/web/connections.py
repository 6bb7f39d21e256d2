"""Limits of a web server: how many connections it has, and how long a new one waits with its first request.

Each connection takes a file descriptor of the process: a client that opens a thousand and sends nothing would
leave none for Telegram and the database.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

if sys.platform != "win32":
    import resource

MOST = 500
"""Telegram opens 40, a provider a few."""
FIRST_REQUEST_S = 10.0
_FILES = 65_536
"""Open at once: connections, and what is read and written."""


def allow_many_files() -> None:
    """Raise the soft limit on open files, which is 1,024 on most systems, to what the system allows."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(family: int, address: tuple[Any, ...], backlog: int | None = None) -> socket.socket:
    """Return a socket that listens at `address`; at `::` it answers IPv4 too. Raises OSError."""
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=backlog, dualstack_ipv6=both)


class BoundedSite(web.TCPSite):
    """A `web.TCPSite` with limits. Its application needs the middleware `note_first_request`."""

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
        if self._host == "::":
            # asyncio would let it answer IPv6 alone.
            sock = listen(socket.AF_INET6, ("::", self._port), self._backlog)
            self._server = await loop.create_server(self._connect, sock=sock, backlog=self._backlog)
        else:
            self._server = await loop.create_server(
                self._connect, self._host, self._port, backlog=self._backlog
            )

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
    """Close the connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a TCP connection
        transport.abort()


_waiting: dict[object, asyncio.TimerHandle] = {}
"""Connections without a request so far, and the timers that close them."""


def _hang_up(protocol: web.RequestHandler) -> None:
    del _waiting[protocol]
    protocol.force_close()


@web.middleware
async def note_first_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stop the timer of the connection: its first request has arrived."""
    if (timer := _waiting.pop(request.protocol, None)) is not None:
        timer.cancel()
    return await handler(request)
