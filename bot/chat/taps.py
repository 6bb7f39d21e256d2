"""Taps on buttons. What a button says is looked up, never trusted: task, owner and state decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from telegram import CallbackQuery, Message

from bot.chat.access import Access
from bot.chat.asker import Asker
from bot.chat.client import translated
from bot.chat.options import VERB, changed
from bot.chat.orders import Orders
from bot.chat.questions import CROP_ALWAYS, has_options
from bot.chat.remedies import Remedy
from bot.chat.screen import Screen
from bot.chat.tap import Act, PlainAct, PlainTap, Tap
from bot.errors import ChatError, IllegalMove, MediaError, StaleTask
from bot.request import Problem, VideoModel, VideoRequest
from bot.settings import Settings
from bot.store import PeopleStore, TaskStore
from bot.task import END_STATES, TaskState
from bot.text import choose_language, plain, say

_DOUBLE_TAP = timedelta(seconds=3)


class Taps:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        people: PeopleStore,
        screen: Screen,
        orders: Orders,
        access: Access,
        models: Mapping[str, VideoModel],
        settings: Settings,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        acts: Mapping[str, Act],
        plain_acts: Mapping[str, PlainAct],
    ) -> None:
        self._tasks = tasks
        self._people = people
        self._screen = screen
        self._orders = orders
        self._access = access
        self._models = models
        self._settings = settings
        self._clock = clock
        self._wake = wake
        self._tapped: dict[tuple[int, str, str, str], datetime] = {}
        self._plain_acts = plain_acts
        self._acts: Mapping[str, Act] = {
            **acts,
            "generate": self._generate,
            CROP_ALWAYS: self._crop_always,
            "dismiss": self._dismiss,
            "cancel": self._cancel,
            "send": self._send,
            VERB: self._pick,
            Remedy.AGAIN: self._again,
            Remedy.MODEL: self._with_model,
            Remedy.PHOTO: self._ask,
            Remedy.WORDS: self._ask,
        }

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
        verb, task_id, choice = [*(query.data or "").split(":", 2), "", ""][:3]
        if verb in self._plain_acts and query.message is not None:
            return await self._plain_acts[verb](self._plain_tap(update_id, query, query.message.chat.id))
        task = await self._tasks.get(task_id) if task_id else None
        act = self._acts.get(verb)
        if query.message is None or task is None or task.chat_id != query.message.chat.id or act is None:
            return Problem("tap_gone", {})
        if not await self._access.may_ask(query.from_user.id, task.chat_id):
            return Problem("tap_private", {})
        if task.user_id != query.from_user.id:
            return Problem("tap_not_yours", {})
        asker = Asker(
            update_id=update_id,
            chat_id=task.chat_id,
            thread_id=task.thread_id,
            user_id=task.user_id,
            user_name=query.from_user.first_name,
            message_id=query.message.message_id,
            language=task.language,
            sent_at=self._clock(),
            tapped=True,
        )
        try:
            return await act(Tap(asker, task, verb, choice))
        except (StaleTask, IllegalMove):
            return Problem("tap_too_late", {})
        except MediaError as error:
            return Problem(error.code, error.values)

    def _plain_tap(self, update_id: int, query: CallbackQuery, chat_id: int) -> PlainTap:
        person, message = query.from_user, query.message
        thread_id = (
            message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
        )
        asker = Asker(
            update_id=update_id,
            chat_id=chat_id,
            thread_id=thread_id,
            user_id=person.id,
            user_name=person.first_name,
            message_id=message.message_id if message else None,
            language=choose_language(person.language_code, self._settings.default_language),
            sent_at=self._clock(),
            tapped=True,
        )
        return PlainTap(asker, (query.data or "").partition(":")[2])

    async def _generate(self, tap: Tap) -> Problem | None:
        return await self._start_draft(tap, tap.task.request)

    async def _crop_always(self, tap: Tap) -> Problem | None:
        """Yes, and from now on without this question."""
        person = await self._people.person(tap.asker.user_id)
        await self._people.put_person(replace(person, crop_preview=False))
        return await self._start_draft(tap, tap.task.request)

    async def _dismiss(self, tap: Tap) -> Problem | None:
        await self._tasks.save(tap.task.cancelled("dismissed", self._clock()))
        self._wake()
        return None

    async def _cancel(self, tap: Tap) -> Problem | None:
        """The worker may be moving it at this moment: read anew and ask once more."""
        task = tap.task
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

    async def _send(self, tap: Tap) -> Problem | None:
        await self._tasks.save(tap.task.resend(self._clock()))
        self._wake()
        return Problem("tap_done", {})

    async def _pick(self, tap: Tap) -> Problem | None:
        """An option of a draft is opened, chosen, or left as it was."""
        if not has_options(tap.task):
            return Problem("tap_too_late", {})
        option, chosen, choice = tap.choice.partition("=")
        if not chosen:
            await self._screen.redraw(tap.task, option or None)
            return None
        request = changed(tap.task.request, self._models, option, choice)
        if request is None:
            return Problem("tap_gone", {})
        await self._orders.change(tap.task, request)
        return None

    async def _again(self, tap: Tap) -> Problem | None:
        return await self._start_anew(tap, tap.task.request)

    async def _with_model(self, tap: Tap) -> Problem | None:
        """Another model: the draft asks about what the chosen one cannot do, or the task has ended."""
        request = tap.task.request.model_copy(update={"model": tap.choice})
        if tap.task.state is TaskState.DRAFT:
            return await self._start_draft(tap, request)
        return await self._start_anew(tap, request)

    async def _ask(self, tap: Tap) -> Problem | None:
        """What should be different? The answer starts it."""
        if tap.task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if not await self._is_repeated(tap):
            question = "card_ask_other_photo" if tap.verb == Remedy.PHOTO else "card_ask_other_words"
            await self._orders.ask(tap.asker, tap.task.request, question, tap.task.id)
        return None

    async def _start_draft(self, tap: Tap, request: VideoRequest) -> Problem | None:
        if tap.task.state is not TaskState.DRAFT:
            return Problem("tap_too_late", {})
        return await self._orders.generate(tap.asker, tap.task, request)

    async def _start_anew(self, tap: Tap, request: VideoRequest) -> Problem | None:
        """An order of its own, after one that has ended."""
        if tap.task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if problems := self._orders.problems(request):
            return problems[0]
        if await self._is_repeated(tap):
            return None
        return await self._orders.start(tap.asker, request, tap.task.id)

    async def _is_repeated(self, tap: Tap) -> bool:
        """Whether this very tap, or the same a moment ago, has been acted on."""
        now = self._clock()
        tapped = (tap.task.user_id, tap.task.id, tap.verb, tap.choice)
        if now - self._tapped.get(tapped, now - _DOUBLE_TAP) < _DOUBLE_TAP:
            return True
        self._tapped = {one: at for one, at in self._tapped.items() if now - at < _DOUBLE_TAP}
        self._tapped[tapped] = now
        return await self._tasks.find(update_id=tap.asker.update_id) is not None
