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
from bot.chat.cards.price_labels import Tariff, no_tariff
from bot.chat.ordering.access import Access
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.drafts import Drafts
from bot.chat.ordering.photo_disclosure import Companies
from bot.chat.ordering.quotas import Allowance
from bot.chat.ordering.request_builder import Reading
from bot.chat.ordering.user_lock import Turns
from bot.chat.sender import Asker
from bot.chat.task_cards.board import Screen
from bot.chat.telegram_io.messenger import Voice
from bot.chat.telegram_io.photo_files import Photos
from bot.request import Problem, VideoModel, VideoRequest, settle
from bot.store import TaskStore
from bot.store.sharing import ALONE, SharingStore
from bot.task import Task, TaskState
from bot.text import plain


class Orders(Drafts):
    """What buys, and with it what only asks."""

    def __init__(
        self,
        *,
        tasks: TaskStore,
        screen: Screen,
        voice: Voice,
        access: Access,
        budgets: Budgets,
        allowance: Allowance,
        companies: Companies,
        photos: Photos,
        reading: Reading,
        models: Mapping[str, VideoModel],
        old_after: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        tariff: Callable[[], Tariff] = no_tariff,
        sharing: SharingStore = ALONE,
    ) -> None:
        super().__init__(
            tasks=tasks,
            screen=screen,
            voice=voice,
            photos=photos,
            models=models,
            clock=clock,
            wake=wake,
            tariff=tariff,
        )
        self._reading = reading
        self._access = access
        self._budgets = budgets
        self._allowance = allowance
        self._companies = companies
        self._old_after = old_after
        self._turns = Turns(sharing)

    async def known(self, asker: Asker) -> bool:
        """Whether this update, or the album it belongs to, has made its task already."""
        if await self._tasks.find(update_id=asker.update_id) is not None:
            return True
        if asker.album_id is None:
            return False
        return await self._tasks.find(album=(asker.chat_id, asker.album_id)) is not None

    async def start(
        self, asker: Asker, request: VideoRequest, parent_id: str | None = None, frame: bytes | None = None
    ) -> Problem | None:
        """Queue it at once; a message that lay around too long is asked about instead. What stands against
        it, or what to say to a tap that has ordered it.

        `frame`: a JPEG that no message shows so far. The card does, and it becomes the request's first frame.
        """
        async with self._turn(asker.user_id):
            return await self._start(asker, request, parent_id, frame)

    async def _start(
        self, asker: Asker, request: VideoRequest, parent_id: str | None, frame: bytes | None
    ) -> Problem | None:
        if problem := await self._limit(asker, asker.user_id, request):
            return problem
        framed = request
        if frame is not None or not await self._is_decided(request, parent_id):
            framed = await self._photos.framed(request, asker.user_id)
        if self._is_old(asker):
            await self.draft(asker, framed, "card_old", parent_id, frame)
            return None
        if framed != request:
            await self.draft(asker, framed, "card_crop", parent_id, frame)
            return None
        task = replace(self._new(asker, request), parent_id=parent_id)
        await self._companies.introduce(asker, request)
        await self._post(await self._bought(task, request), asker, frame)
        self._wake()
        await self._budgets.watch(asker.user_id)
        # No draft has named the price to whoever taps Again.
        cost = self._tariff().cost(asker.language, request) if asker.tapped else ""
        return Problem("tap_ordered", {"price": plain(cost)}) if cost else None

    async def is_on_its_way(self, asker: Asker, request: VideoRequest, parent_id: str) -> bool:
        """Whether the same tap has ordered it already, however long ago: until that ends it buys once."""
        wanted = settle(request, self._models[request.model])
        mine = await self._tasks.open_tasks(user_id=asker.user_id, chat_id=asker.chat_id)
        return any(task.parent_id == parent_id and task.request == wanted for task in mine)

    async def answered(
        self, task: Task, asker: Asker, request: VideoRequest, question: str = "card_draft"
    ) -> Problem | None:
        """What was missing came: a card anew, below it. It starts, or asks `question`."""
        async with self._turn(asker.user_id):
            return await self._answered(task, asker, request, question)

    async def _answered(
        self, task: Task, asker: Asker, request: VideoRequest, question: str
    ) -> Problem | None:
        starts = task.question in STARTED_BY_ANSWER
        if starts and (problem := await self._limit(asker, asker.user_id, request)):
            return problem
        framed = request
        if question != WHICH:
            framed = await self._photos.framed(request, asker.user_id)
        if starts and framed == request and not self._is_old(asker):
            await self._companies.introduce(asker, request)
            moved = await self._bought(task, request)
        else:
            if starts:
                question = "card_old" if self._is_old(asker) else "card_crop"
            moved = task.asked(framed, question, self._expiry(asker.chat_id))
        # From here on this update stands for the task: handled twice, it is found.
        moved = replace(
            moved,
            update_id=asker.update_id,
            message_id=asker.message_id,
            album_id=asker.album_id or task.album_id,
            created_at=asker.sent_at,
        )
        moved = await self._screen.post(moved, asker.message_id)
        saved = await self._tasks.save(moved)
        if saved.state is not TaskState.DRAFT:
            self._screen.live.posted(saved)
            await self._screen.quiet.taken(saved)
        if task.question not in STARTED_BY_ANSWER and task.card_id is not None:
            await self._screen.remove(task.chat_id, task.card_id)
        self._wake()
        await self._budgets.watch(asker.user_id)
        return None

    async def generate(self, asker: Asker, task: Task, request: VideoRequest) -> Problem | None:
        """The person said yes to a draft, and to `request` in it."""
        async with self._turn(task.user_id):
            return await self._generate(asker, task, request)

    async def _generate(self, asker: Asker, task: Task, request: VideoRequest) -> Problem | None:
        if problem := await self._limit(asker, task.user_id, request):
            return problem
        if problems := self._reading.problems(request):
            return problems[0]
        if task.question != "card_crop" and await self._crop(asker, task, request):
            return None
        await self._companies.introduce(asker, request)
        saved = await self._tasks.save(await self._bought(task, request))
        self._screen.show(saved)
        self._wake()
        await self._screen.quiet.taken(saved)
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

    async def _limit(self, asker: Asker, user_id: int, request: VideoRequest) -> Problem | None:
        """What stands against ordering this, whatever it shows: how many there may be, and for how much."""
        problem = await self._access.limit(user_id, asker.chat_id)
        return problem or await self._budgets.limit(user_id, asker.language, request)

    async def _is_decided(self, request: VideoRequest, parent_id: str | None) -> bool:
        """Whether its person has seen what this model makes of this photo: it is the same as before."""
        parent = await self._tasks.get(parent_id) if parent_id else None
        return parent is not None and (parent.request.model, parent.request.photos) == (
            request.model,
            request.photos,
        )

    async def _crop(self, asker: Asker, task: Task, request: VideoRequest) -> bool:
        """Whether the model that was chosen now would cut much off the photo: a card of its own asks."""
        framed = await self._photos.framed(request, asker.user_id)
        if framed == request:
            return False
        await self._replace_card(task, task.asked(framed, "card_crop", self._expiry(task.chat_id)))
        return True

    def _is_old(self, asker: Asker) -> bool:
        return self._clock() - asker.sent_at > self._old_after

    async def _bought(self, task: Task, request: VideoRequest) -> Task:
        """What is settled forgets the ratio that a photo overrules: its card is told before. And so it is of
        what is left of the day, where that is little."""
        model = self._models[request.model]
        asides = [left_out(request, model, task.language), await self._allowance.after(task)]
        if any(asides):
            self._screen.note(task, "\n".join(filter(None, asides)))
        bought, price = settle(request, model), self._tariff().quote(request)
        return replace(task, provider=model.provider).queued(bought, price, self._clock())
