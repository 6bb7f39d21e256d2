"""/queue: the tasks in progress, with their cards, and a button that posts a card again."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.chat.cards.eta import Estimate
from bot.chat.cards.layout import Card, button, cut, join, keyboard, rows, unlinked, with_place
from bot.chat.cards.task_card import state_line
from bot.chat.context import ChatContext
from bot.chat.features.admin.waiting_list import tell_waiting
from bot.chat.handlers import Button, ButtonPress, Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.text import plain, say

BRING = "bring"
"""The verb of the buttons that post a card again."""
_SHOWN = 10
_BUTTONS_IN_ROW = 3
_PROMPT_SHOWN = 80
_SUPERGROUP = "-100"
"""How the ids of supergroups begin; only their messages have links."""


async def queue(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    """List in private all that the person waits for, in any chat; in a group what the group waits for. Show
    an admin who else waits."""
    whose = {"chat_id": sender.chat_id} if sender.is_group else {"user_id": sender.user_id}
    found = await ctx.store.tasks.open_tasks(**whose)
    # A task that has ended is told on its card at this moment.
    waiting = [task for task in found if task.state not in (TaskState.FAILED, TaskState.CANCELLED)]
    estimates = {task.id: await ctx.estimator.of(task) for task in waiting[:_SHOWN]}
    card = draw_queue(sender, waiting, estimates, ctx.models, ctx.clock())
    left = await ctx.quotas.all(sender.user_id, sender.chat_id, sender.language)
    await ctx.messenger.answer(sender, join(card.text, left), card.buttons)
    await tell_waiting(ctx, sender)


async def bring(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Post the card again at the end of the chat, and delete the old one."""
    task = press.task
    if task.delivered_at is not None or task.detached or task.state is TaskState.DRAFT:
        return Reply("press_too_late")
    if ctx.duplicate_guard.is_repeated(press.sender.update_id, task.id, press.verb):
        return None
    await ctx.card_reposter.repost(task, press.sender.thread_id, press.sender.message_id)
    return None


def draw_queue(
    sender: Sender,
    tasks: Sequence[Task],
    estimates: Mapping[str, Estimate],
    models: Mapping[str, VideoModel],
    now: datetime,
) -> Card:
    """Draw the tasks in progress, oldest first. `estimates` by the ids of the tasks."""
    language = sender.language
    if not tasks:
        return Card(say(language, "queue_empty"), None)
    listed = list(enumerate(tasks[:_SHOWN], 1))
    entries = []
    for number, task in listed:
        spoken = replace(task, language=language)
        line = with_place(spoken, state_line(spoken, models.get(task.request.model), now, estimates[task.id]))
        entries.append(_entry(sender, number, task, line))
    if len(tasks) > _SHOWN:
        entries.append(say(language, "queue_more", count=len(tasks) - _SHOWN))
    here = [(number, task) for number, task in listed if task.card.chat_id == sender.chat_id]
    return Card("\n\n".join([say(language, "queue_heading"), *entries]), _bring_buttons(language, here))


def card_link(task: Task) -> str | None:
    """Return a link to the task's card; messages have links only in supergroups."""
    chat = str(task.card.chat_id)
    if task.card.card_id is None or not chat.startswith(_SUPERGROUP):
        return None
    topic = f"{task.card.thread_id}/" if task.card.thread_id else ""
    return f"https://t.me/c/{chat.removeprefix(_SUPERGROUP)}/{topic}{task.card.card_id}"


def _entry(sender: Sender, number: int, task: Task, line: str) -> str:
    words = " ".join(cut(unlinked(task.request.prompt), _PROMPT_SHOWN).split()) or task.request.model
    whose = f"{task.user_name}: " if task.card.chat_id < 0 and task.user_name else ""
    if task.card.chat_id != sender.chat_id:
        line = f"{line} · {say(sender.language, 'queue_elsewhere')}"
    if link := card_link(task):
        line = f'{line} · <a href="{link}">{say(sender.language, "queue_link")}</a>'
    return f"<b>{number}.</b> {html.escape(whose + words, quote=False)}\n{line}"


def _bring_buttons(language: str, here: Sequence[tuple[int, Task]]) -> InlineKeyboardMarkup | None:
    if len(here) == 1:
        label = plain(say(language, "button_bring"))
        return keyboard([[button(label, BRING, here[0][1].id)]])
    buttons = [
        button(plain(say(language, "button_bring_number", number=number)), BRING, task.id)
        for number, task in here
    ]
    return keyboard(rows(buttons, _BUTTONS_IN_ROW)) if buttons else None


COMMANDS: Commands = (Command(name="queue", handle=queue),)
BUTTONS: Buttons = (Button(verb=BRING, handle=bring),)
