"""Asking again: what failed or was cancelled, ordered once more by an admin for its person."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal

from bot.errors import DreamreelError
from bot.request import VideoModel, check_request
from bot.store import Store
from bot.store.audit import AuditEntry
from bot.task import Task, TaskState


class RetryRefused(DreamreelError):
    """It cannot be asked for again; the text is one sentence."""


def check_retry(task: Task, model: VideoModel | None) -> None:
    """NotAgain where the same cannot be asked for again."""
    if task.state not in (TaskState.FAILED, TaskState.CANCELLED):
        raise RetryRefused(
            f"{task.id} is {task.state}: only what failed or was cancelled can be asked for again."
        )
    if task.delivered_at is None:
        raise RetryRefused(f"{task.id} has just ended, and its chat is being told: try again in a moment.")
    if model is None:
        raise RetryRefused(f"{task.request.model} is not set up here.")
    if problems := check_request(task.request, model):
        raise RetryRefused(f"{model.name} cannot do this request any more ({problems[0].code}).")


async def retry(
    store: Store, task: Task, model: VideoModel, price: Decimal | None, *, by: int, now: datetime
) -> Task:
    """A task of its own, on the card of the one that ended and on nobody's limits. Costs what it costs.

    `by`: the admin, or `bot.store.audit.THE_MACHINE`. NotAgain.
    """
    check_retry(task, model)
    for other in await store.tasks.open_tasks(user_id=task.user_id, chat_id=task.chat_id):
        # Two yeses to one question are one: both would be paid for, and only the later one be seen.
        if other.parent_id == task.id:
            raise RetryRefused(
                f"{task.id} has been asked for again already: it is {other.id}, {other.state}."
            )
    await store.audit.add(AuditEntry("retry", task.id, by, now))
    return await store.tasks.add(
        Task(
            id=secrets.token_hex(8),
            chat_id=task.chat_id,
            thread_id=task.thread_id,
            user_id=task.user_id,
            user_name=task.user_name,
            message_id=task.message_id,
            card_id=task.card_id,
            card_has_photo=task.card_has_photo,
            language=task.language,
            provider=model.provider,
            request=task.request,
            price=price,
            state=TaskState.QUEUED,
            parent_id=task.id,
            created_at=now,
            queued_at=now,
            due_at=now,
        )
    )
