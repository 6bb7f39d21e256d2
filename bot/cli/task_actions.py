"""What an operator can do with one task: cancel it, put it first, attach a remote id to it.

The running bot goes on from the row as it finds it. If the bot moves the task at the same moment, the row is
read again and the action repeated. Every action is recorded. `Refused` says in one sentence why an action is
not possible.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.codes import FailureCode
from bot.errors import DreamreelError, IllegalMove
from bot.request import VideoModel
from bot.store import Store, TaskFilter
from bot.store.audit import THE_MACHINE, AuditEntry
from bot.task import Task, TaskState

_SEARCHED = 1000
"""How many of a provider's newest tasks are searched for the same remote id."""


class Refused(DreamreelError):
    """The action is not possible with this task; the text is one sentence."""


async def find(store: Store, name: str) -> Task:
    """Return the task with this id, or the only one whose id begins with `name`. Raises Refused otherwise."""
    if (task := await store.tasks.get(name)) is not None:
        return task
    found = await store.tasks.list_tasks(TaskFilter(id_prefix=name), 2) if name else []
    if len(found) != 1:
        raise Refused(
            f"{'No task has' if not found else 'Several tasks have'} an id that begins with {name}."
        )
    return found[0]


async def cancel(store: Store, task: Task, now: datetime) -> Task:
    """Cancel a task as the button on its card does: one that is bought goes on without a card."""
    if task.detached and task.delivered_at is None:
        return task
    stopped = await _move(
        store,
        task,
        lambda row: row.cancelled("dismissed", now) if row.state is TaskState.DRAFT else row.hide(now),
        "has ended: it cannot be stopped any more",
    )
    await store.audit.add(AuditEntry("cancel", task.id, THE_MACHINE, now))
    return stopped


async def put_first(store: Store, task: Task, now: datetime) -> None:
    """Give a waiting task the next slot of its provider."""
    if not await store.tasks.prioritise(task.id):
        raise Refused(f"{task.id} does not wait for its turn: it is {task.state}.")
    await store.audit.add(AuditEntry("first", task.id, THE_MACHINE, now))


async def attach(store: Store, task: Task, remote_id: str, model: VideoModel | None, now: datetime) -> Task:
    """Give a submit of unknown outcome its remote id, so that it is polled and its video delivered."""
    if task.state is not TaskState.FAILED or task.error_code != FailureCode.SUBMIT_UNKNOWN:
        raise Refused(f"{task.id} takes no id: it is not a submit of unknown outcome.")
    if model is None:
        raise Refused(f"{task.request.model} is not set up here, so the job cannot be polled.")
    keep_until = (task.submitted_at or task.created_at) + timedelta(seconds=model.keeps_s)
    if keep_until <= now:
        raise Refused(f"{task.id} is too old: {model.provider} does not know its job any more.")
    for other in await store.tasks.list_tasks(TaskFilter(provider=task.provider), _SEARCHED):
        if other.remote_id == remote_id:
            raise Refused(f"{remote_id} belongs to the task {other.id}.")
    attached = await _move(
        store, task, lambda row: row.accepted(remote_id, now, keep_until), "takes no id any more"
    )
    await store.audit.add(AuditEntry("attach", task.id, THE_MACHINE, now))
    return attached


async def _move(store: Store, task: Task, move: Callable[[Task], Task], why_not: str) -> Task:
    latest = task

    def move_latest(row: Task) -> Task:
        nonlocal latest
        latest = row
        return move(row)

    try:
        moved = await store.tasks.update(task.id, move_latest)
    except IllegalMove:
        raise Refused(f"{task.id} {why_not} ({latest.state}).") from None
    if moved is None:
        raise Refused(f"{task.id} is gone.")
    return moved
