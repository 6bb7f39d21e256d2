"""Health checks: `GET /healthz` says whether to restart the bot, `GET /readyz` whether to send it traffic.

`/healthz` returns 200 while Telegram answers and the worker runs, `/readyz` while also the database answers
and the bot is not stopping. Otherwise they return 503.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Health:
    is_healthy: Callable[[], bool]
    is_ready: Callable[[], Awaitable[bool]]

    def routes(self, prefix: str = "") -> list[web.RouteDef]:
        return [web.get(f"{prefix}/healthz", self._healthy), web.get(f"{prefix}/readyz", self._ready)]

    async def _healthy(self, _: web.Request) -> web.Response:
        return _reply("ok" if self.is_healthy() else "unwell", well=self.is_healthy())

    async def _ready(self, _: web.Request) -> web.Response:
        ready = await self.is_ready()
        return _reply("ready" if ready else "not ready", well=ready)


def _reply(status: str, *, well: bool) -> web.Response:
    return web.json_response({"status": status}, status=200 if well else 503)
