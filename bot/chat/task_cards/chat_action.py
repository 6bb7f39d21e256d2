"""Chat actions: show "sending a video…" in a private chat while a video is nearly done or being sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from telegram import Bot
from telegram.constants import ChatAction

from bot.chat.task_cards.live_updates import LiveCardUpdater
from bot.chat.telegram_io.client import translated
from bot.errors import ChatBusy, ChatError
from bot.task import Task, TaskState
from bot.worker.schedule import clock_of

_PACE_S = 4.5
"""Telegram shows an action for five seconds."""
_FIRST_S = 120.0
_BEFORE_END_S = 60.0
_AFTER_END_S = 120.0
_CHATS = 40
"""At a time: with edits and outcomes they stay below Telegram's limit for a bot."""
_CALLS = 4
"""At once: outcomes need the connections more."""


class ChatActionSender:
    """`act` shows the action in a task's chat for a moment; a lost one does no harm.

    It is shown for live cards in their first minutes and around their usual end (`usual_s`), and during each
    delivery, but not for late jobs.
    """

    def __init__(
        self,
        act: Callable[[Task], Awaitable[None]],
        live: LiveCardUpdater,
        usual_s: Callable[[Task], float | None],
        clock: Callable[[], datetime],
        pace_s: float = _PACE_S,
    ) -> None:
        self._act = act
        self._live = live
        self._usual_s = usual_s
        self._clock = clock
        self._pace_s = pace_s
        self._delivered: dict[str, Task] = {}
        self._told: dict[int, asyncio.Task[None]] = {}
        """Calls in progress, by chat."""
        self._refused: set[str] = set()
        self._room = asyncio.Semaphore(_CALLS)

    @contextmanager
    def delivering(self, task: Task) -> Iterator[None]:
        """Show the action until the block ends, while the task's video is sent."""
        self._delivered[task.id] = task
        try:
            yield
        finally:
            del self._delivered[task.id]

    async def run(self) -> None:
        """Show actions until cancelled."""
        async with asyncio.TaskGroup() as calls:
            while True:
                for chat_id, task in self._due().items():
                    self._told[chat_id] = call = calls.create_task(self._tell(task))
                    call.add_done_callback(partial(self._ended, chat_id))
                await asyncio.sleep(self._pace_s)

    def _due(self) -> dict[int, Task]:
        """Return the tasks whose chats get an action now, one for each chat."""
        now = self._clock()
        live = [task for task in self._live.tasks() if is_near(task, self._usual_s(task), now)]
        near = [*self._delivered.values(), *live]
        self._refused &= {task.id for task in near}
        due: dict[int, Task] = {}
        for task in near:
            silent = task.id in self._refused or self._live.is_paused(task.card.chat_id)
            if task.card.chat_id > 0 and task.card.chat_id not in self._told and not silent:
                due.setdefault(task.card.chat_id, task)
        return dict(list(due.items())[:_CHATS])

    async def _tell(self, task: Task) -> None:
        try:
            async with self._room:
                await self._act(task)
        except ChatBusy as busy:
            self._live.pause(task.card.chat_id, busy.retry_after_s)
        except ChatError:
            self._refused.add(task.id)

    def _ended(self, chat_id: int, _call: asyncio.Task[None]) -> None:
        del self._told[chat_id]


def is_near(task: Task, usual_s: float | None, now: datetime) -> bool:
    """Return True if the job has just begun, or should soon be done."""
    _, since = clock_of(task)
    at_work = task.state in (TaskState.SUBMITTING, TaskState.RUNNING) and not task.detached
    if not at_work or task.late_at is not None or since is None:
        return False
    elapsed_s = (now - since).total_seconds()
    if elapsed_s < _FIRST_S:
        return True
    return usual_s is not None and -_BEFORE_END_S <= elapsed_s - usual_s < _AFTER_END_S


def sending_video(bot: Bot) -> Callable[[Task], Awaitable[None]]:
    """Return the `act` of a `ChatActionSender` for Telegram. It raises ChatBusy and other errors of the
    chat."""

    async def act(task: Task) -> None:
        with translated():
            await bot.send_chat_action(
                task.card.chat_id, ChatAction.UPLOAD_VIDEO, message_thread_id=task.card.thread_id
            )

    return act
