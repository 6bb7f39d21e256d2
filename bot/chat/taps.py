"""Taps on buttons. What a button says is looked up, never trusted: task, owner and state decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from telegram import CallbackQuery

from bot.chat.access import Access
from bot.chat.asker import Asker
from bot.chat.client import translated
from bot.chat.orders import Orders
from bot.chat.screen import Screen
from bot.errors import ChatError, IllegalMove, StaleTask
from bot.request import Problem
from bot.settings import Settings
from bot.store import TaskStore
from bot.task import END_STATES, Task, TaskState
from bot.text import choose_language, plain, say

_DOUBLE_TAP = timedelta(seconds=3)


class Taps:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        screen: Screen,
        orders: Orders,
        access: Access,
        settings: Settings,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._screen = screen
        self._orders = orders
        self._access = access
        self._settings = settings
        self._clock = clock
        self._wake = wake
        self._tapped: dict[tuple[int, str], datetime] = {}

    async def handle(self, update_id: int, query: CallbackQuery) -> None:
        language = choose_language(query.from_user.language_code, self._settings.default_language)
        words = await self._act(update_id, query)
        try:
            with translated():
                if words is None:
                    await query.answer()
                else:
                    text = plain(say(language, words.code, **words.values))
                    await query.answer(text[:200], show_alert=len(text) > 60)
        except ChatError:
            pass  # Telegram forgets a tap after a while: what it asked for has been done all the same.

    async def _act(self, update_id: int, query: CallbackQuery) -> Problem | None:
        """Do what the button says; what to tell the person who tapped."""
        verb, _, task_id = (query.data or "").partition(":")
        task = await self._tasks.get(task_id) if task_id else None
        if query.message is None or task is None or task.chat_id != query.message.chat.id:
            return Problem("tap_gone", {})
        if not await self._access.may_ask(query.from_user.id, task.chat_id):
            return Problem("tap_private", {})
        if task.user_id != query.from_user.id:
            return Problem("tap_not_yours", {})
        try:
            match verb:
                case "generate":
                    return await self._generate(task)
                case "dismiss":
                    return await self._dismiss(task)
                case "cancel":
                    return await self._cancel(task)
                case "again":
                    return await self._again(update_id, query, task)
                case "send":
                    return await self._send(task)
                case _:
                    return Problem("tap_gone", {})
        except (StaleTask, IllegalMove):
            return Problem("tap_too_late", {})

    async def _generate(self, task: Task) -> Problem | None:
        if task.state is not TaskState.DRAFT:
            return Problem("tap_too_late", {})
        return await self._orders.generate(task)

    async def _dismiss(self, task: Task) -> Problem | None:
        await self._tasks.save(task.cancelled("dismissed", self._clock()))
        self._wake()
        return None

    async def _cancel(self, task: Task) -> Problem | None:
        """The worker may be moving it at this moment: read anew and ask once more."""
        while True:
            try:
                saved = await self._tasks.save(task.hide(self._clock()))
                break
            except StaleTask:
                fresh = await self._tasks.get(task.id)
                if fresh is None:
                    raise
                task = fresh
        self._screen.show(saved)
        self._wake()
        return None

    async def _again(self, update_id: int, query: CallbackQuery, task: Task) -> Problem | None:
        if task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if problems := self._orders.problems(task.request):
            return problems[0]
        now = self._clock()
        if now - self._tapped.get((query.from_user.id, task.id), now - _DOUBLE_TAP) < _DOUBLE_TAP:
            return None
        self._tapped = {key: at for key, at in self._tapped.items() if now - at < _DOUBLE_TAP}
        self._tapped[query.from_user.id, task.id] = now
        if await self._tasks.find(update_id=update_id) is not None:
            return None
        asker = Asker(
            update_id=update_id,
            chat_id=task.chat_id,
            thread_id=task.thread_id,
            user_id=task.user_id,
            user_name=query.from_user.first_name,
            message_id=task.card_id,
            language=task.language,
            sent_at=now,
        )
        return await self._orders.start(asker, task.request, task.id)

    async def _send(self, task: Task) -> Problem | None:
        await self._tasks.save(task.resend(self._clock()))
        self._wake()
        return Problem("tap_done", {})
