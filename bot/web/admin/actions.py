"""Actions of an admin: confirmed on a page of their own, then run once, however often the form is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.admin.actions import ActionRefused
from bot.errors import DreamreelError
from bot.log import get_log
from bot.store.budget import EVERYTHING
from bot.web.admin.auth import Auth
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import cost_of
from bot.web.admin.offered_actions import (
    ALL_MODELS,
    ActionButton,
    offers_for_model,
    offers_for_subject,
    offers_for_task,
)
from bot.web.admin.renderer import Renderer

_Do = Callable[[str, int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Target:
    """What an action is about."""

    name: str
    words: str
    page: str
    """The page to show afterwards."""
    offers: list[ActionButton]


class ActionPages:
    def __init__(self, sources: AdminContext, door: Auth, drawing: Renderer) -> None:
        self._sources = sources
        self._door = door
        self._drawing = drawing
        actions = sources.actions
        self._do: dict[tuple[str, str], _Do] = {
            ("tasks", "cancel"): actions.cancel,
            ("tasks", "first"): actions.prioritise,
            ("tasks", "again"): actions.retry,
            ("people", "allow"): lambda name, by: actions.allow(int(name), by),
            ("people", "ban"): lambda name, by: actions.decide(int(name), "banned", by),
            ("models", "pause"): lambda name, by: actions.pause(_model(name), by),
            ("models", "resume"): lambda name, by: actions.resume(_model(name), by),
        }
        self._log = get_log(__name__)

    async def ask(self, request: web.Request, admin: int) -> web.Response:
        """Ask for confirmation."""
        target = await self._target(request)
        verb = request.match_info["action"]
        action = next((one for one in target.offers if one.verb == verb), None) if target else None
        if target is None or action is None:
            return self._sorry("That cannot be done now", target)
        csrf_token = await self._door.one_time_csrf_token(request, admin, request.path)
        logout_csrf_token = self._door.csrf_token(request, "/admin/logout")
        values = {
            "target": target,
            "action": action,
            "csrf_token": csrf_token,
            "logout_csrf_token": logout_csrf_token,
        }
        return self._drawing.page("confirm.html", values)

    async def act(self, request: web.Request, admin: int) -> web.StreamResponse:
        fields = await request.post()
        target, verb = await self._target(request), request.match_info["action"]
        do = self._do.get((request.match_info["what"], verb))
        if target is None or do is None:
            return self._sorry("That cannot be done now", target)
        if not await self._door.consume_csrf_token(request, request.path, str(fields.get("csrf_token", ""))):
            # Sent twice, as by a double click: it is done already.
            return web.Response(status=303, headers={"Location": target.page})
        try:
            await do(target.name, admin)
        except DreamreelError as error:
            self._log.warning("an admin action failed", target=target.name, action=verb, reason=str(error))
            is_ours = isinstance(error, ActionRefused)
            return self._sorry(str(error) if is_ours else "That cannot be done now", target)
        return web.Response(status=303, headers={"Location": target.page})

    async def _target(self, request: web.Request) -> _Target | None:
        sources, name = self._sources, request.match_info["id"]
        match request.match_info["what"]:
            case "tasks":
                task = await sources.store.tasks.get(name)
                page = f"/admin/tasks/{name}"
                if task is None:
                    return None
                return _Target(name, f"task {name}", page, offers_for_task(task, cost_of(sources, task)))
            case "people":
                subject = int(name)
                permission = await sources.permissions.of(subject)
                words = f"{'person' if subject > 0 else 'group'} {subject}"
                return _Target(name, words, f"/admin/people/{name}", offers_for_subject(permission))
            case _ if name == ALL_MODELS or name in sources.models:
                paused = {pause.model for pause in await sources.store.budget.pauses()}
                words = "all models" if name == ALL_MODELS else f"model {name}"
                return _Target(name, words, "/admin", offers_for_model(is_paused=_model(name) in paused))
            case _:
                return None

    def _sorry(self, title: str, target: _Target | None) -> web.Response:
        words = "It may have gone on meanwhile." if target else "There is no such thing here."
        values: dict[str, Any] = {"title": title, "words": words}
        if target is not None:
            values["back"] = target.page
        return self._drawing.page("sorry.html", values, 409)


def _model(name: str) -> str:
    return EVERYTHING if name == ALL_MODELS else name
