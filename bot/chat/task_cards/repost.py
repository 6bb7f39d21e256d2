"""Repost: sends a card at the end of a chat: again for a person, or for tasks that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        """Post the card of a task again and delete the old one. Raises IllegalMove if the task has ended
        meanwhile, on its old card."""
        posted = await self._board.post(replace(task, card=replace(task.card, thread_id=thread_id)), reply_to)
        if posted.card.card_id is None:
            return
        try:
            saved = await self._save(task, posted.card.card_id, posted.card.has_photo, thread_id)
        except IllegalMove:
            await self._board.remove(task.card.chat_id, posted.card.card_id)
            raise
        self._board.live.posted(saved)
        self._wake()
        if task.card.card_id is not None:
            await self._board.remove(task.card.chat_id, task.card.card_id)

    async def after_move(self, chat_id: int) -> None:
        """Post a card for every waiting task of a group that became a supergroup, where its cards are lost.
        Doing it twice changes nothing. A task whose card is not posted gets its video as a new message."""
        drafts = [draft for draft in await self._tasks.drafts(chat_id) if not draft.is_collecting_album]
        await self.post_missing([*drafts, *await self._tasks.open_tasks(chat_id=chat_id)])

    async def post_missing(self, tasks: Sequence[Task]) -> None:
        """Post a card for each task that waits and has none. An error is logged: that one comes with its
        video."""
        for task in tasks:
            if task.card.card_id is not None or task.detached or task.delivered_at is not None:
                continue
            try:
                if task.state is TaskState.DRAFT:
                    await self._tasks.save(await self._board.post(task, None))
                elif task.state in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING):
                    await self.repost(task, task.card.thread_id, None)
            except (ChatError, MediaError, StaleTask, IllegalMove) as error:
                self._log.info("a card was not posted", task=task.id, reason=str(error))

    async def _save(self, task: Task, card_id: int, has_photo: bool, thread_id: int | None) -> Task:
        """Store the new card."""
        saved = await self._tasks.update(
            task.id, lambda row: row.reposted(card_id, has_photo, thread_id, self._clock())
        )
        if saved is None:
            raise StaleTask(f"{task.id}: gone")
        return saved
