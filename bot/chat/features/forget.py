"""/forget: asks, and a button then deletes what is kept of a person."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from bot.chat.cards.layout import Card, button, join, keyboard
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.errors import ChatError, IllegalMove
from bot.log import get_log
from bot.request import VideoRequest
from bot.task import Task, TaskState
from bot.text import say

VERB = "forget"
_log = get_log(__name__)
_YES, _NO = "yes", "no"
_NOT_BOUGHT = frozenset({TaskState.DRAFT, TaskState.QUEUED, TaskState.CANCELLED})


async def ask_to_forget(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    """Ask first: a command in a menu is easily touched."""
    buttons = [
        button(say(sender.language, key), VERB, sender.user_id, answer)
        for key, answer in (("button_forget", _YES), ("button_keep", _NO))
    ]
    text = say(sender.language, "forget_ask")
    await ctx.messenger.answer(sender, text, keyboard([buttons]))


async def decide(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    sender = press.sender
    owner, _, answer = press.choice.partition(":")
    if owner != str(sender.user_id):
        return Reply("press_not_yours")
    if answer == _NO:
        await ctx.messenger.redraw(sender, Card(say(sender.language, "forget_kept"), None))
    elif answer == _YES:
        left = await _forget(ctx, sender)
        more = say(sender.language, "forget_unfinished", count=left) if left else ""
        await ctx.messenger.redraw(sender, Card(join(say(sender.language, "forget_done"), more), None))
    else:
        return Reply("press_gone")
    return None


async def _forget(ctx: ChatContext, sender: Sender) -> int:
    """Delete what can be deleted; return how many tasks must finish first. Doing it twice changes nothing."""
    user_id = sender.user_id
    await ctx.store.films.forget(user_id)  # first, so that none of them orders another shot
    left = [task for task in await ctx.store.tasks.unclosed(user_id) if not await _drop(ctx, task)]
    for task_id in await asyncio.to_thread(ctx.video_cache.kept):
        task = await ctx.store.tasks.get(task_id)
        if task is not None and task.user_id == user_id and task.delivered_at is not None:
            ctx.video_cache.discard(task_id)
    await ctx.store.people.forget(user_id)
    chosen = await ctx.preferences.of(user_id)
    ctx.preferences.drop(user_id)
    if chosen.language is not None:
        await ctx.menu.publish_for(user_id, None, sender.code)
    return len(left)


async def _drop(ctx: ChatContext, task: Task) -> bool:
    """Close a task for which nothing was paid; return False if something is, or may be, by now."""
    now = ctx.clock()
    try:
        saved = await ctx.store.tasks.update(task.id, lambda row: _dropped(row, now))
    except IllegalMove:
        fresh = await ctx.store.tasks.get(task.id)
        return fresh is None or fresh.delivered_at is not None
    if saved is not None:
        ctx.wake()
        try:
            await ctx.board.tell(saved)
        except ChatError as error:
            _log.info("a dropped card could not be updated", task=task.id, reason=str(error))
    return True


def _dropped(task: Task, now: datetime) -> Task:
    if task.state not in _NOT_BOUGHT:
        raise IllegalMove(f"{task.id}: {task.state} may be paid for")
    match task.state:
        case TaskState.DRAFT:
            ended = task.dropped("dismissed", now)
        case TaskState.CANCELLED:
            ended = task
        case _:
            ended = task.cancelled(now)
    # Its card keeps the words of what was dropped, but not of what is forgotten.
    return replace(ended, request=VideoRequest(model=task.request.model)).delivered(now)


COMMANDS: Commands = (Command(name="forget", handle=ask_to_forget, menu="private"),)
BUTTONS: Buttons = (ChatButton(verb=VERB, handle=decide, used_by="anybody"),)
