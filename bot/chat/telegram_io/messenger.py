"""The messenger: sends texts, questions and notifications; edits a message whose button was pressed."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from telegram import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode

from bot.bounded_dict import BoundedDict
from bot.chat.cards.draft_card import Question
from bot.chat.cards.layout import Card
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.errors import ChatError, StoreError
from bot.log import get_log, level_of
from bot.send_rates import Urgency
from bot.task import Task
from bot.text import say

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
ReplyMarkup = InlineKeyboardMarkup | ForceReply
_CHATS = 1000
"""How many are remembered at most."""
_NOTIFY_AFTER = timedelta(seconds=15)


class Messenger:
    def __init__(
        self,
        bot: TelegramBot,
        clock: Callable[[], datetime],
        preferences: ChatPreferences,
        *,
        hears_all: bool = True,
    ) -> None:
        """`hears_all`: every message to the bot is handled by this process."""
        self._hears_all = hears_all
        self._newest: BoundedDict[int, int] = BoundedDict(_CHATS)
        self._notifications: BoundedDict[int, tuple[int, ...]] = BoundedDict(_CHATS)
        self._bot = bot
        self._clock = clock
        self._preferences = preferences
        self._log = get_log(__name__)

    async def send(
        self,
        chat_id: int,
        text: str,
        buttons: ReplyMarkup | None = None,
        *,
        thread_id: int | None = None,
        reply_to: int | None = None,
        silent: bool = False,
        urgency: Urgency = Urgency.NEXT,
    ) -> Message:
        """Send a message of Telegram's HTML. Raises ChatError."""
        with translated():
            message = await self._bot.send_message(
                chat_id,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=buttons,
                message_thread_id=thread_id,
                reply_parameters=replying(reply_to),
                disable_notification=silent,
                link_preview_options=NO_PREVIEW,
                rate_limit_args=urgency,
            )
        self._note_newest(chat_id, message.message_id)
        return message

    async def heard(self, chat_id: int, message_id: int) -> None:
        """Handle a message of somebody: the chat goes on, and what it was notified of needs no message any
        more. An error is logged."""
        self._note_newest(chat_id, message_id)
        for notification_id in self._notifications.pop(chat_id, ()):
            try:
                with translated():
                    await self._bot.delete_message(chat_id, notification_id)
            except ChatError as error:
                self._log.debug("a notification could not be deleted", chat=chat_id, reason=str(error))

    def _note_newest(self, chat_id: int, message_id: int) -> None:
        self._newest[chat_id] = max(message_id, self._newest.get(chat_id, 0))

    async def answer(self, sender: Sender, text: str, buttons: InlineKeyboardMarkup | None = None) -> None:
        """Answer a message, or the press of a button: in groups and after a press as a reply."""
        await self.send(
            sender.chat_id,
            text,
            buttons,
            thread_id=sender.thread_id,
            reply_to=sender.message_id if sender.is_group or sender.pressed else None,
            urgency=Urgency.FIRST if sender.pressed else Urgency.NEXT,
        )

    async def say(self, sender: Sender, key: str, **values: object) -> None:
        """Answer with the phrase `key`, in the sender's language."""
        await self.answer(sender, say(sender.language, key, **values))

    async def reply(self, sender: Sender, reply: Reply | None) -> None:
        """Say a reply, if there is one."""
        if reply is not None:
            await self.say(sender, reply.key, **reply.values)

    async def show(self, sender: Sender, picture: bytes, caption: str) -> None:
        """Answer a message with a picture and its caption."""
        with translated():
            await self._bot.send_photo(
                sender.chat_id,
                picture,
                caption=caption,
                parse_mode=ParseMode.HTML,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id if sender.is_group else None),
            )

    async def redraw(self, sender: Sender, card: Card) -> None:
        """Edit the message whose button was pressed. An error is logged: the next press draws it again."""
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
            self._log.info(
                "a message with buttons could not be edited", chat=sender.chat_id, reason=str(error)
            )

    async def ask(self, sender: Sender, question: Question, picture: bytes | None = None) -> Message:
        """Ask a question that is answered by a reply, below the picture that it is about.

        In a group the keyboard opens only for the writer of the message that is replied to, and for a person
        who is mentioned: after a press that message is the bot's own, so the person is mentioned. In private
        it always opens.
        """
        text = question.text
        if sender.is_group and sender.pressed and sender.user_name:
            text = f"{_mention(sender.user_id, sender.user_name)}\n{text}"
        keyboard = ForceReply(selective=sender.is_group, input_field_placeholder=question.placeholder)
        if picture is None:
            return await self.send(
                sender.chat_id, text, keyboard, thread_id=sender.thread_id, reply_to=sender.message_id
            )
        with translated():
            return await self._bot.send_photo(
                sender.chat_id,
                picture,
                caption=text,
                parse_mode=ParseMode.HTML,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id),
                reply_markup=keyboard,
            )

    async def notify(self, task: Task, key: str) -> None:
        """Reply to a card that was edited, if its person waited for a while and may have to look for it. An
        error is logged."""
        card_id, waited = task.card.card_id, self._clock() - (task.queued_at or task.created_at)
        if waited <= _NOTIFY_AFTER or self.is_last(task.card.chat_id, card_id):
            return
        if not await self._may_notify(task.card.chat_id):
            return
        text = say(task.language, key)
        if task.card.chat_id < 0 and task.user_name:
            name = _mention(task.user_id, task.user_name)
            text = say(task.language, f"{key}_named", name="\0").replace("\0", name)
        try:
            sent = await self.send(
                task.card.chat_id, text, thread_id=task.card.thread_id, reply_to=task.card.card_id
            )
            before = self._notifications.get(task.card.chat_id, ())
            self._notifications[task.card.chat_id] = (*before, sent.message_id)
        except ChatError as error:
            self._log.info("a notification was not sent", task=task.id, reason=str(error))

    def is_last(self, chat_id: int, message_id: int | None) -> bool:
        """Return True if this is known to be the last message of a private chat. In a group, and where
        other processes handle messages too, nobody knows."""
        newest = self._newest.get(chat_id)
        if newest is None or message_id is None or chat_id < 0 or not self._hears_all:
            return False
        return newest <= message_id

    async def _may_notify(self, chat_id: int) -> bool:
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
