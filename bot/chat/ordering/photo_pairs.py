"""Pairs: two photos that a video leads from and to, and the choice where more were sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.chat.cards import photo_picker
from bot.chat.cards.draft_card import STARTED_BY_ANSWER
from bot.chat.cards.motion_suggestions import motion_words
from bot.chat.cards.photo_picker import chosen_photos, fit_two_photos
from bot.chat.handlers import ButtonPress
from bot.chat.ordering.albums import Album
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import Intent, SentPhoto
from bot.chat.parsing.prompt_options import read_words
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import ChatSettings, TaskStore
from bot.task import Task, TaskState

Objection = Callable[[Sender, VideoRequest, Sequence[Problem], SentPhoto | None], Awaitable[None]]
"""Says why a request cannot work, and offers models that can make it."""
_OPEN = frozenset({"prompt_missing_with_photo", "no_first_last"})
"""What can be asked about."""


class PhotoPairs:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        reading: RequestBuilder,
        orders: Orders,
        board: CardBoard,
        models: Mapping[str, VideoModel],
    ) -> None:
        self._tasks = tasks
        self._reading = reading
        self._orders = orders
        self._board = board
        self._models = models

    async def answer(self, album: Album, settings: ChatSettings, objection: Objection) -> Problem | None:
        """An album of two or more: start it, or ask what is open. What is left to say is returned."""
        sender, first, last = album.sender, album.photos[0], album.photos[1]
        words = read_words(album.words)
        request, problems = self._reading.read(words, first, settings=settings, last=last)
        able = fit_two_photos(request, self._models)
        blocked = [problem for problem in problems if problem.code not in _OPEN]
        # A model is no way out where it could not use one of the two.
        weakest = min((first, last), key=lambda photo: len(self._reading.others(request, photo)))
        if blocked:
            await objection(sender, request, blocked, weakest)
        elif able is None or len(album.photos) > 2:
            file_ids = tuple(photo.file_id for photo in album.photos)
            several = request.model_copy(update={"photos": file_ids})
            await self._orders.put(sender, several, photo_picker.QUESTION)
        elif not request.prompt.strip() or not album.is_wanted:
            usual = self._reading.add_usual(able, settings)
            question = "card_draft" if request.prompt.strip() else "card_ask_two_photos"
            await self._orders.draft(sender, usual, question)
        elif problems:
            await objection(sender, request, problems, weakest)
        else:
            return await self._orders.start(sender, request)
        return None

    async def awaited(self, sender: Sender, intent: Intent) -> Task | None:
        """The draft of one photo whose card this second one answers, where it can become the last frame."""
        if intent.answers is None or intent.photo is None:
            return None
        task = await self._tasks.find(card=(sender.chat_id, intent.answers))
        if task is None or task.state is not TaskState.DRAFT or task.user_id != sender.user_id:
            return None
        if len(task.request.photos) != 1 or task.question in STARTED_BY_ANSWER:
            return None
        return task if fit_two_photos(task.request, self._models) else None

    async def add_last(
        self, sender: Sender, task: Task, intent: Intent, objection: Objection
    ) -> Problem | None:
        """A second photo for that draft: it asks what it asked, below."""
        base = fit_two_photos(task.request, self._models) or task.request
        request, problems = self._reading.read(read_words(intent.words), None, base, last=intent.photo)
        blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
        if blocked:
            await objection(sender, request, blocked, intent.photo)
            return None
        question = "card_ask_two_photos" if problems else "card_draft"
        return await self._orders.answered(task, sender, request, question)

    async def name(self, sender: Sender, task: Task, words: str) -> Problem | None:
        """The words for photos of which none is chosen yet."""
        photos = task.request.photos
        base = task.request.model_copy(update={"photos": photos[:1]})
        request, problems = self._reading.read(read_words(words), None, base)
        if problems:
            return problems[0]
        several = request.model_copy(update={"photos": photos})
        return await self._orders.answered(task, sender, several, photo_picker.QUESTION)

    async def choose(self, tap: ButtonPress) -> Problem | None:
        """A photo is chosen to be the first, or the choice is made: a draft of it, which buys nothing yet."""
        task = tap.task
        asks = task.question in (photo_picker.QUESTION, "card_switch")
        if task.state is not TaskState.DRAFT or not asks:
            return Problem("tap_too_late", {})
        if task.question == photo_picker.QUESTION and "-" not in tap.choice:
            await self._board.redraw(task, tap.choice or None)
            return None
        photos = chosen_photos(task.request.photos, tap.choice)
        if photos is None:
            return Problem("tap_gone", {})
        request = task.request.model_copy(update={"photos": photos, "crop": None})
        able = fit_two_photos(request, self._models) if len(photos) == 2 else request
        if able is None:
            return Problem("tap_gone", {})
        return await self._draft(tap, able)

    async def move(self, tap: ButtonPress) -> Problem | None:
        """A suggested motion in place of words."""
        words = motion_words(tap.task, tap.choice)
        if words is None or tap.task.state is not TaskState.DRAFT:
            return Problem("tap_too_late", {})
        return await self._draft(tap, tap.task.request.model_copy(update={"prompt": words}))

    async def _draft(self, tap: ButtonPress, request: VideoRequest) -> Problem | None:
        problems = self._reading.problems(request)
        blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
        if blocked:
            return blocked[0]
        question = "card_draft"
        if not request.prompt.strip():
            alone = "card_ask_photo_words" if problems else "card_ask_photo"
            question = alone if len(request.photos) == 1 else "card_ask_two_photos"
        await self._orders.reask(tap.sender, tap.task, request, question)
        return None
