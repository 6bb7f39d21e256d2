"""Orders: from a request to a task that is stored. What can be refused is refused here, for free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chat.cards.draft_card import STARTED_BY_ANSWER
from bot.chat.cards.layout import left_out
from bot.chat.cards.photo_picker import QUESTION as WHICH
from bot.chat.cards.price_labels import PriceLabels, no_price_labels
from bot.chat.ordering.access import Access
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.drafts import Drafts
from bot.chat.ordering.photo_disclosure import PhotoDisclosure
from bot.chat.ordering.quotas import Quotas
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.ordering.user_lock import UserLocks
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.request import Problem, VideoModel, VideoRequest, settle
from bot.store import TaskStore
from bot.store.leases import SINGLE_PROCESS, LeaseStore
from bot.task import Task, TaskState
from bot.text import plain


class Orders(Drafts):
    """What buys, and with it what only asks."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        board: CardBoard,
        messenger: Messenger,
        access: Access,
        budgets: Budgets,
        allowance: Quotas,
        companies: PhotoDisclosure,
        photos: PhotoFiles,
        reading: RequestBuilder,
        models: Mapping[str, VideoModel],
        old_after: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        price_labels: Callable[[], PriceLabels] = no_price_labels,
        sharing: LeaseStore = SINGLE_PROCESS,
    ) -> None:
        super().__init__(
            tasks=tasks,
            board=board,
            messenger=messenger,
            photos=photos,
            models=models,
            clock=clock,
            wake=wake,
            price_labels=price_labels,
        )
        self._reading = reading
        self._access = access
        self._budgets = budgets
        self._allowance = allowance
        self._companies = companies
        self._old_after = old_after
        self._turns = UserLocks(sharing)

    async def known(self, sender: Sender) -> bool:
        """Whether this update, or the album it belongs to, has made its task already."""
        if await self._tasks.find(update_id=sender.update_id) is not None:
            return True
        if sender.album_id is None:
            return False
        return await self._tasks.find(album=(sender.chat_id, sender.album_id)) is not None

    async def start(
        self, sender: Sender, request: VideoRequest, parent_id: str | None = None, frame: bytes | None = None
    ) -> Problem | None:
        """Queue it at once; a message that lay around too long is asked about instead. What stands against
        it, or what to say to a tap that has ordered it.

        `frame`: a JPEG that no message shows so far. The card does, and it becomes the request's first frame.
        """
        async with self._turn(sender.user_id):
            return await self._start(sender, request, parent_id, frame)

    async def _start(
        self, sender: Sender, request: VideoRequest, parent_id: str | None, frame: bytes | None
    ) -> Problem | None:
        if problem := await self._limit(sender, sender.user_id, request):
            return problem
        framed = request
        if frame is not None or not await self._is_decided(request, parent_id):
            framed = await self._photos.framed(request, sender.user_id)
        if self._is_old(sender):
            await self.draft(sender, framed, "card_old", parent_id, frame)
            return None
        if framed != request:
            await self.draft(sender, framed, "card_crop", parent_id, frame)
            return None
        task = replace(self._new(sender, request), parent_id=parent_id)
        await self._companies.announce(sender, request)
        await self._post(await self._bought(task, request), sender, frame)
        self._wake()
        await self._budgets.watch(sender.user_id)
        # No draft has named the price to whoever taps Again.
        cost = self._price_labels().cost(sender.language, request) if sender.tapped else ""
        return Problem("tap_ordered", {"price": plain(cost)}) if cost else None

    async def is_on_its_way(self, sender: Sender, request: VideoRequest, parent_id: str) -> bool:
        """Whether the same tap has ordered it already, however long ago: until that ends it buys once."""
        wanted = settle(request, self._models[request.model])
        mine = await self._tasks.open_tasks(user_id=sender.user_id, chat_id=sender.chat_id)
        return any(task.parent_id == parent_id and task.request == wanted for task in mine)

    async def answered(
        self, task: Task, sender: Sender, request: VideoRequest, question: str = "card_draft"
    ) -> Problem | None:
        """What was missing came: a card anew, below it. It starts, or asks `question`."""
        async with self._turn(sender.user_id):
            return await self._answered(task, sender, request, question)

    async def _answered(
        self, task: Task, sender: Sender, request: VideoRequest, question: str
    ) -> Problem | None:
        starts = task.question in STARTED_BY_ANSWER
        if starts and (problem := await self._limit(sender, sender.user_id, request)):
            return problem
        framed = request
        if question != WHICH:
            framed = await self._photos.framed(request, sender.user_id)
        if starts and framed == request and not self._is_old(sender):
            await self._companies.announce(sender, request)
            moved = await self._bought(task, request)
        else:
            if starts:
                question = "card_old" if self._is_old(sender) else "card_crop"
            moved = task.asked(framed, question, self._expiry(sender.chat_id))
        # From here on this update stands for the task: handled twice, it is found.
        moved = replace(
            moved,
            update_id=sender.update_id,
            message_id=sender.message_id,
            album_id=sender.album_id or task.album_id,
            created_at=sender.sent_at,
        )
        moved = await self._board.post(moved, sender.message_id)
        saved = await self._tasks.save(moved)
        if saved.state is not TaskState.DRAFT:
            self._board.live.posted(saved)
            await self._board.quiet.taken(saved)
        if task.question not in STARTED_BY_ANSWER and task.card_id is not None:
            await self._board.remove(task.chat_id, task.card_id)
        self._wake()
        await self._budgets.watch(sender.user_id)
        return None

    async def generate(self, sender: Sender, task: Task, request: VideoRequest) -> Problem | None:
        """The person said yes to a draft, and to `request` in it."""
        async with self._turn(task.user_id):
            return await self._generate(sender, task, request)

    async def _generate(self, sender: Sender, task: Task, request: VideoRequest) -> Problem | None:
        if problem := await self._limit(sender, task.user_id, request):
            return problem
        if problems := self._reading.problems(request):
            return problems[0]
        if task.question != "card_crop" and await self._crop(sender, task, request):
            return None
        await self._companies.announce(sender, request)
        saved = await self._tasks.save(await self._bought(task, request))
        self._board.show(saved)
        self._wake()
        await self._board.quiet.taken(saved)
        await self._budgets.watch(task.user_id)
        return None

    @asynccontextmanager
    async def _turn(self, user_id: int) -> AsyncIterator[None]:
        """One order of a person after another; what a budget set aside for it is free again at the end."""
        async with self._turns.of(user_id):
            try:
                yield
            finally:
                await asyncio.shield(self._budgets.release(user_id))

    async def _limit(self, sender: Sender, user_id: int, request: VideoRequest) -> Problem | None:
        """What stands against ordering this, whatever it shows: how many there may be, and for how much."""
        problem = await self._access.limit(user_id, sender.chat_id)
        return problem or await self._budgets.limit(user_id, sender.language, request)

    async def _is_decided(self, request: VideoRequest, parent_id: str | None) -> bool:
        """Whether its person has seen what this model makes of this photo: it is the same as before."""
        parent = await self._tasks.get(parent_id) if parent_id else None
        return parent is not None and (parent.request.model, parent.request.photos) == (
            request.model,
            request.photos,
        )

    async def _crop(self, sender: Sender, task: Task, request: VideoRequest) -> bool:
        """Whether the model that was chosen now would cut much off the photo: a card of its own asks."""
        framed = await self._photos.framed(request, sender.user_id)
        if framed == request:
            return False
        await self._replace_card(task, task.asked(framed, "card_crop", self._expiry(task.chat_id)))
        return True

    def _is_old(self, sender: Sender) -> bool:
        return self._clock() - sender.sent_at > self._old_after

    async def _bought(self, task: Task, request: VideoRequest) -> Task:
        """What is settled forgets the ratio that a photo overrules: its card is told before. And so it is of
        what is left of the day, where that is little."""
        model = self._models[request.model]
        asides = [left_out(request, model, task.language), await self._allowance.after(task)]
        if any(asides):
            self._board.note(task, "\n".join(filter(None, asides)))
        bought, price = settle(request, model), self._price_labels().quote(request)
        return replace(task, provider=model.provider).queued(bought, price, self._clock())
