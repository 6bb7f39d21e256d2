"""The voice: what the bot says beside its cards. Answers, questions, calls."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from telegram import Bot, ForceReply, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode

from bot.chat.asker import Asker
from bot.chat.client import translated
from bot.chat.questions import Question
from bot.errors import ChatError
from bot.log import get_log
from bot.task import Task
from bot.text import say

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_CALL_AFTER = timedelta(seconds=15)


class Voice:
    def __init__(self, bot: Bot, clock: Callable[[], datetime]) -> None:
        self._bot = bot
        self._clock = clock
        self._log = get_log(__name__)

    async def answer(self, asker: Asker, text: str) -> None:
        """A sentence in reply to a message."""
        with translated():
            await self._bot.send_message(
                asker.chat_id,
                text,
                parse_mode=ParseMode.HTML,
                message_thread_id=asker.thread_id,
                reply_parameters=replying(asker.message_id if asker.chat_id < 0 else None),
                link_preview_options=NO_PREVIEW,
            )

    async def write(self, chat_id: int, text: str) -> None:
        """A sentence that nobody asked for."""
        with translated():
            await self._bot.send_message(
                chat_id, text, parse_mode=ParseMode.HTML, link_preview_options=NO_PREVIEW
            )

    async def ask(self, asker: Asker, question: Question) -> int:
        """A question whose answer is a reply; its id.

        In a group the keyboard opens only for the writer of the message that is replied to, or for who is
        mentioned: where that message is one of our own, the person is.
        """
        text = question.text
        if asker.chat_id < 0 and asker.tapped and asker.user_name:
            text = f"{_mention(asker.user_id, asker.user_name)}\n{text}"
        with translated():
            sent = await self._bot.send_message(
                asker.chat_id,
                text,
                parse_mode=ParseMode.HTML,
                message_thread_id=asker.thread_id,
                reply_parameters=replying(asker.message_id),
                reply_markup=ForceReply(selective=True, input_field_placeholder=question.placeholder),
            )
        return sent.message_id

    async def call(self, task: Task, key: str) -> None:
        """Edits are silent: whoever waited a while is called by a short reply. Losing it is no harm."""
        if self._clock() - (task.queued_at or task.created_at) <= _CALL_AFTER:
            return
        text = say(task.language, key)
        if task.chat_id < 0 and task.user_name:
            name = _mention(task.user_id, task.user_name)
            text = say(task.language, f"{key}_named", name="\0").replace("\0", name)
        try:
            with translated():
                await self._bot.send_message(
                    task.chat_id,
                    text,
                    parse_mode=ParseMode.HTML,
                    message_thread_id=task.thread_id,
                    reply_parameters=replying(task.card_id),
                )
        except ChatError as error:
            self._log.info("a notification was not sent", task=task.id, reason=str(error))


def replying(message_id: int | None) -> ReplyParameters | None:
    if message_id is None:
        return None
    return ReplyParameters(message_id, allow_sending_without_reply=True)


def _mention(user_id: int, name: str) -> str:
    return f'<a href="tg://user?id={user_id}">{html.escape(name)}</a>'
