"""The operator's page: what is running, the last days, each task's history, and actions of an admin.

It is at /admin on the private server, and is loaded when it is first opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.admin.auth import LINK_LIVES, make_link
from bot.web.admin.context import AdminContext
from bot.web.admin.names import Names

if TYPE_CHECKING:
    from bot.web.admin.pages import Page, Pages

__all__ = ["LINK_LIVES", "AdminContext", "AdminPages", "Names", "make_link"]


class AdminPages:
    def __init__(self, sources: AdminContext) -> None:
        self._sources = sources
        self._pages: Pages | None = None

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            self._get("/admin", lambda pages: pages.now),
            self._get("/admin/days", lambda pages: pages.days),
            self._get("/admin/tasks", lambda pages: pages.tasks),
            self._get("/admin/tasks/{id}", lambda pages: pages.task),
            self._get("/admin/people/{id:-?[1-9][0-9]{0,17}}", lambda pages: pages.subject),
            self._get("/admin/record", lambda pages: pages.record),
            self._get("/admin/settings", lambda pages: pages.settings),
            self._post("/admin/settings/{name}", lambda pages: pages.change),
            self._post("/admin/people/{id:-?[1-9][0-9]{0,17}}/limits", lambda pages: pages.limits),
            self._get("/admin/bill", lambda pages: pages.bill),
            self._get("/admin/login", lambda pages: pages.login),
            self._get("/admin/static/{name}", lambda pages: pages.static),
            self._post("/admin/login", lambda pages: pages.enter),
            self._post("/admin/logout", lambda pages: pages.leave),
            self._post("/admin/tasks/{id}/words", lambda pages: pages.words),
            *self._action("/admin/{what:tasks|models}/{id}/{action}"),
            *self._action("/admin/{what:people}/{id:-?[1-9][0-9]{0,17}}/{action}"),
            self._get("/admin/{rest:.*}", lambda pages: pages.nothing),
        ]

    def _action(self, path: str) -> list[web.RouteDef]:
        """Ask for confirmation, then run the action."""
        return [self._get(path, lambda pages: pages.ask), self._post(path, lambda pages: pages.act)]

    def _get(self, path: str, page: Callable[[Pages], Page]) -> web.RouteDef:
        return web.get(path, self._lazily(page))

    def _post(self, path: str, page: Callable[[Pages], Page]) -> web.RouteDef:
        return web.post(path, self._lazily(page))

    def _lazily(self, page: Callable[[Pages], Page]) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._pages is None:
                # Most of the time nobody looks at the page, so load the template engine when it is opened.
                from bot.web.admin.pages import Pages  # noqa: PLC0415

                self._pages = Pages(self._sources)
            return await self._pages.answer(request, page(self._pages))

        return answer
