"""The web server: `/healthz` and `/readyz` for monitoring, `GET /photos/…` for providers, and
`POST /telegram` where Telegram calls.

All are at the root and, if PUBLIC_URL has a path (`https://example.org/bot`), also below that path: a proxy
in front may strip or keep it. No response is a redirect, and all but the last accept only GET and HEAD.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from bot.errors import CallUnclear, ChatBusy, ChatError, MediaError, SettingsError, StoreError
from bot.log import get_log, level_of
from bot.media.media_info import FitPhoto
from bot.photo_links import PhotoLinks
from bot.web.connections import BoundedSite, note_first_request
from bot.web.health import Health
from bot.web.photos import OpenPhoto, SharedPhotos
from bot.web.port_errors import reason_of
from bot.web.webhook import Webhook

_RETRY_AFTER_S = 5.0
_LAST_ANSWERS_S = 2.0
"""A slow client does not delay the stop of the bot."""
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Server": "dreamreel",
}


class WebServer:
    """Listens from `start` to `close`. Without `open_photo` and `links` it serves only health checks."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Health,
        open_photo: OpenPhoto | None,
        links: PhotoLinks | None,
        clock: Callable[[], datetime],
        webhook: Webhook | None = None,
    ) -> None:
        self._webhook = webhook
        self._host = host
        self._port = port
        self._health = health
        self._photos = SharedPhotos(open_photo) if open_photo else None
        self._links = links
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._log = get_log(__name__)

    @property
    def port(self) -> int:
        """Return the port on which it listens, also if it was started with 0 for a free port."""
        return int(self._runner.addresses[0][1]) if self._runner and self._runner.addresses else self._port

    async def start(self) -> None:
        """Start to listen. Raises SettingsError if the port is not available."""
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=_LAST_ANSWERS_S, handle_signals=False
        )
        await self._runner.setup()
        try:
            await BoundedSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise SettingsError(
                f"LISTEN_PORT {self._port} on {self._host} cannot be used: {reason_of(error)}."
            ) from None

    async def close(self) -> None:
        if self._photos is not None:
            await self._photos.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[note_first_request])
        for prefix in {"", self._links.prefix if self._links else ""}:
            application.add_routes(self._health.routes(prefix))
            if self._webhook is not None:
                application.add_routes(self._webhook.routes(prefix))
            application.router.add_get(f"{prefix}/photos/{{rest:.*}}", self._photo)
        application.on_response_prepare.append(_add_headers)
        return application

    async def _photo(self, request: web.Request) -> web.Response:
        found = self._links.read(request.rel_url.raw_path, self._clock()) if self._links else None
        if found is None or self._photos is None:
            # Forged and expired links get the same answer, so that nobody learns which links existed.
            raise web.HTTPNotFound
        task_id, index = found
        photo = await self._open(self._photos, task_id, index)
        self._log.info("a photo was fetched by its link", task=task_id, index=index, method=request.method)
        return web.Response(body=photo.data, content_type=photo.content_type)

    async def _open(self, photos: SharedPhotos, task_id: str, index: int) -> FitPhoto:
        try:
            photo = await photos.get(task_id, index)
        except (ChatBusy, CallUnclear, StoreError) as error:
            # Telegram or the disk may answer again later: tell the client to retry.
            pause_s = error.retry_after_s if isinstance(error, ChatBusy) else _RETRY_AFTER_S
            reason = type(error).__name__
            self._log.log(
                level_of(error), "a photo could not be opened", task=task_id, index=index, reason=reason
            )
            retry_after = {"Retry-After": str(max(math.ceil(pause_s), 1))}
            raise web.HTTPServiceUnavailable(headers=retry_after) from error
        except (MediaError, ChatError) as error:
            reason = error.code if isinstance(error, MediaError) else type(error).__name__
            self._log.warning("a photo is gone", task=task_id, index=index, reason=reason)
            raise web.HTTPNotFound from error
        if photo is None:
            raise web.HTTPNotFound
        return photo


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
