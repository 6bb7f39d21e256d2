"""Health checks: `GET /healthz` says whether to restart the bot, `GET /readyz` whether to send it traffic.

`/healthz` returns 200 while the worker runs, also while Telegram or the database does not answer: a restart
would fix none of that. `/readyz` returns 200 while Telegram answers, the database takes writes and the bot is
not stopping. Otherwise they return 503, and `/readyz` says why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Health:
    is_healthy: Callable[[], bool]
    obstacles: Callable[[], Awaitable[list[str]]]
    """Why the bot is not ready; empty while it is."""

    def routes(self, prefix: str = "") -> list[web.RouteDef]:
        return [web.get(f"{prefix}/healthz", self._healthy), web.get(f"{prefix}/readyz", self._ready)]

    async def _healthy(self, _: web.Request) -> web.Response:
        well = self.is_healthy()
        return web.json_response({"status": "ok" if well else "unwell"}, status=200 if well else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        if reasons := await self.obstacles():
            return web.json_response({"status": "not ready", "reasons": reasons}, status=503)
        return web.json_response({"status": "ready"})
