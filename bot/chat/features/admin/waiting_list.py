"""The waiting tasks of all people, for an admin, below their own; with buttons that put a task first."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime

from bot.admin.actions import ActionRefused
from bot.chat.cards.eta import about
from bot.chat.cards.layout import Card, button, keyboard, rows
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Commands
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.task import Task, TaskState
from bot.text import plain, say

FIRST = "first"
"""The verb of the buttons that put a task first."""
_SHOWN = 10
_BUTTONS_IN_ROW = 3


async def tell_waiting(ctx: ChatContext, sender: Sender) -> None:
    """Show an admin in private who waits, if anybody does."""
    if sender.is_group or not await ctx.access.is_admin(sender.user_id):
        return
    if card := await _draw(ctx, sender):
        await ctx.messenger.answer(sender, card.text, card.buttons)


async def prioritise(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    if press.sender.is_group:
        return Reply("press_private")
    try:
        await ctx.actions.prioritise(press.choice, press.sender.user_id)
        answer = "queue_is_first"
    except ActionRefused:
        answer = "press_too_late"
    if card := await _draw(ctx, press.sender):
        await ctx.messenger.redraw(press.sender, card)
    return Reply(answer)


async def _draw(ctx: ChatContext, sender: Sender) -> Card | None:
    waiting = [task for task in await ctx.store.tasks.open_tasks() if task.state is TaskState.QUEUED]
    if not waiting:
        return None
    return draw_waiting(sender.language, waiting, ctx.clock())


def draw_waiting(language: str, tasks: Sequence[Task], now: datetime) -> Card:
    """Return the list in the order of the queue. Prompts are private, so it has none."""
    lines, buttons = [], []
    for number, task in enumerate(tasks[:_SHOWN], 1):
        who = html.escape(task.user_name or str(task.user_id), quote=False)
        waited_s = (now - (task.queued_at or task.created_at)).total_seconds()
        parts = [who, task.request.model, say(language, "queue_waited", time=about(language, waited_s))]
        parts += [say(language, "queue_elsewhere")] if task.card.chat_id < 0 else []
        lines.append(f"<b>{number}.</b> {' · '.join(parts)}")
        label = plain(say(language, "button_first_number", number=number))
        buttons.append(button(label, FIRST, task.id))
    if len(tasks) > _SHOWN:
        lines.append(say(language, "queue_more", count=len(tasks) - _SHOWN))
    text = "\n".join([say(language, "queue_waiting"), "", *lines])
    return Card(text, keyboard(rows(buttons, _BUTTONS_IN_ROW)))


COMMANDS: Commands = ()
BUTTONS: Buttons = (ChatButton(verb=FIRST, handle=prioritise, used_by="admins"),)
