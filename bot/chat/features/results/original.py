"""The button Original file: what the provider gave, untouched, as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from telegram import Message

from bot.chat.cards.result_buttons import ORIGINAL
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import replying
from bot.chat.telegram_io.send_queue import QueuedSend
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads
from bot.task import Task, TaskState
from bot.worker import schedule


async def send_original(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Queue the file: it may have to be fetched again."""
    task = press.task
    if task.state is not TaskState.SUCCEEDED:
        return Reply("press_gone")
    queued = QueuedSend(
        press.sender, f"original {task.id}", lambda: _send(ctx, press.sender, task), "original_failed"
    )
    is_queued = ctx.send_queue.request(queued) == "queued"
    return Reply("press_original" if is_queued else "press_done", {})


async def _send(ctx: ChatContext, sender: Sender, task: Task) -> Reply | None:
    provider = ctx.providers.get(task.provider)
    fetch = provider.fetch if provider is not None else None
    async with asyncio.timeout(schedule.FETCH_LIMIT_S):
        path = await ctx.video_cache.original(task.id, fetch, task.video_url or None)
    if path is None:
        return Reply("original_gone")
    size, most = path.stat().st_size, ctx.settings.upload_max_bytes
    if size > most:
        return Reply("original_too_large", {"size": size // 1_000_000, "most": most // 1_000_000})

    def send(file: Sent) -> Awaitable[Message]:
        return ctx.bot.send_document(
            sender.chat_id,
            file,
            # Else Telegram would show it as a video, and convert it.
            disable_content_type_detection=True,
            message_thread_id=sender.thread_id,
            reply_parameters=replying(sender.message_id),
            read_timeout=DIGEST_S,
        )

    async with asyncio.timeout(schedule.upload_limit_s(size)):
        await Uploads(by_path=ctx.bot.local_mode).send_file(path, send)
    return None


COMMANDS: Commands = ()
BUTTONS: Buttons = (Button(verb=ORIGINAL, handle=send_original, refusal="press_only_owner"),)
