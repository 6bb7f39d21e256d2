"""The private web server, for the operator only. It listens on loopback unless PRIVATE_HOST says otherwise.

It answers only to names that an attacker cannot own: a browser that was tricked into resolving `evil.example`
to this address (DNS rebinding) sends that name and is refused.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.errors import SettingsError
from bot.web.connections import BoundedSite, note_first_request
from bot.web.health import Health
from bot.web.port_errors import reason_of

_LAST_ANSWERS_S = 2.0
"""A slow reader does not delay the stop of the bot."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


class PrivateServer:
    """Listens from `start` to `close` and serves `routes`: metrics, health checks and the operator's page."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Health,
        routes: Iterable[web.AbstractRouteDef] = (),
        address: str | None = None,
        any_port: bool = False,
    ) -> None:
        """`port` 0 takes a free port; with `any_port` a free port is taken if `port` is not available.

        `address`: the URL for browsers, if it is not `url`. The server also answers to IP addresses and to
        names without a dot.
        """
        self._host = host
        self._port = port
        self._any_port = any_port
        self._routes = [*routes, *health.routes()]
        self._address = address
        self._names = frozenset(filter(None, (host.lower(), urlsplit(address or "").hostname)))
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Return the port on which it listens."""
        return int(self._runner.addresses[0][1]) if self._runner and self._runner.addresses else self._port

    @property
    def url(self) -> str:
        """Return its URL for a browser on this machine."""
        address = ipaddress.ip_address(self._host) if _is_address(self._host) else None
        host = "127.0.0.1" if address is not None and address.is_unspecified else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def address(self) -> str:
        """Return the URL at which browsers reach it."""
        return self._address or self.url

    @property
    def tunnel(self) -> str:
        """Return the command that opens a tunnel to it; empty if none is needed."""
        if self._address or self._host not in ("127.0.0.1", "localhost", "::1"):
            return ""
        there = f"[{self._host}]" if ":" in self._host else self._host
        return f"ssh -L {self.port}:{there}:{self.port} {socket.gethostname()}"

    async def start(self) -> None:
        """Start to listen. Raises SettingsError if the port is not available."""
        application = web.Application(middlewares=[note_first_request, self._turn_away_strange_names])
        application.add_routes(self._routes)
        application.on_response_prepare.append(_add_headers)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=_LAST_ANSWERS_S, handle_signals=False
        )
        await self._runner.setup()
        try:
            try:
                await BoundedSite(self._runner, self._host, self._port).start()
            except OSError as error:
                if not self._any_port or error.errno != errno.EADDRINUSE:
                    raise
                await BoundedSite(self._runner, self._host, 0).start()
        except OSError as error:
            raise SettingsError(
                f"PRIVATE_PORT {self._port} on {self._host} cannot be used: {reason_of(error)}."
                " Choose another one, 0 for a free one, or off."
            ) from None

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _turn_away_strange_names(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_ours(request.host, self._names):
            raise web.HTTPMisdirectedRequest(text="This server does not go by that name: see PRIVATE_URL.\n")
        return await handler(request)


_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[\w.-]+))(?::\d{1,5})?", re.ASCII)


def _is_ours(host_header: str, names: frozenset[str]) -> bool:
    """Return True for our names, IP addresses and names without a dot: no foreign DNS points them here."""
    found = _HOST.fullmatch(host_header)
    if found is None:
        return False
    name = (found["six"] or found["name"]).lower()
    return name in names or "." not in name or _is_address(name)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "dreamreel"
    for name, value in _HEADERS.items():  # a page may say otherwise
        response.headers.setdefault(name, value)
