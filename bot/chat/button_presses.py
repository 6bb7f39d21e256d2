"""Taps on buttons. What a button says is looked up, never trusted: task, owner and state decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from telegram import CallbackQuery, Message

from bot.chat.cards.draft_card import CROP_ALWAYS, has_options
from bot.chat.cards.next_steps import Remedy
from bot.chat.cards.option_buttons import VERB, changed
from bot.chat.cards.result_buttons import FOR_OWNER, OPEN_TO_ALL
from bot.chat.chat_settings import Preferences
from bot.chat.features.cancel import CANCEL
from bot.chat.handlers import Act, PlainAct, PlainTap, Tap
from bot.chat.ordering.access import Access
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import Reading
from bot.chat.sender import Asker
from bot.chat.task_cards.board import Screen
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.duplicate_guard import Repeats
from bot.chat.telegram_io.flood_control import TAPS, Calm
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.errors import ChatError, IllegalMove, MediaError, StaleTask
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import PeopleStore, TaskStore
from bot.task import END_STATES, Task, TaskState
from bot.text import plain, say


class Taps:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        people: PeopleStore,
        screen: Screen,
        reading: Reading,
        orders: Orders,
        access: Access,
        models: Mapping[str, VideoModel],
        preferences: Preferences,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        repeats: Repeats,
        admins: GroupAdmins,
        acts: Mapping[str, Act],
        plain_acts: Mapping[str, PlainAct],
    ) -> None:
        self._tasks = tasks
        self._people = people
        self._screen = screen
        self._reading = reading
        self._orders = orders
        self._access = access
        self._models = models
        self._preferences = preferences
        self._clock = clock
        self._wake = wake
        self._repeats = repeats
        self._admins = admins
        self._calm = Calm(TAPS)
        self._plain_acts = plain_acts
        self._acts: Mapping[str, Act] = {
            **acts,
            "generate": self._generate,
            CROP_ALWAYS: self._crop_always,
            "dismiss": self._dismiss,
            "send": self._send,
            VERB: self._pick,
            Remedy.AGAIN: self._again,
            Remedy.PLAIN: self._without_photo,
            Remedy.MODEL: self._with_model,
            Remedy.PHOTO: self._ask,
            Remedy.WORDS: self._ask,
        }

    async def handle(self, update_id: int, query: CallbackQuery) -> None:
        language = await self._language(query)
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
        if self._is_flood(update_id, query):
            return Problem("tap_too_fast", {})
        verb, task_id, choice = [*(query.data or "").split(":", 2), "", ""][:3]
        if verb in self._plain_acts and query.message is not None:
            tap = await self._plain_tap(update_id, query, query.message.chat.id)
            return await self._plain_acts[verb](tap)
        task = await self._tasks.get(task_id) if task_id else None
        act = self._acts.get(verb)
        if query.message is None or task is None or task.chat_id != query.message.chat.id or act is None:
            return Problem("tap_gone", {})
        if not await self._access.may_ask(query.from_user.id, task.chat_id):
            return Problem("tap_private", {})
        asker_id = await self._acting_as(query.from_user.id, task, verb)
        if asker_id is None:
            return Problem("tap_only_owner" if verb in FOR_OWNER else "tap_not_yours", {})
        asker = Asker(
            update_id=update_id,
            chat_id=task.chat_id,
            thread_id=_topic(query.message) if isinstance(query.message, Message) else task.thread_id,
            user_id=asker_id,
            user_name=query.from_user.first_name if asker_id == query.from_user.id else "",
            message_id=query.message.message_id,
            language=await self._language(query),
            sent_at=self._clock(),
            tapped=True,
        )
        try:
            return await act(Tap(asker, task, verb, choice, query.from_user.id))
        except (StaleTask, IllegalMove):
            return Problem("tap_too_late", {})
        except MediaError as error:
            return Problem(error.code, error.values)

    async def _acting_as(self, person_id: int, task: Task, verb: str) -> int | None:
        """Whose wish it is when a person does this with a task; None where they may not.

        An anonymous admin asks as the group, and somebody else perhaps as a channel; they tap under their own
        name.
        """
        if person_id == task.user_id:
            return person_id
        of_group = task.user_id < 0
        if (of_group or verb == CANCEL) and await self._admins.may_manage(task.chat_id, person_id):
            return task.user_id if of_group else person_id
        return person_id if verb in OPEN_TO_ALL and task.state is TaskState.SUCCEEDED else None

    async def _plain_tap(self, update_id: int, query: CallbackQuery, chat_id: int) -> PlainTap:
        person, message = query.from_user, query.message
        asker = Asker(
            update_id=update_id,
            chat_id=chat_id,
            thread_id=_topic(message) if isinstance(message, Message) else None,
            user_id=person.id,
            user_name=person.first_name,
            message_id=message.message_id if message else None,
            language=await self._language(query),
            sent_at=self._clock(),
            tapped=True,
            code=person.language_code,
        )
        return PlainTap(asker, (query.data or "").partition(":")[2])

    async def _language(self, query: CallbackQuery) -> str:
        chat_id = query.message.chat.id if query.message else query.from_user.id
        return await self._preferences.language_for(
            chat_id, query.from_user.language_code, query.from_user.id
        )

    def _is_flood(self, update_id: int, query: CallbackQuery) -> bool:
        """Each tap may draw a card anew, and Telegram answers too many edits with silence for that chat."""
        chat_id = query.message.chat.id if query.message else 0
        return self._calm.weigh(chat_id, query.from_user.id, update_id, self._clock()) != "take"

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

    async def _send(self, tap: Tap) -> Problem | None:
        await self._tasks.save(tap.task.resend(tap.asker.thread_id, self._clock()))
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
        """The very same; of somebody else's video a draft of one's own, on one's own limits."""
        if tap.asker.user_id == tap.task.user_id:
            return await self._start_anew(tap, tap.task.request)
        if not await self._is_repeated(tap):
            await self._orders.draft(tap.asker, tap.task.request, "card_draft_named", tap.task.id)
        return None

    async def _with_model(self, tap: Tap) -> Problem | None:
        """Another model: the draft asks about what the chosen one cannot do, or the task has ended."""
        request = tap.task.request.model_copy(update={"model": tap.choice})
        if tap.task.state is TaskState.DRAFT:
            settings = await self._preferences.of(tap.asker.chat_id)
            return await self._start_draft(tap, self._reading.add_usual(request, settings))
        return await self._start_anew(tap, request)

    async def _without_photo(self, tap: Tap) -> Problem | None:
        bare = {"photos": (), "crop": None, "extends": None}
        return await self._start_anew(tap, tap.task.request.model_copy(update=bare))

    async def _ask(self, tap: Tap) -> Problem | None:
        """What should be different? The answer starts it."""
        if tap.task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if not await self._is_repeated(tap):
            words = "card_ask_other_words" if tap.task.request.prompt else "card_ask_words"
            question = "card_ask_other_photo" if tap.verb == Remedy.PHOTO else words
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
        if problems := self._reading.problems(request):
            return problems[0]
        if await self._is_repeated(tap):
            return None
        if await self._orders.is_on_its_way(tap.asker, request, tap.task.id):
            return Problem("tap_on_its_way", {})
        return await self._orders.start(tap.asker, request, tap.task.id)

    async def _is_repeated(self, tap: Tap) -> bool:
        """Whether this very tap, or the same a moment ago, has been acted on."""
        asker = tap.asker
        if self._repeats.is_repeated(asker.update_id, asker.user_id, tap.task.id, tap.verb, tap.choice):
            return True
        return await self._tasks.find(update_id=tap.asker.update_id) is not None


def _topic(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None
