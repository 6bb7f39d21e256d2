"""Drafts: cards and questions before an order; nothing is bought by them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chat.cards.draft_card import draw_question, draw_switch
from bot.chat.deps import ChatDeps
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles, with_first_frame
from bot.draft import AWAITS_PHOTO, AWAITS_WORDS, STARTED_BY_ANSWER, DraftQuestion
from bot.request import Problem, VideoRequest
from bot.task import CardRef, Task, TaskState
from bot.worker import schedule

_ANSWERED_WITHIN = timedelta(minutes=15)


class Drafts:
    """Asks a person what to make before anything is bought, and stores what they choose."""

    def __init__(self, deps: ChatDeps, board: CardBoard, messenger: Messenger, photos: PhotoFiles) -> None:
        self._deps = deps
        self._tasks = deps.store.tasks
        self._board = board
        self._messenger = messenger
        self._photos = photos

    def awaits_words(self, task: Task) -> bool:
        """Return True if plain words still answer this draft: later they ask for a video of their own, and so
        they do if it has words or asks for a photo."""
        asks = task.question in STARTED_BY_ANSWER or (
            task.question in AWAITS_WORDS and not task.request.prompt
        )
        is_wanted = asks and task.question not in (DraftQuestion.OTHER_PHOTO, DraftQuestion.RECIPE_PHOTO)
        return is_wanted and self._is_fresh(task)

    def awaits_photo(self, task: Task) -> bool:
        """Return True if a photo that is no reply still answers this draft."""
        return task.question in AWAITS_PHOTO and self._is_fresh(task)

    async def draft(
        self,
        sender: Sender,
        request: VideoRequest,
        question: DraftQuestion,
        parent_id: str | None = None,
        frame: bytes | None = None,
    ) -> None:
        """Post a card that asks. `frame` is as in `Orders.start`."""
        framed = await self._photos.framed(request, sender.user_id)
        task = replace(self.new(sender, framed), question=question, parent_id=parent_id)
        await self.post(task, sender, frame)

    async def put(self, sender: Sender, request: VideoRequest, question: DraftQuestion) -> None:
        """Post a card that asks which of the photos to use."""
        await self.post(replace(self.new(sender, request), question=question), sender)

    async def gather(
        self,
        sender: Sender,
        request: VideoRequest,
        question: DraftQuestion,
        due_at: datetime,
        parent_id: str | None = None,
    ) -> None:
        """Store a draft without a card, which the worker handles at `due_at`."""
        task = replace(self.new(sender, request), question=question, parent_id=parent_id, due_at=due_at)
        await self._tasks.add(task)
        self._deps.wake()

    async def ask(
        self,
        sender: Sender,
        request: VideoRequest,
        question: DraftQuestion,
        parent_id: str | None = None,
        frame: bytes | None = None,
    ) -> None:
        """Ask a question; its answer starts the task. `frame` is as in `Orders.start`."""
        task = replace(self.new(sender, request), question=question, parent_id=parent_id)
        sent = await self._messenger.ask(
            sender, draw_question(task, self._deps.clock(), self._deps.price_labels()), frame
        )
        if frame is not None:
            task = replace(task, request=with_first_frame(request, sent))
        card = task.card.posted(sent.message_id, has_photo=frame is not None)
        await self._store(replace(task, card=card), sender)

    async def offer(
        self, sender: Sender, request: VideoRequest, problem: Problem, names: Sequence[str]
    ) -> None:
        """Post a card that says why the request cannot work, with a button for each model that can."""
        task = replace(self.new(sender, request), question=DraftQuestion.MODEL)
        await self._store(
            await self._board.post(
                task, sender.message_id, draw_switch(task, problem, names, self._deps.price_labels())
            ),
            sender,
        )

    async def change(self, task: Task, request: VideoRequest) -> None:
        """Store another choice on a draft that asks the same as before."""
        saved = await self._tasks.save(task.asked(request, task.question, self.expiry(task.card.chat_id)))
        if task.card.has_photo and request.crop != task.request.crop:
            await self._board.redraw_picture(saved)
        else:
            await self._board.redraw(saved)

    async def reask(self, sender: Sender, task: Task, request: VideoRequest, question: str | None) -> None:
        """Change what a draft asks: on its card, or on a new one if the card's photo changes."""
        framed = await self._photos.framed(request, sender.user_id)
        asked = task.asked(framed, question, self.expiry(task.card.chat_id))
        same_picture = (framed.crop, framed.photos) == (task.request.crop, task.request.photos)
        # Below the numbered photos "it starts with photo 3" still says what it means.
        same_picture |= task.question == DraftQuestion.WHICH_PHOTOS and framed.crop is None
        if same_picture or not (task.card.has_photo or framed.crop):
            await self._board.redraw(await self._tasks.save(asked))
        else:
            await self.replace_card(task, asked)

    async def replace_card(self, task: Task, moved: Task) -> None:
        await self._tasks.save(await self._board.post(moved, task.card.message_id))
        if task.card.card_id is not None:
            await self._board.remove(task.card.chat_id, task.card.card_id)

    def _is_fresh(self, task: Task) -> bool:
        return self._deps.clock() - task.created_at < _ANSWERED_WITHIN

    async def post(self, task: Task, sender: Sender, frame: bytes | None = None) -> None:
        """Post the card, then store the task: so no stored task lacks its card."""
        stored = await self._store(await self._board.post(task, sender.message_id, frame=frame), sender)
        if stored.state is not TaskState.DRAFT:
            self._board.live.posted(stored)
            await self._board.reactions.taken(stored)

    async def _store(self, task: Task, sender: Sender) -> Task:
        return await (self._tasks.save(task) if sender.album_draft else self._tasks.add(task))

    def new(self, sender: Sender, request: VideoRequest) -> Task:
        """Return a new draft. Its model, and with it its provider, may change until it is bought."""
        if sender.album_draft is not None:
            return sender.album_draft.asked(request, None, self.expiry(sender.chat_id))
        model = self._deps.models.get(request.model)
        return Task(
            id=secrets.token_hex(8),
            update_id=sender.update_id,
            card=CardRef(chat_id=sender.chat_id, thread_id=sender.thread_id, message_id=sender.message_id),
            user_id=sender.user_id,
            user_name=sender.user_name,
            album_id=sender.album_id,
            language=sender.language,
            provider=model.provider if model else "",
            request=request,
            state=TaskState.DRAFT,
            created_at=sender.sent_at,
            due_at=self.expiry(sender.chat_id),
        )

    def expiry(self, chat_id: int) -> datetime:
        return self._deps.clock() + (schedule.DRAFT_GROUP if chat_id < 0 else schedule.DRAFT_PRIVATE)
