"""The moves of an admin: asked first on a page of their own, then made once, however often a form is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.errors import DreamreelError
from bot.log import get_log
from bot.request import Problem
from bot.task import Task, TaskState
from bot.text import plain, say
from bot.web.admin.door import Door
from bot.web.admin.drawing import Drawing
from bot.web.admin.sources import Sources


@dataclass(frozen=True, slots=True)
class Move:
    """A button. `warning` is what an admin should know before."""

    verb: str
    label: str
    warning: str
    is_grave: bool = False


CANCEL = Move("cancel", "Cancel", "Nothing was bought yet: it ends, and its person is told.")
STOP = Move(
    "cancel",
    "Stop waiting",
    "It is paid for and goes on at the provider. Its video is fetched but not shown: /history has it.",
    is_grave=True,
)


FIRST = Move("first", "Put first", "It is served before all others who wait for the same provider.")


def offered(task: Task) -> list[Move]:
    """What can be done with a task as it is."""
    if task.hidden or task.delivered_at is not None:
        return []
    match task.state:
        case TaskState.QUEUED:
            return [FIRST, CANCEL]
        case TaskState.SUBMITTING | TaskState.RUNNING:
            return [STOP]
        case _:
            return []


class Acts:
    def __init__(self, sources: Sources, door: Door, drawing: Drawing) -> None:
        self._sources = sources
        self._door = door
        self._drawing = drawing
        self._moves: dict[str, Callable[[str, int], Awaitable[Problem | None]]] = {
            "cancel": sources.moves.cancel,
            "first": sources.moves.put_first,
        }
        self._log = get_log(__name__)

    async def ask(self, request: web.Request, admin: int) -> web.Response:
        """Whether it is really meant."""
        task = await self._sources.store.get(request.match_info["id"])
        move = (
            next((one for one in offered(task) if one.verb == request.match_info["move"]), None)
            if task
            else None
        )
        if task is None or move is None:
            return self._sorry(409, "That can no longer be done", task)
        seal = await self._door.seal_once(request, admin, request.path)
        leave_seal = self._door.seal(request, "/admin/logout")
        values = {"task": task, "move": move, "seal": seal, "leave_seal": leave_seal, "here": "/admin/tasks"}
        return self._drawing.page("confirm.html", values)

    async def move(self, request: web.Request, admin: int) -> web.StreamResponse:
        fields = await request.post()
        task_id, verb = request.match_info["id"], request.match_info["move"]
        if verb not in self._moves:
            raise web.HTTPNotFound
        back = f"/admin/tasks/{task_id}"
        if not await self._door.break_seal(request, request.path, str(fields.get("seal", ""))):
            # Sent twice, as by a double click: what it asked for is done.
            return web.Response(status=303, headers={"Location": back})
        try:
            problem = await self._moves[verb](task_id, admin)
        except DreamreelError as error:
            self._log.warning("an admin's move failed", task=task_id, move=verb, reason=str(error))
            return self._sorry(409, "That can no longer be done", await self._sources.store.get(task_id))
        if problem is not None:
            words = plain(say("en", problem.code, **problem.values))
            return self._sorry(409, words, await self._sources.store.get(task_id))
        return web.Response(status=303, headers={"Location": back})

    def _sorry(self, status: int, title: str, task: Task | None) -> web.Response:
        words = "Meanwhile it has gone on." if task else "There is no such task."
        values: dict[str, Any] = {"title": title, "words": words}
        if task is not None:
            values["back"] = f"/admin/tasks/{task.id}"
        return self._drawing.page("sorry.html", values, status)
