"""The dispatcher of button presses: checks who may press a button, and passes the press to its feature."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from telegram import CallbackQuery, Message

from bot.chat.context import ChatContext
from bot.chat.handlers import MEANT, Button, ButtonPress, ChatButton, ChatButtonPress
from bot.chat.reply import Reply
from bot.chat.router import Router
from bot.chat.sender import Sender, tidy_name
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.flood_control import PRESSES, FloodControl
from bot.errors import ChatError, ChatGone, IllegalMove, MediaError, StaleTask
from bot.task import Task, TaskState
from bot.text import plain, say

_ANSWER_WITHIN_S = 1.5
"""After that long a press is answered without words: until then Telegram shows that it is in progress."""


class _PressAnswer:
    """The answer to one press. Telegram shows only the first, so nothing else is sent."""

    def __init__(self, query: CallbackQuery, language: str) -> None:
        self._query = query
        self._language = language
        self._is_sent = False
        self.was_bare = False
        """It was answered without words."""

    async def send(self, reply: Reply | None) -> None:
        """Show the reply's words, or only that the press has arrived."""
        if self._is_sent:
            return
        self._is_sent, self.was_bare = True, reply is None
        try:
            with translated():
                if reply is None:
                    await self._query.answer()
                    return
                text = plain(say(self._language, reply.key, **reply.values))
                await self._query.answer(text[:200], show_alert=len(text) > 60)
        except ChatError:
            pass  # Telegram forgets a press after a while; what it asked for has been done.


class ButtonPresses:
    def __init__(
        self, ctx: ChatContext, router: Router, do_meant: Callable[[int, str, Message], Awaitable[bool]]
    ) -> None:
        """`do_meant` handles a message as a command."""
        self._ctx = ctx
        self._do_meant = do_meant
        self._router = router
        self._flood_control = FloodControl(PRESSES)

    async def handle(self, update_id: int, query: CallbackQuery) -> None:
        """Do what the button says, and answer the press: soon, whatever that takes."""
        answer = _PressAnswer(query, await self._language(query))
        working = asyncio.create_task(self._handle(update_id, query, answer))
        try:
            if not (await asyncio.wait({working}, timeout=_ANSWER_WITHIN_S))[0]:
                await answer.send(None)
            reply = await working
        except ChatGone:
            # The press is over, also if nothing can be written here.
            await answer.send(None)
            raise
        finally:
            working.cancel()
        if reply is not None and answer.was_bare:
            sender = await self._sender(update_id, query, query.from_user.id)
            await self._ctx.messenger.reply(sender, reply)
        else:
            await answer.send(reply)

    async def _handle(self, update_id: int, query: CallbackQuery, answer: _PressAnswer) -> Reply | None:
        """Do what the button says; return what to tell the person who pressed it."""
        if await self._ctx.access.is_banned(query.from_user.id):
            return None
        if self._is_flood(update_id, query):
            return Reply("press_too_fast")
        verb, _, choice = (query.data or "").partition(":")
        if verb == MEANT:
            return await self._press_meant(update_id, query, choice)
        button = self._router.buttons.get(verb)
        if query.message is None or button is None:
            return Reply("press_gone")
        if isinstance(button, ChatButton):
            return await self._press_in_chat(update_id, query, button, choice)
        return await self._press_on_task(update_id, query, answer, button, choice)

    async def _press_meant(self, update_id: int, query: CallbackQuery, name: str) -> Reply | None:
        """Do the command that a mistyped one was taken for. The question goes, so it is done once."""
        question = query.message
        message = question.reply_to_message if isinstance(question, Message) else None
        if question is None or message is None or message.from_user is None:
            return Reply("press_gone")
        if message.from_user.id != query.from_user.id:
            return Reply("press_not_yours")
        if not await self._ctx.access.may_ask(query.from_user.id, question.chat.id):
            return Reply("press_private")
        key = (query.from_user.id, question.chat.id, question.message_id, MEANT)
        if self._ctx.duplicate_guard.is_repeated(update_id, *key):
            return None
        if not await self._do_meant(update_id, name, message):
            return Reply("press_gone")
        await self._ctx.board.remove(question.chat.id, question.message_id)
        return None

    async def _press_in_chat(
        self, update_id: int, query: CallbackQuery, button: ChatButton, choice: str
    ) -> Reply | None:
        sender = await self._sender(update_id, query, query.from_user.id)
        if not await self._may_press(sender, button):
            return Reply(button.refusal)
        return await button.handle(self._ctx, ChatButtonPress(sender, choice))

    async def _may_press(self, sender: Sender, button: ChatButton) -> bool:
        match button.used_by:
            case "admins":
                return await self._ctx.access.is_admin(sender.user_id)
            case "allowed":
                return await self._ctx.access.may_ask(sender.user_id, sender.chat_id)
            case "anybody":
                return True

    async def _press_on_task(
        self, update_id: int, query: CallbackQuery, answer: _PressAnswer, button: Button, choice: str
    ) -> Reply | None:
        task_id, _, choice = choice.partition(":")
        task = await self._ctx.store.tasks.get(task_id) if task_id and task_id.isprintable() else None
        person_id = query.from_user.id
        if task is None or query.message is None or task.card.chat_id != query.message.chat.id:
            return Reply("press_gone")
        if not await self._ctx.access.may_ask(person_id, task.card.chat_id):
            return Reply("press_private")
        sender_id = await self._acting_as(person_id, task, button)
        if sender_id is None:
            return Reply(button.refusal)
        sender = await self._sender(update_id, query, sender_id, task)
        name = tidy_name(query.from_user.first_name)
        press = ButtonPress(sender, task, button.verb, choice, person_id, name, answer.send)
        try:
            return await button.handle(self._ctx, press)
        except (StaleTask, IllegalMove):
            return Reply("press_too_late")
        except MediaError as error:
            return Reply(error.code, error.values)

    async def _acting_as(self, person_id: int, task: Task, button: Button) -> int | None:
        """Return who presses the button: the person, or the group or channel they act for; None if they may
        not press it.

        An anonymous admin sends messages as the group, and others perhaps as a channel, but presses buttons
        under their own name.
        """
        if person_id == task.user_id:
            return person_id
        of_group = task.user_id < 0
        may_manage = of_group or button.used_by == "group_admins"
        if may_manage and await self._ctx.group_admins.may_manage(task.card.chat_id, person_id):
            return task.user_id if of_group else person_id
        is_open = button.used_by == "anybody" and task.state is TaskState.SUCCEEDED
        return person_id if is_open else None

    async def _sender(
        self, update_id: int, query: CallbackQuery, user_id: int, task: Task | None = None
    ) -> Sender:
        message, person = query.message, query.from_user
        thread_id = task.card.thread_id if task else None
        if isinstance(message, Message):
            thread_id = message.message_thread_id if message.is_topic_message else None
        return Sender(
            update_id=update_id,
            chat_id=message.chat.id if message else person.id,
            thread_id=thread_id,
            user_id=user_id,
            user_name=tidy_name(person.first_name) if user_id == person.id else "",
            message_id=message.message_id if message else None,
            language=await self._language(query),
            sent_at=self._ctx.clock(),
            pressed=True,
            code=person.language_code,
        )

    async def _language(self, query: CallbackQuery) -> str:
        chat_id = query.message.chat.id if query.message else query.from_user.id
        return await self._ctx.preferences.language_for(
            chat_id, query.from_user.language_code, query.from_user.id
        )

    def _is_flood(self, update_id: int, query: CallbackQuery) -> bool:
        """Return True if presses come too fast: each may edit a card, and Telegram stops answering in a chat
        with too many edits."""
        chat_id = query.message.chat.id if query.message else 0
        verdict = self._flood_control.check(chat_id, query.from_user.id, update_id, self._ctx.clock())
        return verdict != "take"
