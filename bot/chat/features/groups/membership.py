"""Group membership: the bot joins, leaves, and follows a group that becomes a supergroup."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from telegram import Chat, ChatMember, ChatMemberRestricted, ChatMemberUpdated, User
from telegram.constants import ChatType

from bot.chat.context import ChatContext
from bot.chat.features.groups.greeting import draw_greeting, draw_needs
from bot.chat.sender import Sender, tidy_name
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused, CardGone, ChatGone, ChatMoved, StaleTask
from bot.log import get_log
from bot.task import Task, TaskState
from bot.text import say

_SETTLE_S = 3.0
"""For the news that a supergroup is an old group: it comes with the news that the bot joined it, in no
certain order. https://github.com/tdlib/telegram-bot-api/issues/266"""
_GLANCES = 12
_NEWS = timedelta(minutes=1)
"""An older upgrade has nothing to do with somebody who adds the bot now."""
_log = get_log(__name__)


def _upgrade(chat_id: int) -> str:
    return f"upgraded {chat_id}"


async def membership_changed(ctx: ChatContext, change: ChatMemberUpdated) -> None:
    """Handle a change of the bot's own membership in a chat."""
    chat = change.chat
    ctx.bot_permissions.drop(chat.id)
    was_in, is_in = _is_in(change.old_chat_member), _is_in(change.new_chat_member)
    if was_in and not is_in:
        await _gone(ctx, chat.id)
    elif is_in and not was_in and await _is_added(ctx, chat):
        await _joined(ctx, chat.id, tidy_name(chat.title or ""), change.from_user)


async def group_upgraded(ctx: ChatContext, chat_id: int, new_id: int) -> None:
    """Handle that the group became a supergroup with a new id. Doing it twice changes nothing more."""
    await follow_group(ctx, chat_id, new_id)
    await ctx.store.maintenance.set_flag(_upgrade(new_id), ctx.clock())


async def follow_group(ctx: ChatContext, chat_id: int, new_id: int) -> None:
    """Move the group's tasks, settings and limits to its new id."""
    moved = await ctx.store.tasks.move_chat(chat_id, new_id)
    _log.info("a group has a new id", chat=chat_id, new=new_id, tasks=moved)
    for one in (chat_id, new_id):
        ctx.preferences.drop(one)
        ctx.bot_permissions.drop(one)
    await ctx.card_reposter.after_move(new_id)
    ctx.wake()


async def _is_added(ctx: ChatContext, chat: Chat) -> bool:
    """Return True if somebody added the bot; False if its group has just become this supergroup."""
    if chat.type != ChatType.SUPERGROUP:
        return chat.type == ChatType.GROUP
    # The process that takes the message about the move stores it.
    for _ in range(_GLANCES):
        since = await ctx.store.maintenance.clear_flag(_upgrade(chat.id))
        if since is not None and ctx.clock() - since < _NEWS:
            return False
        await asyncio.sleep(_SETTLE_S / _GLANCES)
    return True


async def _joined(ctx: ChatContext, chat_id: int, title: str, adder: User) -> None:
    language = await ctx.preferences.language_for(chat_id, adder.language_code, adder.id)
    is_guest = not await ctx.access.may_join(adder.id, chat_id)
    is_news = is_guest and await ctx.access_requests.handle(_sender(ctx, chat_id, title, adder, language))

    async def act(chat_id: int) -> None:
        if is_guest:
            await _leave(ctx, chat_id, language, is_news=is_news)
        else:
            await _greet(ctx, chat_id, title, adder, language)

    try:
        await act(chat_id)
    except ChatMoved as moved:
        await follow_group(ctx, chat_id, moved.chat_id)
        await act(moved.chat_id)


async def _leave(ctx: ChatContext, chat_id: int, language: str, *, is_news: bool) -> None:
    if is_news:
        await _write(ctx, chat_id, say(language, "stranger_group", chat_id=chat_id))
    with translated():
        await ctx.bot.leave_chat(chat_id)


async def _greet(ctx: ChatContext, chat_id: int, title: str, adder: User, language: str) -> None:
    rights = await ctx.bot_permissions.here(chat_id)
    if rights.write:
        await _write(ctx, chat_id, draw_greeting(language, rights, ctx.bot.username, ctx.models))
    own = await ctx.preferences.language_for(adder.id, adder.language_code)
    if needs := draw_needs(own, title, rights, ctx.models):
        await _write(ctx, adder.id, needs)


def _sender(ctx: ChatContext, chat_id: int, title: str, adder: User, language: str) -> Sender:
    return Sender(
        update_id=0,
        chat_id=chat_id,
        thread_id=None,
        user_id=adder.id,
        user_name=tidy_name(adder.first_name),
        message_id=None,
        language=language,
        sent_at=ctx.clock(),
        chat_title=title,
        code=adder.language_code,
    )


async def _gone(ctx: ChatContext, chat_id: int) -> None:
    """Cancel what is not bought yet in a chat that the bot has left. The rest goes on, and is kept if
    the bot is not back when it is done."""
    for draft in await ctx.store.tasks.drafts(chat_id):
        await _save(ctx, draft.dropped("dismissed", ctx.clock()))
    for task in await ctx.store.tasks.open_tasks(chat_id=chat_id):
        if task.state is TaskState.QUEUED:
            await _save(ctx, task.hide(ctx.clock()))
    ctx.wake()


async def _save(ctx: ChatContext, task: Task) -> None:
    """Save the task, unless it has just moved: the worker then finds out that the chat is gone."""
    with suppress(StaleTask):
        await ctx.store.tasks.save(task)


async def _write(ctx: ChatContext, chat_id: int, text: str) -> None:
    """Send a message, if the chat allows it."""
    try:
        await ctx.messenger.send(chat_id, text)
    except (ChatGone, CardGone, CallRefused) as error:
        _log.info("the bot cannot write in the group", chat=chat_id, reason=str(error))


def _is_in(member: ChatMember) -> bool:
    if isinstance(member, ChatMemberRestricted):
        return bool(member.is_member)
    return member.status in (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)
