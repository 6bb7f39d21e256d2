"""Forgetting: /forget asks, and a tap deletes what is kept of a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.layout import Card, join
from bot.chat.chat_settings import ChatPreferences
from bot.chat.handlers import ChatButtonPress
from bot.chat.menu import Menu
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatError, StaleTask
from bot.log import get_log
from bot.media.video_cache import VideoCache
from bot.request import Problem
from bot.store import Store
from bot.task import Task, TaskState
from bot.text import say

VERB = "forget"
_YES, _NO = "yes", "no"
_NOT_BOUGHT = frozenset({TaskState.DRAFT, TaskState.QUEUED, TaskState.CANCELLED})


class Forget:
    def __init__(
        self,
        *,
        store: Store,
        video_cache: VideoCache,
        board: CardBoard,
        messenger: Messenger,
        preferences: ChatPreferences,
        menu: Menu,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._video_cache = video_cache
        self._board = board
        self._messenger = messenger
        self._preferences = preferences
        self._menu = menu
        self._clock = clock
        self._wake = wake
        self._log = get_log(__name__)

    async def ask(self, sender: Sender, _: Intent) -> None:
        """Nothing is deleted by the command alone: a menu is easily tapped."""
        buttons = [
            InlineKeyboardButton(say(sender.language, key), callback_data=f"{VERB}:{sender.user_id}:{answer}")
            for key, answer in (("button_forget", _YES), ("button_keep", _NO))
        ]
        await self._messenger.answer(
            sender, say(sender.language, "forget_ask"), InlineKeyboardMarkup([buttons])
        )

    async def tap(self, tap: ChatButtonPress) -> Problem | None:
        sender = tap.sender
        owner, _, answer = tap.choice.partition(":")
        if owner != str(sender.user_id):
            return Problem("tap_not_yours", {})
        if answer == _NO:
            await self._messenger.redraw(sender, Card(say(sender.language, "forget_kept"), None))
        elif answer == _YES:
            left = await self._forget(sender)
            more = say(sender.language, "forget_unfinished", count=left) if left else ""
            await self._messenger.redraw(sender, Card(join(say(sender.language, "forget_done"), more), None))
        else:
            return Problem("tap_gone", {})
        return None

    async def _forget(self, sender: Sender) -> int:
        """How many tasks must be finished first. Done twice it changes nothing."""
        user_id = sender.user_id
        left = [task for task in await self._store.tasks.unclosed(user_id) if not await self._drop(task)]
        for task_id in await asyncio.to_thread(self._video_cache.kept):
            task = await self._store.tasks.get(task_id)
            if task is not None and task.user_id == user_id and task.delivered_at is not None:
                self._video_cache.discard(task_id)
        await self._store.people.forget(user_id)
        chosen = await self._preferences.of(user_id)
        self._preferences.drop(user_id)
        if chosen.language is not None:
            await self._menu.publish_for(user_id, None, sender.code)
        return len(left)

    async def _drop(self, task: Task) -> bool:
        """Close a task for which nothing was paid; whether that could be done. The worker may be moving it at
        this moment: read anew and look once more."""
        while task.state in _NOT_BOUGHT and task.delivered_at is None:
            code = "dismissed" if task.state is TaskState.DRAFT else "cancelled"
            now = self._clock()
            ended = task if task.state is TaskState.CANCELLED else task.cancelled(code, now)
            try:
                saved = await self._store.tasks.save(ended.delivered(now))
            except StaleTask:
                fresh = await self._store.tasks.get(task.id)
                if fresh is None:
                    return True
                task = fresh
                continue
            self._wake()
            try:
                await self._board.tell(saved)
            except ChatError as error:
                self._log.info("a dropped card could not be updated", task=task.id, reason=str(error))
            return True
        return task.delivered_at is not None
