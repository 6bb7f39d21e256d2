"""ButtonPresses on buttons. What a button says is looked up, never trusted: task, owner and state decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from telegram import CallbackQuery, Message

from bot.chat.cards.draft_card import CROP_ALWAYS, has_options
from bot.chat.cards.next_steps import NextStep
from bot.chat.cards.option_buttons import VERB, changed
from bot.chat.cards.result_buttons import FOR_OWNER, OPEN_TO_ALL
from bot.chat.chat_settings import ChatPreferences
from bot.chat.features.cancel import CANCEL
from bot.chat.handlers import ButtonHandler, ButtonPress, ChatButtonHandler, ChatButtonPress
from bot.chat.ordering.access import Access
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.flood_control import TAPS, FloodControl
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.errors import ChatError, IllegalMove, MediaError, StaleTask
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import PeopleStore, TaskStore
from bot.task import END_STATES, Task, TaskState
from bot.text import plain, say


class ButtonPresses:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        people: PeopleStore,
        board: CardBoard,
        reading: RequestBuilder,
        orders: Orders,
        access: Access,
        models: Mapping[str, VideoModel],
        preferences: ChatPreferences,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        repeats: DuplicateGuard,
        admins: GroupAdmins,
        acts: Mapping[str, ButtonHandler],
        plain_acts: Mapping[str, ChatButtonHandler],
    ) -> None:
        self._tasks = tasks
        self._people = people
        self._board = board
        self._reading = reading
        self._orders = orders
        self._access = access
        self._models = models
        self._preferences = preferences
        self._clock = clock
        self._wake = wake
        self._repeats = repeats
        self._admins = admins
        self._calm = FloodControl(TAPS)
        self._plain_acts = plain_acts
        self._acts: Mapping[str, ButtonHandler] = {
            **acts,
            "generate": self._generate,
            CROP_ALWAYS: self._crop_always,
            "dismiss": self._dismiss,
            "send": self._send,
            VERB: self._pick,
            NextStep.FETCH: self._fetch,
            NextStep.AGAIN: self._again,
            NextStep.PLAIN: self._without_photo,
            NextStep.MODEL: self._with_model,
            NextStep.PHOTO: self._ask,
            NextStep.WORDS: self._ask,
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
        task = await self._tasks.get(task_id) if task_id and task_id.isprintable() else None
        act = self._acts.get(verb)
        if query.message is None or task is None or task.chat_id != query.message.chat.id or act is None:
            return Problem("tap_gone", {})
        if not await self._access.may_ask(query.from_user.id, task.chat_id):
            return Problem("tap_private", {})
        asker_id = await self._acting_as(query.from_user.id, task, verb)
        if asker_id is None:
            return Problem("tap_only_owner" if verb in FOR_OWNER else "tap_not_yours", {})
        sender = Sender(
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
            return await act(ButtonPress(sender, task, verb, choice, query.from_user.id))
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

    async def _plain_tap(self, update_id: int, query: CallbackQuery, chat_id: int) -> ChatButtonPress:
        person, message = query.from_user, query.message
        sender = Sender(
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
        return ChatButtonPress(sender, (query.data or "").partition(":")[2])

    async def _language(self, query: CallbackQuery) -> str:
        chat_id = query.message.chat.id if query.message else query.from_user.id
        return await self._preferences.language_for(
            chat_id, query.from_user.language_code, query.from_user.id
        )

    def _is_flood(self, update_id: int, query: CallbackQuery) -> bool:
        """Each tap may draw a card anew, and Telegram answers too many edits with silence for that chat."""
        chat_id = query.message.chat.id if query.message else 0
        return self._calm.check(chat_id, query.from_user.id, update_id, self._clock()) != "take"

    async def _generate(self, tap: ButtonPress) -> Problem | None:
        return await self._start_draft(tap, tap.task.request)

    async def _crop_always(self, tap: ButtonPress) -> Problem | None:
        """Yes, and from now on without this question."""
        person = await self._people.person(tap.sender.user_id)
        await self._people.put_person(replace(person, crop_preview=False))
        return await self._start_draft(tap, tap.task.request)

    async def _dismiss(self, tap: ButtonPress) -> Problem | None:
        await self._tasks.save(tap.task.cancelled("dismissed", self._clock()))
        self._wake()
        return None

    async def _send(self, tap: ButtonPress) -> Problem | None:
        await self._tasks.save(tap.task.resend(tap.sender.thread_id, self._clock()))
        self._wake()
        return Problem("tap_done", {})

    async def _fetch(self, tap: ButtonPress) -> Problem | None:
        """Ask the provider once more for a video that was made and could not be fetched: that is free."""
        saved = await self._tasks.save(tap.task.refetch(self._clock()))
        self._board.show(saved)
        self._wake()
        return Problem("tap_fetching", {})

    async def _pick(self, tap: ButtonPress) -> Problem | None:
        """An option of a draft is opened, chosen, or left as it was."""
        if not has_options(tap.task):
            return Problem("tap_too_late", {})
        option, chosen, choice = tap.choice.partition("=")
        if not chosen:
            await self._board.redraw(tap.task, option or None)
            return None
        request = changed(tap.task.request, self._models, option, choice)
        if request is None:
            return Problem("tap_gone", {})
        await self._orders.change(tap.task, request)
        return None

    async def _again(self, tap: ButtonPress) -> Problem | None:
        """The very same; of somebody else's video a draft of one's own, on one's own limits."""
        if tap.sender.user_id == tap.task.user_id:
            return await self._start_anew(tap, tap.task.request)
        if not await self._is_repeated(tap):
            await self._orders.draft(tap.sender, tap.task.request, "card_draft_named", tap.task.id)
        return None

    async def _with_model(self, tap: ButtonPress) -> Problem | None:
        """Another model: the draft asks about what the chosen one cannot do, or the task has ended."""
        request = tap.task.request.model_copy(update={"model": tap.choice})
        if tap.task.state is TaskState.DRAFT:
            settings = await self._preferences.of(tap.sender.chat_id)
            return await self._start_draft(tap, self._reading.add_usual(request, settings))
        return await self._start_anew(tap, request)

    async def _without_photo(self, tap: ButtonPress) -> Problem | None:
        bare = {"photos": (), "crop": None, "extends": None}
        return await self._start_anew(tap, tap.task.request.model_copy(update=bare))

    async def _ask(self, tap: ButtonPress) -> Problem | None:
        """What should be different? The answer starts it."""
        if tap.task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if not await self._is_repeated(tap):
            words = "card_ask_other_words" if tap.task.request.prompt else "card_ask_words"
            question = "card_ask_other_photo" if tap.verb == NextStep.PHOTO else words
            await self._orders.ask(tap.sender, tap.task.request, question, tap.task.id)
        return None

    async def _start_draft(self, tap: ButtonPress, request: VideoRequest) -> Problem | None:
        if tap.task.state is not TaskState.DRAFT:
            return Problem("tap_too_late", {})
        return await self._orders.generate(tap.sender, tap.task, request)

    async def _start_anew(self, tap: ButtonPress, request: VideoRequest) -> Problem | None:
        """An order of its own, after one that has ended."""
        if tap.task.state not in END_STATES:
            return Problem("tap_too_late", {})
        if problems := self._reading.problems(request):
            return problems[0]
        if await self._is_repeated(tap):
            return None
        if await self._orders.is_on_its_way(tap.sender, request, tap.task.id):
            return Problem("tap_on_its_way", {})
        return await self._orders.start(tap.sender, request, tap.task.id)

    async def _is_repeated(self, tap: ButtonPress) -> bool:
        """Whether this very tap, or the same a moment ago, has been acted on."""
        sender = tap.sender
        if self._repeats.is_repeated(sender.update_id, sender.user_id, tap.task.id, tap.verb, tap.choice):
            return True
        return await self._tasks.find(update_id=tap.sender.update_id) is not None


def _topic(message: Message) -> int | None:
    return message.message_thread_id if message.is_topic_message else None
