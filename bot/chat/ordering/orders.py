"""Orders: from a request to a task that is stored. What can be refused is refused here, for free."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from bot.chat.cards.layout import left_out
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.deps import ChatDeps
from bot.chat.ordering.drafts import Drafts
from bot.chat.ordering.limits import OrderLimits
from bot.chat.ordering.photo_disclosure import PhotoDisclosure
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.draft import STARTED_BY_ANSWER, DraftQuestion
from bot.request import VideoRequest, settle
from bot.task import Task, TaskState
from bot.text import plain


class Orders:
    def __init__(
        self,
        deps: ChatDeps,
        drafts: Drafts,
        limits: OrderLimits,
        board: CardBoard,
        photos: PhotoFiles,
        *,
        request_builder: RequestBuilder,
        disclosure: PhotoDisclosure,
        card_reposter: CardReposter,
    ) -> None:
        self._deps = deps
        self._tasks = deps.store.tasks
        self._drafts = drafts
        self._limits = limits
        self._board = board
        self._photos = photos
        self._request_builder = request_builder
        self._disclosure = disclosure
        self._card_reposter = card_reposter
        self._old_after = timedelta(minutes=deps.settings.old_message_minutes)

    async def known(self, sender: Sender) -> bool:
        """Return True if this update, or the album it belongs to, has made its task already."""
        if await self._tasks.find(update_id=sender.update_id) is not None:
            return True
        if sender.album_id is None:
            return False
        return await self._tasks.find(album=(sender.chat_id, sender.album_id)) is not None

    async def start(
        self, sender: Sender, request: VideoRequest, parent_id: str | None = None, frame: bytes | None = None
    ) -> Reply | None:
        """Queue a task at once, or ask first if the message is old or asks for several videos. Return what
        stands against it, or what to tell the person who ordered it with a button.

        `frame`: a JPEG that no message shows so far. The card does, and it becomes the request's first frame.
        """
        async with self._limits.one_at_a_time(sender.user_id):
            return await self._start(sender, request, parent_id, frame)

    async def _start(
        self, sender: Sender, request: VideoRequest, parent_id: str | None, frame: bytes | None
    ) -> Reply | None:
        if refusal := await self._limits.check(sender, sender.user_id, request):
            return refusal
        framed = request
        if frame is not None or not await self._is_decided(request, parent_id):
            framed = await self._photos.framed(request, sender.user_id)
        if question := await self._open_question(sender, request, framed):
            await self._drafts.draft(sender, framed, question, parent_id, frame)
            return None
        task = replace(self._drafts.new(sender, request), parent_id=parent_id)
        await self._drafts.post(await self._bought(task, request), sender, frame)
        self._deps.wake()
        await self._limits.ordered()
        # There was no draft that showed the price before Again was pressed.
        cost = self._deps.price_labels().cost(sender.language, request) if sender.pressed else ""
        return Reply("press_ordered", {"price": plain(cost)}) if cost else None

    async def is_on_its_way(self, sender: Sender, request: VideoRequest, parent_id: str) -> bool:
        """Return True if the same button has ordered it already, and that task has not ended."""
        wanted = settle(request, self._deps.models[request.model])
        mine = await self._tasks.open_tasks(user_id=sender.user_id, chat_id=sender.chat_id)
        return any(task.parent_id == parent_id and task.request == wanted for task in mine)

    async def answered(
        self,
        task: Task,
        sender: Sender,
        request: VideoRequest,
        question: DraftQuestion = DraftQuestion.START,
        *,
        is_reply: bool = True,
    ) -> Reply | None:
        """Handle the answer to a draft: post a new card below it. The task starts, or asks `question`.

        Only a reply starts it, and only if nothing more is asked.
        """
        starts = task.question in STARTED_BY_ANSWER and question == DraftQuestion.START and is_reply
        async with self._limits.one_at_a_time(sender.user_id):
            return await self._answered(task, sender, request, question, starts=starts)

    async def _answered(
        self, task: Task, sender: Sender, request: VideoRequest, question: DraftQuestion, *, starts: bool
    ) -> Reply | None:
        if starts and (refusal := await self._limits.check(sender, sender.user_id, request)):
            return refusal
        framed = request
        if question != DraftQuestion.WHICH_PHOTOS:
            framed = await self._photos.framed(request, sender.user_id)
        still_open = await self._open_question(sender, request, framed) if starts else question
        if still_open is None:
            moved = await self._bought(task, request)
        else:
            moved = task.asked(framed, still_open, self._drafts.expiry(sender.chat_id))
        # From here on this update stands for the task: handled twice, it is found.
        moved = replace(
            moved,
            update_id=sender.update_id,
            card=replace(moved.card, message_id=sender.message_id),
            album_id=sender.album_id or task.album_id,
            created_at=sender.sent_at,
        )
        moved = await self._board.post(moved, sender.message_id)
        saved = await self._tasks.save(moved)
        if saved.state is not TaskState.DRAFT:
            self._board.live.posted(saved)
            await self._board.reactions.taken(saved)
        # In a group that has moved there is no message of theirs, and a question stands on a card.
        is_card = task.question not in STARTED_BY_ANSWER or task.card.message_id is None
        if is_card and task.card.card_id is not None:
            await self._board.remove(task.card.chat_id, task.card.card_id)
        self._deps.wake()
        await self._limits.ordered()
        return None

    async def generate(self, sender: Sender, task: Task, request: VideoRequest) -> Reply | None:
        """Order a draft as `request`, because its person said yes."""
        async with self._limits.one_at_a_time(task.user_id):
            done = await self._generate(sender, task, request)
        if not isinstance(done, Task):
            return done
        # Telegram may make these wait: the person's other orders do not.
        await self._card_reposter.post_missing(done.siblings)
        return None

    async def _generate(self, sender: Sender, task: Task, request: VideoRequest) -> Task | Reply | None:
        if refusal := await self._limits.check(sender, task.user_id, request):
            return refusal
        if problems := self._request_builder.problems(request):
            return problem_reply(sender.language, problems[0])
        if task.question != DraftQuestion.START_CROPPED and await self._crop(sender, task, request):
            return None
        if task.question == DraftQuestion.MODEL and await self._disclosure.due(task.user_id, request):
            await self._drafts.reask(sender, task, request, DraftQuestion.START)
            return None
        await self._disclosure.agreed(task.user_id, request)
        bought = await self._bought(task, request)
        saved = await self._tasks.save(bought, siblings=bought.siblings)
        self._board.show(saved, pressed=True)
        self._deps.wake()
        await self._board.reactions.taken(saved)
        await self._limits.ordered()
        return saved

    async def _open_question(
        self, sender: Sender, request: VideoRequest, framed: VideoRequest
    ) -> DraftQuestion | None:
        """Return what the person must be asked before they have ordered `request`; None if all is said."""
        if self._is_old(sender):
            return DraftQuestion.START_OLD
        if framed != request:
            return DraftQuestion.START_CROPPED
        is_asked = _is_several(request) or await self._disclosure.due(sender.user_id, request)
        return DraftQuestion.START if is_asked else None

    async def _is_decided(self, request: VideoRequest, parent_id: str | None) -> bool:
        """Return True if the person has seen how this model crops this photo: the parent used both."""
        parent = await self._tasks.get(parent_id) if parent_id else None
        return parent is not None and (parent.request.model, parent.request.photos) == (
            request.model,
            request.photos,
        )

    async def _crop(self, sender: Sender, task: Task, request: VideoRequest) -> bool:
        """Ask with a new card if the chosen model would crop much of the photo. Return True if it asked."""
        framed = await self._photos.framed(request, sender.user_id)
        if framed == request:
            return False
        await self._drafts.replace_card(
            task, task.asked(framed, DraftQuestion.START_CROPPED, self._drafts.expiry(task.card.chat_id))
        )
        return True

    def _is_old(self, sender: Sender) -> bool:
        return self._deps.clock() - sender.sent_at > self._old_after

    async def _bought(self, task: Task, request: VideoRequest) -> Task:
        """Return the task as queued; of several videos that of the first, which has the others as siblings.
        Note on its card which ratio the model ignores beside a photo, and what is left of the day if that is
        little."""
        model = self._deps.models[request.model]
        asides = [left_out(request, model, task.language), await self._limits.left_after(task, request)]
        if any(asides):
            self._board.note(task, "\n".join(filter(None, asides)))
        size, one = request.count or 1, request.model_copy(update={"count": None})
        bought, price = settle(one, model), self._deps.price_labels().quote(one)
        if size > 1 and bought.seed is None and model.seed_max is not None:
            # The siblings have the next ones: without a seed some models repeat themselves.
            bought = bought.model_copy(update={"seed": secrets.randbelow(model.seed_max + 2 - size)})
        return replace(task, provider=model.provider).queued(bought, price, self._deps.clock(), size)


def _is_several(request: VideoRequest) -> bool:
    """Return True for an order of several videos: it is confirmed once, on a card with the price of all."""
    return (request.count or 1) > 1
