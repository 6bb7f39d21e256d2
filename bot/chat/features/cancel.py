"""Cancelling: by the button on a card, or by /cancel; for whose it is, and in a group for its admins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.layout import Card, cut
from bot.chat.cards.task_card import stopped_phrase
from bot.chat.handlers import ButtonPress
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import IllegalMove, StaleTask
from bot.request import Problem, VideoModel
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.text import say

CANCEL = "cancel"
"""The verb of the button on a card, and of those of a choice."""
_STOPPABLE = frozenset({TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING})
_CHOICES = 10
_PROMPT_SHOWN = 40


class Cancel:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        board: CardBoard,
        messenger: Messenger,
        admins: GroupAdmins,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._board = board
        self._messenger = messenger
        self._admins = admins
        self._models = models
        self._clock = clock
        self._wake = wake

    async def tap(self, tap: ButtonPress) -> Problem | None:
        """On the card, or in a choice, which has served by that."""
        stopped = await self.stop(tap.task)
        if tap.sender.message_id is None or tap.sender.message_id == tap.task.card_id:
            return None
        await self._messenger.redraw(tap.sender, Card(self._told(tap.sender, stopped), None))
        return None

    async def command(self, sender: Sender, intent: Intent) -> None:
        """The one whose card is replied to; else the only one, or a choice of several."""
        if intent.answers is not None and (meant := await self._meant(sender, intent.answers)):
            await self._cancel(sender, meant)
            return
        tasks = await self._stoppable(sender)
        if not tasks:
            await self._dismiss(sender)
        elif len(tasks) == 1 and tasks[0].user_id == sender.user_id:
            await self._cancel(sender, tasks[0])
        else:
            card = draw_choice(sender.language, tasks)
            await self._messenger.answer(sender, card.text, card.buttons)

    async def _meant(self, sender: Sender, card_id: int) -> Task | None:
        task = await self._tasks.find(card=(sender.chat_id, card_id))
        if task is None or not _is_stoppable(task):
            return None
        is_theirs = task.user_id == sender.user_id
        return task if is_theirs or await self._manages(sender) else None

    async def _stoppable(self, sender: Sender) -> list[Task]:
        """Newest first: their own, and behind them what else an admin may stop in a group."""
        whose = None if await self._manages(sender) else sender.user_id
        found = await self._tasks.open_tasks(chat_id=sender.chat_id, user_id=whose)
        newest = [task for task in reversed(found) if _is_stoppable(task)]
        return sorted(newest, key=lambda task: task.user_id != sender.user_id)

    async def _manages(self, sender: Sender) -> bool:
        return sender.chat_id < 0 and await self._admins.may_manage(sender.chat_id, sender.user_id)

    async def _cancel(self, sender: Sender, task: Task) -> None:
        try:
            stopped = await self.stop(task)
        except IllegalMove:
            await self._messenger.answer(sender, say(sender.language, "tap_too_late"))
            return
        await self._messenger.answer(sender, self._told(sender, stopped))

    def _told(self, sender: Sender, stopped: Task) -> str:
        return say(sender.language, stopped_phrase(stopped, self._models.get(stopped.request.model)))

    async def stop(self, task: Task) -> Task:
        """Stop it and return it as stopped; IllegalMove if there is nothing to stop."""
        stopped = await self._tasks.update(task.id, lambda row: row.hide(self._clock()))
        if stopped is None:
            raise StaleTask(f"{task.id}: gone")
        self._board.show(stopped)
        self._wake()
        await self._board.quiet.dropped(stopped)
        return stopped

    async def _dismiss(self, sender: Sender) -> None:
        """Nothing is on its way: a question of ours may be what they are tired of."""
        drafts = await self._tasks.drafts(sender.chat_id, sender.user_id)
        if not drafts:
            await self._messenger.answer(sender, say(sender.language, "cancel_nothing"))
            return
        await self._tasks.save(drafts[0].cancelled("dismissed", self._clock()))
        self._wake()
        await self._messenger.answer(sender, say(sender.language, "dismissed"))


def draw_choice(language: str, tasks: Sequence[Task]) -> Card:
    """Which one? A button for each; of somebody else's it names whose."""
    rows = [
        [InlineKeyboardButton(_label(task), callback_data=f"{CANCEL}:{task.id}")] for task in tasks[:_CHOICES]
    ]
    return Card(say(language, "cancel_which"), InlineKeyboardMarkup(rows))


def _label(task: Task) -> str:
    words = " ".join(task.request.prompt.split()) or task.request.model
    whose = f"{cut(task.user_name, 16)}: " if task.chat_id < 0 and task.user_name else ""
    return f"✕ {whose}{cut(words, _PROMPT_SHOWN)}"


def _is_stoppable(task: Task) -> bool:
    return task.state in _STOPPABLE and not task.detached
