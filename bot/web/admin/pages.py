"""The pages by URL: who may see one, what it shows, and its security headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.admin.billing import draw_bill
from bot.admin.permissions import FIGURES
from bot.errors import SettingsError, StoreError
from bot.log import get_log, level_of
from bot.store.audit import AuditEntry
from bot.web.admin.actions import ActionPages
from bot.web.admin.audit_page import record_page
from bot.web.admin.auth import Auth, is_from_here
from bot.web.admin.context import AdminContext
from bot.web.admin.days_page import days_page
from bot.web.admin.now_page import now_page
from bot.web.admin.renderer import Renderer
from bot.web.admin.settings_page import read_limits, settings_page
from bot.web.admin.subject_page import subject_page
from bot.web.admin.tasks_page import tasks_page
from bot.web.admin.timeline import task_page

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # `no-referrer` would also remove the origin from our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_STATIC: Final = Path(__file__).parent / "static"
_TYPES = {"admin.css": "text/css", "admin.js": "text/javascript", "icon.svg": "image/svg+xml"}
_NOBODY: Final = 0
_ADMIN: Final = web.RequestKey("admin", int)
_TOO_OLD: Final = "That form was too old. Nothing was changed: send it again."
Page = Callable[[web.Request, int], Awaitable[web.StreamResponse]]
"""Handles a request of an admin, whose id it gets."""


class Pages:
    def __init__(self, sources: AdminContext) -> None:
        self._sources = sources
        self._auth = Auth(sources)
        self._drawing = Renderer(sources)
        self._actions = ActionPages(sources, self._auth, self._draw)
        self._open = {self.login, self.enter, self.static}
        self._log = get_log(__name__)

    async def answer(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Show `page` to an admin, and to others that they need a link."""
        try:
            response = await self._answer(request, page)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        except StoreError as error:
            self._log.log(level_of(error), "a page could not be loaded", reason=str(error))
            response = await self._sorry(
                request, 503, "The database does not answer", "Try again in a moment."
            )
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def _answer(self, request: web.Request, page: Page) -> web.StreamResponse:
        if request.method == "POST" and not is_from_here(request):
            return await self._sorry(
                request, 403, "That form came from elsewhere", "Open the page itself and try again."
            )
        if page in self._open:
            return await page(request, _NOBODY)
        admin = await self._auth.who(request)
        if admin is None:
            return await self._sorry(
                request,
                401,
                "Please come in by a link",
                "Write /admin to the bot, in your private chat with it.",
            )
        request[_ADMIN] = admin
        return await page(request, admin)

    async def now(self, request: web.Request, _: int) -> web.Response:
        return await self._draw(request, "now.html", await now_page(self._sources))

    async def days(self, request: web.Request, _: int) -> web.Response:
        return await self._draw(request, "days.html", await days_page(self._sources, request.query))

    async def tasks(self, request: web.Request, _: int) -> web.Response:
        return await self._draw(request, "tasks.html", await tasks_page(self._sources, request.query))

    async def task(self, request: web.Request, _: int) -> web.Response:
        return await self._task(request, shows_words=False)

    async def subject(self, request: web.Request, admin: int) -> web.Response:
        return await self._subject(request, admin)

    async def _subject(
        self, request: web.Request, admin: int, wrong: str = "", tried: dict[str, str] | None = None
    ) -> web.Response:
        subject = int(request.match_info["id"])
        values = await subject_page(self._sources, subject, admin, wrong=wrong, tried=tried)
        csrf_token = self._auth.csrf_token(request, f"/admin/people/{subject}/limits")
        values |= {"limits_csrf_token": csrf_token}
        return await self._draw(
            request, "subject.html", values, 403 if wrong == _TOO_OLD else 409 if wrong else 200
        )

    async def record(self, request: web.Request, _: int) -> web.Response:
        return await self._draw(request, "record.html", await record_page(self._sources))

    async def settings(self, request: web.Request, _: int) -> web.Response:
        return await self._draw_settings(request, await settings_page(self._sources.live_settings))

    async def change(self, request: web.Request, admin: int) -> web.StreamResponse:
        """Change a setting. The same form sent twice changes it once."""
        fields, live_settings = await request.post(), self._sources.live_settings
        name, value = request.match_info["name"], str(fields.get("value", "")).strip()
        if not self._auth.is_csrf_token_valid(request, "/admin/settings", str(fields.get("csrf_token", ""))):
            return await self._draw_settings(
                request, await settings_page(live_settings, wrong=_TOO_OLD, tried=(name, value))
            )
        try:
            await live_settings.change(name, None if fields.get("back") else value, admin)
        except SettingsError as error:
            values = await settings_page(live_settings, wrong=str(error), tried=(name, value))
            return await self._draw_settings(request, values)
        return _elsewhere("/admin/settings")

    async def limits(self, request: web.Request, admin: int) -> web.StreamResponse:
        """Change the limits of a person or a group."""
        fields, subject = await request.post(), int(request.match_info["id"])
        page = f"/admin/people/{subject}"
        tried: dict[str, str] = {figure: str(fields.get(figure, "")).strip() for figure in FIGURES}
        if not self._auth.is_csrf_token_valid(request, f"{page}/limits", str(fields.get("csrf_token", ""))):
            return await self._subject(request, admin, _TOO_OLD, tried)
        try:
            limits = read_limits(tried)
        except ValueError:
            wrong = "That is no limit: give a number, or unlimited."
            return await self._subject(request, admin, wrong, tried)
        await self._sources.actions.limit(subject, limits, admin)
        return _elsewhere(page)

    async def words(self, request: web.Request, admin: int) -> web.Response:
        """Show a task with its prompt: only after a button press, and recorded."""
        fields = await request.post()
        if not self._auth.is_csrf_token_valid(request, request.path, str(fields.get("csrf_token", ""))):
            return await self._sorry(request, 403, "The words are not shown", _TOO_OLD)
        task_id = request.match_info["id"]
        self._log.info("an admin reads a prompt", task=task_id, admin=admin)
        await self._sources.store.audit.add(AuditEntry("words", task_id, admin, self._sources.clock()))
        return await self._task(request, shows_words=True)

    async def _task(self, request: web.Request, *, shows_words: bool) -> web.Response:
        found = await task_page(self._sources, request.match_info["id"], shows_words=shows_words)
        if found is None:
            return await self._sorry(
                request, 404, "There is no such task", "It may have been forgotten, or never was."
            )
        words_path = f"/admin/tasks/{found['task'].id}/words"
        return await self._draw(
            request, "task.html", found | {"words_csrf_token": self._auth.csrf_token(request, words_path)}
        )

    async def bill(self, request: web.Request, _: int) -> web.StreamResponse:
        """Send a month as a file, row by row. Nothing is sent before its first page has been read."""
        sources, month = self._sources, request.query.get("month", "")
        pieces = draw_bill(
            sources.store.statistics,
            month,
            zone=sources.zone,
            models=sources.models,
            currency=sources.currency,
            redact=sources.redact,
        )
        try:
            heading = await anext(pieces)
        except ValueError:
            return await self._sorry(request, 404, "There is no such month", "Name one such as 2026-11.")
        response = web.StreamResponse(headers=_HEADERS)
        response.content_type, response.charset = "text/csv", "utf-8"
        response.headers["Content-Disposition"] = f'attachment; filename="dreamreel-{month}.csv"'
        await response.prepare(request)
        # Without this mark spreadsheets assume the encoding of their own country.
        await response.write(f"\ufeff{heading}".encode())
        async for piece in pieces:
            await response.write(piece.encode())
        await response.write_eof()
        return response

    async def ask(self, request: web.Request, admin: int) -> web.Response:
        return await self._actions.ask(request, admin)

    async def act(self, request: web.Request, admin: int) -> web.StreamResponse:
        return await self._actions.act(request, admin)

    async def nothing(self, request: web.Request, _: int) -> web.Response:
        return await self._sorry(request, 404, "There is no such page", "Go back to /admin.")

    async def login(self, _: web.Request, __: int) -> web.Response:
        return self._drawing.page("login.html", {})

    async def enter(self, request: web.Request, _: int) -> web.StreamResponse:
        fields = await request.post()
        response = _elsewhere("/admin")
        if await self._auth.enter(str(fields.get("token", "")).strip(), response):
            return response
        return await self._sorry(
            request,
            403,
            "This link is used up",
            "Each is good once, and for ten minutes. Write /admin to the bot for another.",
        )

    async def leave(self, request: web.Request, _: int) -> web.StreamResponse:
        fields = await request.post()
        response = _elsewhere("/admin/login")
        if self._auth.is_csrf_token_valid(request, request.path, str(fields.get("csrf_token", ""))):
            await self._auth.leave(request, response)
        return response

    async def static(self, request: web.Request, _: int) -> web.Response:
        name = request.match_info["name"]
        if name not in _TYPES:
            raise web.HTTPNotFound
        return web.Response(body=(_STATIC / name).read_bytes(), content_type=_TYPES[name], charset="utf-8")

    async def _draw_settings(self, request: web.Request, values: dict[str, Any]) -> web.Response:
        tokens = {
            "settings_csrf_token": self._auth.csrf_token(request, "/admin/settings"),
            "here": "/admin/settings",
        }
        return await self._draw(
            request, "settings.html", values | tokens, 403 if values["wrong"] == _TOO_OLD else 200
        )

    async def _draw(
        self, request: web.Request, template: str, values: dict[str, Any], status: int = 200
    ) -> web.Response:
        """Draw a page, with the navigation if there is an admin; `values["subjects"]` are named on it."""
        logout = self._auth.csrf_token(request, "/admin/logout") if _ADMIN in request else ""
        more: dict[str, Any] = {"logout_csrf_token": logout, "here": request.path}
        if subjects := values.get("subjects"):
            more["names"] = await self._sources.names.of(subjects)
        return self._drawing.page(template, more | values, status)

    async def _sorry(self, request: web.Request, status: int, title: str, words: str) -> web.Response:
        return await self._draw(request, "sorry.html", {"title": title, "words": words}, status)


def _elsewhere(path: str) -> web.Response:
    """Return a redirect with cookies. 303: the browser does not post again."""
    return web.Response(status=303, headers={"Location": path})
