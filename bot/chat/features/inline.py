"""Inline mode: `@bot words` in any chat offers a person's own videos, and to make one of the words.

What is sent is the video alone: its words and its price are its owner's. Nothing is ever bought here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from telegram import (
    InlineQuery,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultCachedVideo,
    InlineQueryResultsButton,
)

from bot.chat.cards.layout import cut, facts
from bot.chat.cards.task_card import joined_line
from bot.chat.context import ChatContext
from bot.chat.features.results.share import EXACT, can_use_inline, keep_typed
from bot.integers import read_integer
from bot.task import Task
from bot.text import plain, say

PAGE = 20
"""Telegram takes 50 at most, and shows about four at a time."""
_START = "inline"
"""The payload of a `/start` that just greets."""
_TITLE, _LABEL = 60, 40
"""Characters that a phone shows."""
_ANIMATIONS = "Cg"
"""What the file ids of animations begin with. Telegram takes videos without sound for such, and offers each
file only as what it is."""
_Result: TypeAlias = InlineQueryResultCachedVideo | InlineQueryResultCachedMpeg4Gif
_CACHE_S = 0
"""A video that was deleted or forgotten is not offered again."""


async def answer_query(ctx: ChatContext, query: InlineQuery) -> None:
    """Offer the videos of the person who asks. Raises TelegramError, also if the query is too old by now."""
    person = query.from_user
    language = await ctx.preferences.language_for(person.id, person.language_code, person.id)
    if not await can_use_inline(ctx, person.id):
        await query.answer(
            [], _CACHE_S, is_personal=True, button=_button(say(language, "inline_private"), _START)
        )
        return
    words, offset = " ".join(query.query.split()), max(read_integer(query.offset) or 0, 0)
    found = await _find(ctx, person.id, words, offset)
    await query.answer(
        [_result(ctx, task, language) for task in found[:PAGE]],
        _CACHE_S,
        is_personal=True,
        next_offset=str(offset + PAGE) if len(found) > PAGE else "",
        button=None if offset else await _offer(ctx, person.id, words, language, has_videos=bool(found)),
    )


async def _find(ctx: ChatContext, user_id: int, words: str, offset: int) -> list[Task]:
    if not words.startswith(EXACT):
        return await ctx.store.tasks.videos(user_id, words, PAGE + 1, offset)
    task = await ctx.store.tasks.get(words.removeprefix(EXACT))
    is_theirs = task is not None and task.user_id == user_id and task.file_id and task.deleted_at is None
    return [task] if task is not None and is_theirs else []


async def _offer(
    ctx: ChatContext, user_id: int, words: str, language: str, *, has_videos: bool
) -> InlineQueryResultsButton | None:
    """Return the button above the results: it opens the private chat with a draft of the words."""
    is_one = words.startswith(EXACT)
    if has_videos and (is_one or not words):
        return None
    if is_one or not words:
        return _button(say(language, "inline_gone" if is_one else "inline_none"), _START)
    payload = await keep_typed(ctx, user_id, words)
    return _button(say(language, "inline_make", words=cut(words, _LABEL)), payload)


def _button(label: str, payload: str) -> InlineQueryResultsButton:
    return InlineQueryResultsButton(plain(label), start_parameter=payload)


def _result(ctx: ChatContext, task: Task, language: str) -> _Result:
    shown = replace(task, language=language)
    about = joined_line(shown) if task.is_joined else facts(shown, ctx.models.get(task.request.model))
    title = cut(" ".join(task.request.prompt.split()), _TITLE) or plain(about)
    file_id = task.file_id or ""
    if file_id.startswith(_ANIMATIONS):
        return InlineQueryResultCachedMpeg4Gif(task.id, file_id, title)
    return InlineQueryResultCachedVideo(task.id, file_id, title, plain(about))
