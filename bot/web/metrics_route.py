"""`GET /metrics`: the bot's metrics in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import StoreError

Render = Callable[[], Awaitable[tuple[bytes, str]]]
"""Returns the page and its content type. Raises StoreError."""


def metrics_routes(render: Render) -> list[web.RouteDef]:
    async def metrics(_: web.Request) -> web.Response:
        try:
            body, content_type = await render()
        except StoreError as error:
            raise web.HTTPServiceUnavailable(text="The database does not answer.\n") from error
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [web.get("/metrics", metrics)]
