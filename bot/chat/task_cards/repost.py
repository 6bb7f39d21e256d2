"""Reposting: a card stands anew at the end of a chat, because somebody wants it there or its group moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.chat.task_cards.board import CardBoard
from bot.errors import ChatError, IllegalMove, MediaError, StaleTask
from bot.log import get_log
from bot.store import TaskStore
from bot.task import Task, TaskState


class CardReposter:
    def __init__(
        self, tasks: TaskStore, board: CardBoard, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._tasks = tasks
        self._board = board
        self._clock = clock
        self._wake = wake
        self._log = get_log(__name__)

    async def repost(self, task: Task, thread_id: int | None, reply_to: int | None) -> None:
        """The card of a task on its way; the old one goes. IllegalMove where its end came first, on the card
        where it was."""
        posted = await self._board.post(replace(task, thread_id=thread_id), reply_to)
        if posted.card_id is None:
            return
        try:
            saved = await self._save(task, posted.card_id, posted.card_has_photo, thread_id)
        except IllegalMove:
            await self._board.remove(task.chat_id, posted.card_id)
            raise
        self._board.live.posted(saved)
        self._wake()
        if task.card_id is not None:
            await self._board.remove(task.chat_id, task.card_id)

    async def after_move(self, chat_id: int) -> None:
        """A group has another id, and its cards stayed behind: all that waits there gets one. Done twice it
        changes nothing; one that is not posted comes with the video."""
        drafts = [draft for draft in await self._tasks.drafts(chat_id) if not draft.is_collecting_album]
        for task in [*drafts, *await self._tasks.open_tasks(chat_id=chat_id)]:
            if task.card_id is not None or task.hidden or task.delivered_at is not None:
                continue
            try:
                if task.state is TaskState.DRAFT:
                    await self._tasks.save(await self._board.post(task, None))
                elif task.state in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING):
                    await self.repost(task, None, None)
            except (ChatError, MediaError, StaleTask, IllegalMove) as error:
                self._log.info("a card was not moved to the new group", task=task.id, reason=str(error))

    async def _save(self, task: Task, card_id: int, has_photo: bool, thread_id: int | None) -> Task:
        """The worker may be moving it at this moment: read anew and ask once more."""
        while True:
            try:
                return await self._tasks.save(task.reposted(card_id, has_photo, thread_id, self._clock()))
            except StaleTask:
                fresh = await self._tasks.get(task.id)
                if fresh is None:
                    raise
                task = fresh
