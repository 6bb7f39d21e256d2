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
from bot.task import Task
from bot.web.admin.auth import Auth
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import cost_of
from bot.web.admin.offered_actions import (
    ALL_MODELS,
    ActionButton,
    offers_for_model,
    offers_for_task,
)
from bot.web.admin.subject_page import subject_offers

_Do = Callable[[str, int, str], Awaitable[object]]
"""Gets the target's name, the admin, and what was typed."""
_Draw = Callable[[web.Request, str, dict[str, Any], int], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class _Target:
    """What an action is about."""

    name: str
    words: str
    page: str
    """The page to show afterwards."""
    offers: list[ActionButton]

    def action(self, request: web.Request) -> ActionButton | None:
        """Return the button that the URL names, if it is offered."""
        verb = request.match_info["action"]
        return next((one for one in self.offers if one.verb == verb), None)


class ActionPages:
    def __init__(self, sources: AdminContext, auth: Auth, draw: _Draw) -> None:
        self._sources = sources
        self._auth = auth
        self._draw = draw
        actions = sources.actions
        self._do: dict[tuple[str, str], _Do] = {
            ("tasks", "cancel"): lambda name, by, _: actions.cancel(name, by),
            ("tasks", "first"): lambda name, by, _: actions.prioritise(name, by),
            ("tasks", "again"): lambda name, by, _: actions.retry(name, by),
            ("tasks", "not-made"): lambda name, by, _: actions.free_slot(name, by),
            ("tasks", "attach"): lambda name, by, typed: actions.attach(name, typed, by),
            ("people", "allow"): lambda name, by, _: actions.allow(int(name), by),
            ("people", "ban"): lambda name, by, _: actions.decide(int(name), "banned", by),
            ("people", "undecide"): lambda name, by, _: actions.decide(int(name), None, by),
            ("people", "remove-admin"): lambda name, by, _: actions.remove_admin(int(name), by),
            ("models", "pause"): lambda name, by, _: actions.pause(_model(name), by),
            ("models", "resume"): lambda name, by, _: actions.resume(_model(name), by),
        }
        self._log = get_log(__name__)

    async def ask(self, request: web.Request, admin: int) -> web.Response:
        """Ask for confirmation."""
        target = await self._target(request, admin)
        action = target.action(request) if target else None
        if target is None or action is None:
            return await self._sorry(request, "That cannot be done now", target)
        return await self._confirm(request, admin, target, action)

    async def _confirm(
        self,
        request: web.Request,
        admin: int,
        target: _Target,
        action: ActionButton,
        *,
        typed: str = "",
        wrong: str = "",
    ) -> web.Response:
        csrf_token = await self._auth.one_time_csrf_token(request, admin, request.path)
        values = {
            "target": target,
            "action": action,
            "csrf_token": csrf_token,
            "typed": typed,
            "wrong": wrong,
        }
        return await self._draw(request, "confirm.html", values, 409 if wrong else 200)

    async def act(self, request: web.Request, admin: int) -> web.StreamResponse:
        fields = await request.post()
        target, verb = await self._target(request, admin), request.match_info["action"]
        do = self._do.get((request.match_info["what"], verb))
        if target is None or do is None:
            return await self._sorry(request, "That cannot be done now", target)
        typed = str(fields.get("typed", "")).strip()
        if not await self._auth.consume_csrf_token(request, request.path, str(fields.get("csrf_token", ""))):
            # Sent twice, as by a double click: it is done already.
            return web.Response(status=303, headers={"Location": target.page})
        try:
            done = await do(target.name, admin, typed)
        except DreamreelError as error:
            self._log.warning("an admin action failed", target=target.name, action=verb, reason=str(error))
            if not isinstance(error, ActionRefused):
                return await self._sorry(request, "That cannot be done now", target)
            action = target.action(request)
            if action is not None and action.field:
                return await self._confirm(request, admin, target, action, typed=typed, wrong=str(error))
            return await self._sorry(request, str(error), target)
        # What was ordered again is a task of its own.
        page = f"/admin/tasks/{done.id}" if isinstance(done, Task) else target.page
        return web.Response(status=303, headers={"Location": page})

    async def _target(self, request: web.Request, admin: int) -> _Target | None:
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
                called = (await sources.names.of([subject]))[subject]
                words = f"{'person' if subject > 0 else 'group'} {called}"
                offers = await subject_offers(sources, subject, admin)
                return _Target(name, words, f"/admin/people/{name}", offers)
            case _ if name == ALL_MODELS or name in sources.models:
                paused = {pause.model for pause in await sources.store.budget.pauses()}
                words = "all models" if name == ALL_MODELS else f"model {name}"
                return _Target(name, words, "/admin", offers_for_model(is_paused=_model(name) in paused))
            case _:
                return None

    async def _sorry(self, request: web.Request, title: str, target: _Target | None) -> web.Response:
        words = "It may have gone on meanwhile." if target else "There is no such thing here."
        values: dict[str, Any] = {"title": title, "words": words}
        if target is not None:
            values["back"] = target.page
        return await self._draw(request, "sorry.html", values, 409)


def _model(name: str) -> str:
    return EVERYTHING if name == ALL_MODELS else name
