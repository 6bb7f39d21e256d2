"""The queue: what is on its way, how far it is, where its card stands; and the card brought down to here."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.eta import Estimate, Estimator
from bot.chat.cards.layout import Card, cut, join
from bot.chat.cards.task_card import state_line
from bot.chat.features.admin_waiting import AdminWaiting
from bot.chat.handlers import ButtonPress
from bot.chat.ordering.quotas import Quotas
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.messenger import Messenger
from bot.request import Problem, VideoModel
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.text import plain, say

BRING = "bring"
"""The verb of the buttons that post a card anew."""
_SHOWN = 10
_BUTTONS_IN_ROW = 3
_PROMPT_SHOWN = 80
_SUPERGROUP = "-100"
"""How the ids of chats begin whose messages have links."""


class Queue:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        reposting: CardReposter,
        messenger: Messenger,
        models: Mapping[str, VideoModel],
        estimator: Estimator,
        clock: Callable[[], datetime],
        repeats: DuplicateGuard,
        waiting: AdminWaiting,
        allowance: Quotas,
    ) -> None:
        self._tasks = tasks
        self._reposting = reposting
        self._messenger = messenger
        self._models = models
        self._estimator = estimator
        self._clock = clock
        self._repeats = repeats
        self._waiting = waiting
        self._allowance = allowance

    async def tell(self, sender: Sender, _: Intent) -> None:
        """In private all that the person waits for, wherever; in a group what the group waits for. Admins
        read besides who waits at all."""
        whose = {"chat_id": sender.chat_id} if sender.chat_id < 0 else {"user_id": sender.user_id}
        found = await self._tasks.open_tasks(**whose)
        # One that has ended tells about it at this moment.
        waiting = [task for task in found if task.state not in (TaskState.FAILED, TaskState.CANCELLED)]
        outlooks = {task.id: await self._estimator.of(task) for task in waiting[:_SHOWN]}
        card = draw_queue(sender, waiting, outlooks, self._models, self._clock())
        left = await self._allowance.all(sender.user_id, sender.chat_id, sender.language)
        await self._messenger.answer(sender, join(card.text, left), card.buttons)
        await self._waiting.tell(sender)

    async def bring(self, tap: ButtonPress) -> Problem | None:
        """The card anew, at the end of the chat; the old one goes."""
        task = tap.task
        if task.delivered_at is not None or task.detached or task.state is TaskState.DRAFT:
            return Problem("tap_too_late", {})
        if self._repeats.is_repeated(tap.sender.update_id, task.id, tap.verb):
            return None
        await self._reposting.repost(task, tap.sender.thread_id, tap.sender.message_id)
        return None


def draw_queue(
    sender: Sender,
    tasks: Sequence[Task],
    outlooks: Mapping[str, Estimate],
    models: Mapping[str, VideoModel],
    now: datetime,
) -> Card:
    """What is on its way, in the order in which it was asked for. `outlooks` by the ids of the tasks."""
    language = sender.language
    if not tasks:
        return Card(say(language, "queue_empty"), None)
    listed = list(enumerate(tasks[:_SHOWN], 1))
    entries = []
    for number, task in listed:
        spoken = replace(task, language=language)
        line = state_line(spoken, models.get(task.request.model), now, outlooks[task.id])
        entries.append(_entry(sender, number, task, line))
    if len(tasks) > _SHOWN:
        entries.append(say(language, "queue_more", count=len(tasks) - _SHOWN))
    here = [(number, task) for number, task in listed if task.chat_id == sender.chat_id]
    return Card("\n\n".join([say(language, "queue_heading"), *entries]), _bring_buttons(language, here))


def card_link(task: Task) -> str | None:
    """Where its card stands; only in supergroups messages have links."""
    chat = str(task.chat_id)
    if task.card_id is None or not chat.startswith(_SUPERGROUP):
        return None
    topic = f"{task.thread_id}/" if task.thread_id else ""
    return f"https://t.me/c/{chat.removeprefix(_SUPERGROUP)}/{topic}{task.card_id}"


def _entry(sender: Sender, number: int, task: Task, line: str) -> str:
    words = " ".join(cut(task.request.prompt, _PROMPT_SHOWN).split()) or task.request.model
    whose = f"{task.user_name}: " if task.chat_id < 0 and task.user_name else ""
    if task.chat_id != sender.chat_id:
        line = f"{line} · {say(sender.language, 'queue_elsewhere')}"
    if link := card_link(task):
        line = f'{line} · <a href="{link}">{say(sender.language, "queue_link")}</a>'
    return f"<b>{number}.</b> {html.escape(whose + words, quote=False)}\n{line}"


def _bring_buttons(language: str, here: Sequence[tuple[int, Task]]) -> InlineKeyboardMarkup | None:
    if len(here) == 1:
        label = plain(say(language, "button_bring"))
        return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"{BRING}:{here[0][1].id}")]])
    buttons = [
        InlineKeyboardButton(
            plain(say(language, "button_bring_number", number=number)), callback_data=f"{BRING}:{task.id}"
        )
        for number, task in here
    ]
    rows = [buttons[start : start + _BUTTONS_IN_ROW] for start in range(0, len(buttons), _BUTTONS_IN_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None
