"""The heartbeat: call HEARTBEAT_URL while the bot is ready, so that a monitoring service notices its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from pydantic import SecretStr

from bot.log import get_log
from bot.network.proxies import Proxy, proxy_connector, proxy_errors

_EVERY_S = 60.0
_LIMIT = aiohttp.ClientTimeout(total=15)


class Heartbeat:
    """`url` is a secret: anyone who knows it can pretend that the bot is ready."""

    def __init__(
        self, url: SecretStr, is_ready: Callable[[], Awaitable[bool]], proxy: Proxy | None = None
    ) -> None:
        self._url = url
        self._is_ready = is_ready
        self._proxy = proxy
        self._is_failing = False
        self._log = get_log(__name__)

    async def run(self, every_s: float = _EVERY_S) -> None:
        """Call the address once a minute, until cancelled."""
        while True:
            if await self._is_ready():
                await self._call()
            await asyncio.sleep(every_s)

    async def _call(self) -> None:
        connector = proxy_connector(self._proxy.url) if self._proxy else None
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=_LIMIT) as session,
                session.get(self._url.get_secret_value()) as answer,
            ):
                reason = "" if answer.ok else f"status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = type(error).__name__  # its text may hold the address
        except proxy_errors():
            reason = f"the proxy {self._proxy} does not let it through"
        if reason and not self._is_failing:
            self._log.warning("HEARTBEAT_URL cannot be called", reason=reason)
        elif self._is_failing and not reason:
            self._log.info("HEARTBEAT_URL can be called again")
        self._is_failing = bool(reason)
