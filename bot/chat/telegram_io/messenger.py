"""The voice: what the bot says beside its cards. Answers, questions, calls."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from telegram import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode

from bot.chat.cards.draft_card import Question
from bot.chat.cards.layout import Card
from bot.chat.chat_settings import ChatPreferences
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.errors import ChatError, StoreError
from bot.log import get_log, level_of
from bot.send_rates import Urgency
from bot.task import Task
from bot.text import say

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
_CALL_AFTER = timedelta(seconds=15)


class Messenger:
    def __init__(self, bot: TelegramBot, clock: Callable[[], datetime], preferences: ChatPreferences) -> None:
        self._bot = bot
        self._clock = clock
        self._preferences = preferences
        self._log = get_log(__name__)

    async def answer(self, sender: Sender, text: str, buttons: InlineKeyboardMarkup | None = None) -> None:
        """A sentence in reply to a message, or to a tap on one."""
        with translated():
            await self._bot.send_message(
                sender.chat_id,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=buttons,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id if sender.chat_id < 0 or sender.tapped else None),
                link_preview_options=NO_PREVIEW,
                rate_limit_args=Urgency.FIRST if sender.tapped else Urgency.NEXT,
            )

    async def show(self, sender: Sender, picture: bytes, caption: str) -> None:
        """The same with a picture above it."""
        with translated():
            await self._bot.send_photo(
                sender.chat_id,
                picture,
                caption=caption,
                parse_mode=ParseMode.HTML,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id if sender.chat_id < 0 else None),
            )

    async def redraw(self, sender: Sender, card: Card) -> None:
        """Another text and other buttons on the message that was tapped. A lost edit is no harm: the next tap
        makes up for it."""
        if sender.message_id is None:
            return
        try:
            with translated():
                await self._bot.edit_message_text(
                    card.text,
                    chat_id=sender.chat_id,
                    message_id=sender.message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=card.buttons,
                    link_preview_options=NO_PREVIEW,
                    rate_limit_args=Urgency.FIRST,
                )
        except ChatError as error:
            self._log.info("a tapped message could not be drawn", chat=sender.chat_id, reason=str(error))

    async def write(
        self, chat_id: int, text: str, buttons: InlineKeyboardMarkup | None = None, *, silent: bool = False
    ) -> None:
        """A sentence that nobody asked for."""
        with translated():
            await self._bot.send_message(
                chat_id,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=buttons,
                disable_notification=silent,
                link_preview_options=NO_PREVIEW,
            )

    async def ask(self, sender: Sender, question: Question, picture: bytes | None = None) -> Message:
        """A question whose answer is a reply; the message that asks it, below the picture that it is about.

        In a group the keyboard opens only for the writer of the message that is replied to, or for who is
        mentioned: where that message is one of our own, the person is. In private it opens always.
        """
        text = question.text
        if sender.chat_id < 0 and sender.tapped and sender.user_name:
            text = f"{_mention(sender.user_id, sender.user_name)}\n{text}"
        sent_with: dict[str, Any] = {
            "parse_mode": ParseMode.HTML,
            "message_thread_id": sender.thread_id,
            "reply_parameters": replying(sender.message_id),
            "reply_markup": ForceReply(
                selective=sender.chat_id < 0, input_field_placeholder=question.placeholder
            ),
        }
        with translated():
            if picture is not None:
                return await self._bot.send_photo(sender.chat_id, picture, caption=text, **sent_with)
            return await self._bot.send_message(sender.chat_id, text, **sent_with)

    async def notify(self, task: Task, key: str) -> None:
        """Edits are silent: whoever waited a while is called by a short reply. Losing it is no harm."""
        if self._clock() - (task.queued_at or task.created_at) <= _CALL_AFTER:
            return
        if not await self._rings(task.chat_id):
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

    async def _rings(self, chat_id: int) -> bool:
        try:
            settings = await self._preferences.of(chat_id)
        except StoreError as error:
            self._log.log(
                level_of(error), "the settings of a chat cannot be read", chat=chat_id, reason=str(error)
            )
            return True
        return settings.notify and not settings.quiet


def replying(message_id: int | None) -> ReplyParameters | None:
    if message_id is None:
        return None
    return ReplyParameters(message_id, allow_sending_without_reply=True)


def _mention(user_id: int, name: str) -> str:
    return f'<a href="tg://user?id={user_id}">{html.escape(name)}</a>'
