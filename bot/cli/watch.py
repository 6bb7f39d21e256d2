"""Watch tasks as they change: redrawn each second, or a line of JSON for each change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live

from bot.cli import task_table
from bot.cli.context import find_task
from bot.store import Store, TaskFilter
from bot.task import Task, TaskState

_EVERY_S = 1.0
_MOST = 100
_OPEN = TaskFilter(states=frozenset({TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING}))


class WatchContext(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def now(self) -> datetime: ...

    async def ahead(self, tasks: list[Task]) -> dict[str, int]: ...


async def draw(ctx: WatchContext, name: str | None) -> None:
    """Redraw the tasks on a terminal until the given task has ended, or forever."""
    task = await find_task(ctx.store, name) if name else None
    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        while True:
            picture, over = await (_all(ctx) if task is None else _one(ctx, task.id))
            live.update(picture, refresh=True)
            if over:
                return
            await asyncio.sleep(_EVERY_S)


async def print_changes(ctx: WatchContext, name: str | None, write: Callable[[str], object]) -> None:
    """Write each task once as it is, and again after each change."""
    task = await find_task(ctx.store, name) if name else None
    seen: dict[str, int] = {}
    while True:
        if task is not None:
            fresh = await ctx.store.tasks.get(task.id)
            tasks = [fresh] if fresh else []
        else:
            tasks = await _open_and(ctx, seen)
        for one in tasks:
            if seen.get(one.id) != one.version:
                seen[one.id] = one.version
                write(task_table.write_json(task_table.task_json(one)))
        if task is not None and all(one.delivered_at for one in tasks):
            return
        await asyncio.sleep(_EVERY_S)


async def _open_and(ctx: WatchContext, seen: dict[str, int]) -> list[Task]:
    """Return the tasks that wait or run, and those seen before until they are closed."""
    tasks = {task.id: task for task in await ctx.store.tasks.list_tasks(_OPEN, _MOST)}
    for task_id in seen.keys() - tasks.keys():
        task = await ctx.store.tasks.get(task_id)
        if task is None or seen[task_id] == task.version:
            if task is None or task.delivered_at is not None:
                del seen[task_id]
            continue
        tasks[task_id] = task
    return list(tasks.values())


async def _all(ctx: WatchContext) -> tuple[RenderableType, bool]:
    tasks = await ctx.store.tasks.list_tasks(_OPEN, _MOST)
    count = await ctx.store.tasks.count_tasks(_OPEN)
    below = f"{count} wait or run, at {ctx.now.astimezone():%H:%M:%S}"
    return task_table.draw_table(tasks, await ctx.ahead(tasks), ctx.now, below), False


async def _one(ctx: WatchContext, task_id: str) -> tuple[RenderableType, bool]:
    task = await ctx.store.tasks.get(task_id)
    if task is None:
        return "It does not exist any more.", True
    ahead = (await ctx.ahead([task])).get(task.id, 0)
    story = task_table.draw_task_page(task, await ctx.store.tasks.attempts(task.id), ahead, ctx.now)
    return story, task.delivered_at is not None
