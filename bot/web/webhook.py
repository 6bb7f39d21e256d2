"""The webhook: `POST /telegram` from Telegram, answered only after the update is stored.

A call without the secret gets 404, as for an unknown URL.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.errors import StoreError
from bot.integers import is_storable
from bot.log import get_log, level_of

WEBHOOK_PATH = "/telegram"
_SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
_RETRY_AFTER_S = "2"

OnUpdate = Callable[[dict[str, Any]], Awaitable[None]]
"""Stores an update as Telegram sent it; returns when it cannot be lost any more. Raises StoreError."""


class Webhook:
    def __init__(self, secret: str, on_update: OnUpdate) -> None:
        self._secret = secret.encode()
        self._on_update = on_update
        self._log = get_log(__name__)

    def routes(self, prefix: str = "") -> list[web.RouteDef]:
        return [web.post(f"{prefix}{WEBHOOK_PATH}", self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        given = request.headers.get(_SECRET, "").encode(errors="replace")
        if not hmac.compare_digest(given, self._secret):
            raise web.HTTPNotFound
        try:
            update = await request.json()
        except (ValueError, RecursionError):
            update = None
        update_id = update.get("update_id") if isinstance(update, dict) else None
        if not isinstance(update_id, int) or not is_storable(update_id):
            # Telegram would send it for ever.
            self._log.error("an unreadable update arrived")
            return web.Response()
        try:
            await self._on_update(update)
        except StoreError as error:
            self._log.log(level_of(error), "an update could not be stored", reason=str(error))
            raise web.HTTPServiceUnavailable(headers={"Retry-After": _RETRY_AFTER_S}) from error
        return web.Response()
