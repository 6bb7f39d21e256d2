"""Orders: from a wish to a task that is stored. Everything that can be refused is refused here, for free."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import timing
from bot.chat.access import Access
from bot.chat.asker import Asker
from bot.chat.intent import SentPhoto
from bot.chat.screen import PHOTO_MAX_BYTES, Screen
from bot.chat.words import Words
from bot.request import Problem, VideoModel, VideoRequest, check_photo, check_request, settle, shown
from bot.store import TaskStore
from bot.task import Task, TaskState

_PHOTO_QUESTIONS = frozenset({"card_ask_photo", "card_ask_photo_words"})
_WORDS_WITHIN = timedelta(minutes=15)


class Orders:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        screen: Screen,
        access: Access,
        models: Mapping[str, VideoModel],
        default_model: str,
        old_after: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._screen = screen
        self._access = access
        self._models = models
        self._default_model = default_model
        self._old_after = old_after
        self._clock = clock
        self._wake = wake

    def read(self, words: Words, photo: SentPhoto | None) -> tuple[VideoRequest, list[Problem]]:
        """The request that words and a photo make, and every reason why it cannot work."""
        name = str(words.options.get("model", self._default_model))
        photos = (photo.file_id,) if photo else ()
        fields: dict[str, Any] = {**words.options, "model": name, "prompt": words.prompt, "photos": photos}
        request = VideoRequest(**fields)
        problems = [*words.problems, *self.problems(request)]
        model = self._models.get(name)
        if photo is not None and model is not None:
            problems += check_photo(model, photo.width, photo.height, PHOTO_MAX_BYTES, photo.size_bytes)
        return request, problems

    def problems(self, request: VideoRequest) -> list[Problem]:
        """Every reason why the request cannot work with the models that are set up."""
        model = self._models.get(request.model)
        if model is not None:
            return check_request(request, model)
        if not self._models:
            return [Problem("no_model", {})]
        return [Problem("model_unknown", {"model": request.model, "choices": ", ".join(shown(self._models))})]

    async def known(self, asker: Asker) -> bool:
        """Whether this update, or the album it belongs to, has made its task already."""
        if await self._tasks.find(update_id=asker.update_id) is not None:
            return True
        if asker.album_id is None:
            return False
        return await self._tasks.find(album=(asker.chat_id, asker.album_id)) is not None

    async def start(
        self, asker: Asker, request: VideoRequest, parent_id: str | None = None
    ) -> Problem | None:
        """Queue it at once; a message that lay around too long is asked about instead."""
        if problem := await self._access.limit(asker.user_id, asker.chat_id):
            return problem
        if self._is_old(asker):
            await self.draft(asker, request, "card_old")
            return None
        task = replace(self._new(asker, request), parent_id=parent_id)
        await self._post(self._bought(task, request), asker)
        self._wake()
        return None

    def awaits_words(self, task: Task) -> bool:
        """Whether plain words still belong to this photo: later they are a wish of their own."""
        return task.question in _PHOTO_QUESTIONS and self._clock() - task.created_at < _WORDS_WITHIN

    async def draft(self, asker: Asker, request: VideoRequest, question: str) -> None:
        """A card that asks; nothing is bought."""
        await self._post(replace(self._new(asker, request), question=question), asker)

    async def ask_words(self, asker: Asker, request: VideoRequest) -> None:
        """A question; the answer to it starts the task."""
        task = replace(self._new(asker, request), question="card_ask_words")
        await self._tasks.add(replace(task, card_id=await self._screen.ask(asker)))

    async def answered(
        self, task: Task, asker: Asker, request: VideoRequest, *, start: bool
    ) -> Problem | None:
        """The missing words came: a card anew, below them. It starts, or asks whether it should."""
        if start and (problem := await self._access.limit(asker.user_id, asker.chat_id)):
            return problem
        if start and not self._is_old(asker):
            moved = self._bought(task, request)
        else:
            question = "card_old" if start else "card_draft"
            moved = task.asked(request, question, self._expiry(asker.chat_id))
        # From here on this update stands for the task: handled twice, it is found.
        moved = replace(
            moved, update_id=asker.update_id, message_id=asker.message_id, created_at=asker.sent_at
        )
        moved = replace(moved, card_id=await self._screen.post(moved, asker.message_id))
        saved = await self._tasks.save(moved)
        if saved.state is not TaskState.DRAFT:
            self._screen.live.posted(saved)
        if task.question != "card_ask_words" and task.card_id is not None:
            await self._screen.remove(task.chat_id, task.card_id)
        self._wake()
        return None

    async def generate(self, task: Task) -> Problem | None:
        """The person said yes to a draft."""
        if problem := await self._access.limit(task.user_id, task.chat_id):
            return problem
        if problems := self.problems(task.request):
            return problems[0]
        saved = await self._tasks.save(self._bought(task, task.request))
        self._screen.show(saved)
        self._wake()
        return None

    def _is_old(self, asker: Asker) -> bool:
        return self._clock() - asker.sent_at > self._old_after

    def _bought(self, task: Task, request: VideoRequest) -> Task:
        return task.queued(settle(request, self._models[request.model]), None, self._clock())

    async def _post(self, task: Task, asker: Asker) -> None:
        """The card first, then the row: whoever sees a card can count on it, and no row lacks one."""
        card_id = await self._screen.post(task, asker.message_id)
        stored = await self._tasks.add(replace(task, card_id=card_id))
        if stored.state is not TaskState.DRAFT:
            self._screen.live.posted(stored)

    def _new(self, asker: Asker, request: VideoRequest) -> Task:
        model = self._models[request.model]
        return Task(
            id=secrets.token_hex(8),
            update_id=asker.update_id,
            chat_id=asker.chat_id,
            thread_id=asker.thread_id,
            user_id=asker.user_id,
            user_name=asker.user_name,
            message_id=asker.message_id,
            album_id=asker.album_id,
            language=asker.language,
            provider=model.provider,
            request=request,
            state=TaskState.DRAFT,
            created_at=asker.sent_at,
            due_at=self._expiry(asker.chat_id),
        )

    def _expiry(self, chat_id: int) -> datetime:
        return self._clock() + (timing.DRAFT_GROUP if chat_id < 0 else timing.DRAFT_PRIVATE)
