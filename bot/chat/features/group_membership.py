"""Groups: the bot comes, goes, and moves along when a group becomes a supergroup."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from telegram import Bot, Chat, ChatMember, ChatMemberRestricted, ChatMemberUpdated, User
from telegram.constants import ChatType

from bot.chat.chat_settings import ChatPreferences
from bot.chat.features.group_greeting import draw_greeting, draw_needs
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.ordering.access import Access
from bot.chat.sender import Sender
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.bot_permissions import BotPermissions
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import CallRefused, CardGone, ChatGone, ChatMoved, StaleTask
from bot.log import get_log
from bot.request import VideoModel
from bot.store import KeepingStore, TaskStore
from bot.task import Task, TaskState
from bot.text import say

_SETTLE_S = 3.0
"""For the news that a supergroup is an old group: it comes with the news that the bot joined it, in no
certain order. https://github.com/tdlib/telegram-bot-api/issues/266"""
_GLANCES = 12
_NEWS = timedelta(minutes=1)
"""An upgrade that was longer ago has nothing to do with somebody who adds the bot now."""


def _upgrade(chat_id: int) -> str:
    return f"upgraded {chat_id}"


class Groups:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        marks: KeepingStore,
        messenger: Messenger,
        access: Access,
        access_requests: AccessRequests,
        rights: BotPermissions,
        preferences: ChatPreferences,
        reposting: CardReposter,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        settle_s: float = _SETTLE_S,
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._marks = marks
        self._messenger = messenger
        self._access = access
        self._access_requests = access_requests
        self._rights = rights
        self._preferences = preferences
        self._reposting = reposting
        self._models = models
        self._clock = clock
        self._wake = wake
        self._settle_s = settle_s
        self._log = get_log(__name__)

    async def changed(self, change: ChatMemberUpdated) -> None:
        """The bot's own place in a chat is another one now."""
        chat = change.chat
        self._rights.drop(chat.id)
        was_in, is_in = _is_in(change.old_chat_member), _is_in(change.new_chat_member)
        if was_in and not is_in:
            await self._gone(chat.id)
        elif is_in and not was_in and await self._is_added(chat):
            await self._joined(chat.id, chat.title or "", change.from_user)

    async def upgraded(self, chat_id: int, new_id: int) -> None:
        """The group became a supergroup with an id of its own. Told of twice, it changes nothing more."""
        await self.follow(chat_id, new_id)
        await self._marks.mark(_upgrade(new_id), self._clock())

    async def follow(self, chat_id: int, new_id: int) -> None:
        """Take along what the group has here: tasks, settings, and with them its limits."""
        moved = await self._tasks.move_chat(chat_id, new_id)
        self._log.info("a group has a new id", chat=chat_id, new=new_id, tasks=moved)
        for one in (chat_id, new_id):
            self._preferences.drop(one)
            self._rights.drop(one)
        await self._reposting.after_move(new_id)
        self._wake()

    async def _is_added(self, chat: Chat) -> bool:
        """Whether somebody added the bot, so that it did not come by being in the group that this one was."""
        if chat.type != ChatType.SUPERGROUP:
            return chat.type == ChatType.GROUP
        # Whichever process takes the message about the move notes it: the store tells.
        for _ in range(_GLANCES):
            since = await self._marks.unmark(_upgrade(chat.id))
            if since is not None and self._clock() - since < _NEWS:
                return False
            await asyncio.sleep(self._settle_s / _GLANCES)
        return True

    async def _joined(self, chat_id: int, title: str, adder: User) -> None:
        language = await self._preferences.language_for(chat_id, adder.language_code, adder.id)
        is_guest = not await self._access.may_join(adder.id, chat_id)
        is_news = is_guest and await self._access_requests.handle(
            self._sender(chat_id, title, adder, language)
        )

        async def act(chat_id: int) -> None:
            if is_guest:
                await self._leave(chat_id, language, is_news=is_news)
            else:
                await self._greet(chat_id, title, adder, language)

        try:
            await act(chat_id)
        except ChatMoved as moved:
            await self.follow(chat_id, moved.chat_id)
            await act(moved.chat_id)

    async def _leave(self, chat_id: int, language: str, *, is_news: bool) -> None:
        if is_news:
            await self._write(chat_id, say(language, "stranger_group", chat_id=chat_id))
        with translated():
            await self._bot.leave_chat(chat_id)

    async def _greet(self, chat_id: int, title: str, adder: User, language: str) -> None:
        rights = await self._rights.here(chat_id)
        if rights.write:
            await self._write(chat_id, draw_greeting(language, rights, self._bot.username, self._models))
        own = await self._preferences.language_for(adder.id, adder.language_code)
        if needs := draw_needs(own, title, rights, self._models):
            await self._write(adder.id, needs)

    def _sender(self, chat_id: int, title: str, adder: User, language: str) -> Sender:
        return Sender(
            update_id=0,
            chat_id=chat_id,
            thread_id=None,
            user_id=adder.id,
            user_name=adder.first_name,
            message_id=None,
            language=language,
            sent_at=self._clock(),
            chat_title=title,
            code=adder.language_code,
        )

    async def _gone(self, chat_id: int) -> None:
        """Nobody can be asked or shown anything there: what is not bought yet ends. What is goes on, and if
        the bot has not come back when it is done, it is kept."""
        for draft in await self._tasks.drafts(chat_id):
            await self._save(draft.cancelled("dismissed", self._clock()))
        for task in await self._tasks.open_tasks(chat_id=chat_id):
            if task.state is TaskState.QUEUED:
                await self._save(task.hide(self._clock()))
        self._wake()

    async def _save(self, task: Task) -> None:
        """Who moves it at this moment finds out what has become of the chat."""
        with suppress(StaleTask):
            await self._tasks.save(task)

    async def _write(self, chat_id: int, text: str) -> None:
        """Where that is possible."""
        try:
            await self._messenger.write(chat_id, text)
        except (ChatGone, CardGone, CallRefused) as error:
            self._log.info("the bot cannot write in the group", chat=chat_id, reason=str(error))


def _is_in(member: ChatMember) -> bool:
    if isinstance(member, ChatMemberRestricted):
        return bool(member.is_member)
    return member.status in (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)
