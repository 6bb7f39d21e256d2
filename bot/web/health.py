"""`GET /healthz`: 200 while the bot takes updates in and its worker turns, else 503."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.errors import SettingsError


class HealthServer:
    def __init__(self, host: str, port: int, is_healthy: Callable[[], bool]) -> None:
        self._host = host
        self._port = port
        self._is_healthy = is_healthy
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """SettingsError where the port cannot be had."""
        application = web.Application()
        application.router.add_get("/healthz", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise SettingsError(
                f"LISTEN_PORT {self._port} on {self._host} cannot be used: {error.strerror}."
            ) from None

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        well = self._is_healthy()
        return web.json_response({"status": "ok" if well else "unwell"}, status=200 if well else 503)
