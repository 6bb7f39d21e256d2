"""Who waits, as an admin sees it below their own queue; and one of them put first."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.eta import about
from bot.chat.cards.layout import Card
from bot.chat.handlers import ChatButtonPress
from bot.chat.ordering.access import Access
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.request import Problem
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.text import plain, say

FIRST = "first"
"""The verb of the buttons that put a task first."""
_SHOWN = 10
_BUTTONS_IN_ROW = 3


class AdminWaiting:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        access: Access,
        messenger: Messenger,
        clock: Callable[[], datetime],
    ) -> None:
        self._tasks = tasks
        self._access = access
        self._messenger = messenger
        self._clock = clock

    async def tell(self, sender: Sender) -> None:
        """To an admin in private, where somebody waits."""
        if await self._may(sender) and (card := await self._draw(sender)):
            await self._messenger.answer(sender, card.text, card.buttons)

    async def put_first(self, tap: ChatButtonPress) -> Problem | None:
        if not await self._may(tap.sender):
            return Problem("tap_private", {})
        done = await self._tasks.prioritise(tap.choice)
        if card := await self._draw(tap.sender):
            await self._messenger.redraw(tap.sender, card)
        return Problem("queue_is_first" if done else "tap_too_late", {})

    async def _may(self, sender: Sender) -> bool:
        return sender.chat_id == sender.user_id and await self._access.is_admin(sender.user_id)

    async def _draw(self, sender: Sender) -> Card | None:
        waiting = [task for task in await self._tasks.open_tasks() if task.state is TaskState.QUEUED]
        if not waiting:
            return None
        return draw_waiting(sender.language, waiting, self._clock())


def draw_waiting(language: str, tasks: Sequence[Task], now: datetime) -> Card:
    """Whose turn comes when. No words of theirs: what somebody asks for is between them and the bot."""
    lines, buttons = [], []
    for number, task in enumerate(tasks[:_SHOWN], 1):
        who = html.escape(task.user_name or str(task.user_id), quote=False)
        waited_s = (now - (task.queued_at or task.created_at)).total_seconds()
        parts = [who, task.request.model, say(language, "queue_waited", time=about(language, waited_s))]
        parts += [say(language, "queue_elsewhere")] if task.chat_id < 0 else []
        lines.append(f"<b>{number}.</b> {' · '.join(parts)}")
        label = plain(say(language, "button_first_number", number=number))
        buttons.append(InlineKeyboardButton(label, callback_data=f"{FIRST}:{task.id}"))
    if len(tasks) > _SHOWN:
        lines.append(say(language, "queue_more", count=len(tasks) - _SHOWN))
    rows = [buttons[start : start + _BUTTONS_IN_ROW] for start in range(0, len(buttons), _BUTTONS_IN_ROW)]
    text = "\n".join([say(language, "queue_waiting"), "", *lines])
    return Card(text, InlineKeyboardMarkup(rows))
