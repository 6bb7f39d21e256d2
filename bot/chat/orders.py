"""Orders: from a wish to a task that is stored. Everything that can be refused is refused here, for free."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot import timing
from bot.chat.access import Access
from bot.chat.asker import Asker
from bot.chat.companies import Companies
from bot.chat.intent import SentPhoto
from bot.chat.options import fit_request
from bot.chat.parts import left_out
from bot.chat.photos import Photos, with_first_frame
from bot.chat.questions import ASKS_PHOTO, AWAITS_WORDS, STARTED_BY_ANSWER, draw_question, draw_switch
from bot.chat.remedies import other_models
from bot.chat.screen import PHOTO_MAX_BYTES, Screen
from bot.chat.tariff import Tariff, no_tariff
from bot.chat.turns import Turns
from bot.chat.usual import add_usual, usual_model
from bot.chat.voice import Voice
from bot.chat.which import QUESTION as WHICH
from bot.chat.words import Words
from bot.request import Problem, VideoModel, VideoRequest, check_photo, check_request, settle, shown
from bot.store import ChatSettings, TaskStore
from bot.task import Task, TaskState
from bot.text import plain

_ANSWERED_WITHIN = timedelta(minutes=15)
_WORDS_MISSING = frozenset({"prompt_missing", "prompt_missing_with_photo"})


class Orders:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        screen: Screen,
        voice: Voice,
        access: Access,
        companies: Companies,
        photos: Photos,
        models: Mapping[str, VideoModel],
        default_model: Callable[[], str],
        old_after: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        tariff: Callable[[], Tariff] = no_tariff,
    ) -> None:
        self._tasks = tasks
        self._screen = screen
        self._voice = voice
        self._access = access
        self._companies = companies
        self._photos = photos
        self._models = models
        self._default_model = default_model
        self._old_after = old_after
        self._clock = clock
        self._wake = wake
        self._tariff = tariff
        self._turns = Turns()

    def read(
        self,
        words: Words,
        photo: SentPhoto | None,
        base: VideoRequest | None = None,
        settings: ChatSettings | None = None,
        last: SentPhoto | None = None,
    ) -> tuple[VideoRequest, list[Problem]]:
        """The request that words and a photo make, and every reason why it cannot work. `last` is for the
        last frame; the first is `photo`, or that of `base`.

        What they leave open is as in `base`, or as near to it as another model comes that they name; and then
        as in `settings`. Where the model is in the way the request comes without those: they are `add_usual`
        of the model that is chosen instead.
        """
        settings = settings or ChatSettings()
        fields: dict[str, Any] = {"model": usual_model(settings, self._models, self._default_model())}
        if base is not None:
            # Much of what was bought before are defaults of its model, which nobody asked for.
            named = self._models.get(str(words.options.get("model", base.model)))
            fitted = base if named is None or named.name == base.model else fit_request(base, named)
            fields |= fitted.model_dump(exclude_none=True)
        fields |= words.options
        if words.prompt:
            fields["prompt"] = words.prompt
        if photo is not None:
            # A crop was chosen for the sides of another photo.
            fields |= {"photos": (photo.file_id,), "crop": None, "extends": None}
        if last is not None:
            fields |= {"photos": (*fields["photos"][:1], last.file_id), "crop": None}
        request = VideoRequest(**fields)
        usual = self.add_usual(request, settings)
        problems = [*words.problems, *self.problems(usual)]
        for sent in filter(None, (photo, last)):
            self._photos.note(sent)
            if request.model in self._models:
                problems += _check_sent(sent, self._models[request.model])
        return (usual if {problem.code for problem in problems} <= _WORDS_MISSING else request), problems

    def add_usual(self, request: VideoRequest, settings: ChatSettings) -> VideoRequest:
        """The request, with what the chat has chosen wherever it leaves things open."""
        model = self._models.get(request.model)
        return request if model is None else add_usual(request, settings, model)

    def problems(self, request: VideoRequest) -> list[Problem]:
        """Every reason why the request cannot work with the models that are set up."""
        model = self._models.get(request.model)
        if model is not None:
            return check_request(request, model)
        if not self._models:
            return [Problem("no_model", {})]
        return [Problem("model_unknown", {"model": request.model, "choices": shown(self._models)})]

    def others(self, request: VideoRequest, photo: SentPhoto | None) -> list[str]:
        """Models that can make the very same request, where the chosen one cannot."""
        names = other_models(request, self._models)
        return [name for name in names if photo is None or not _check_sent(photo, self._models[name])]

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
        async with self._turns.of(asker.user_id):
            return await self._start(asker, request, parent_id, frame)

    async def _start(
        self, asker: Asker, request: VideoRequest, parent_id: str | None, frame: bytes | None
    ) -> Problem | None:
        if problem := await self._access.limit(asker.user_id, asker.chat_id):
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
        await self._post(self._bought(task, request), asker, frame)
        self._wake()
        # No draft has named the price to whoever taps Again.
        cost = self._tariff().cost(asker.language, request) if asker.tapped else ""
        return Problem("tap_ordered", {"price": plain(cost)}) if cost else None

    async def is_on_its_way(self, asker: Asker, request: VideoRequest, parent_id: str) -> bool:
        """Whether the same tap has ordered it already, however long ago: until that ends it buys once."""
        wanted = settle(request, self._models[request.model])
        mine = await self._tasks.open_tasks(user_id=asker.user_id, chat_id=asker.chat_id)
        return any(task.parent_id == parent_id and task.request == wanted for task in mine)

    def awaits_words(self, task: Task) -> bool:
        """Whether plain words still belong to this photo: later they are a wish of their own."""
        return task.question in AWAITS_WORDS and self._is_fresh(task)

    def awaits_photo(self, task: Task) -> bool:
        """The same for a photo that nobody sent as a reply."""
        return task.question in ASKS_PHOTO and self._is_fresh(task)

    async def draft(
        self,
        asker: Asker,
        request: VideoRequest,
        question: str,
        parent_id: str | None = None,
        frame: bytes | None = None,
    ) -> None:
        """A card that asks; nothing is bought. `frame` is as in `start`."""
        framed = await self._photos.framed(request, asker.user_id)
        task = replace(self._new(asker, framed), question=question, parent_id=parent_id)
        await self._post(task, asker, frame)

    async def put(self, asker: Asker, request: VideoRequest, question: str) -> None:
        """The same where the photos are not yet those that will be used."""
        await self._post(replace(self._new(asker, request), question=question), asker)

    async def gather(self, asker: Asker, request: VideoRequest, question: str, due_at: datetime) -> None:
        """A draft without a card, which the worker takes up at `due_at`."""
        await self._tasks.add(replace(self._new(asker, request), question=question, due_at=due_at))
        self._wake()

    async def ask(
        self,
        asker: Asker,
        request: VideoRequest,
        question: str,
        parent_id: str | None = None,
        frame: bytes | None = None,
    ) -> None:
        """A question; the answer to it starts the task. `frame` is as in `start`."""
        task = replace(self._new(asker, request), question=question, parent_id=parent_id)
        sent = await self._voice.ask(asker, draw_question(task, self._clock(), self._tariff()), frame)
        if frame is not None:
            task = replace(task, request=with_first_frame(request, sent), card_has_photo=True)
        await self._tasks.add(replace(task, card_id=sent.message_id))

    async def offer(
        self, asker: Asker, request: VideoRequest, problem: Problem, names: Sequence[str]
    ) -> None:
        """A card that says what stands against the request, with a button for each model that can make it."""
        task = replace(self._new(asker, request), question="card_switch")
        await self._store(
            await self._screen.post(
                task, asker.message_id, draw_switch(task, problem, names, self._tariff())
            ),
            asker,
        )

    async def answered(
        self, task: Task, asker: Asker, request: VideoRequest, question: str = "card_draft"
    ) -> Problem | None:
        """What was missing came: a card anew, below it. It starts, or asks `question`."""
        async with self._turns.of(asker.user_id):
            return await self._answered(task, asker, request, question)

    async def _answered(
        self, task: Task, asker: Asker, request: VideoRequest, question: str
    ) -> Problem | None:
        starts = task.question in STARTED_BY_ANSWER
        if starts and (problem := await self._access.limit(asker.user_id, asker.chat_id)):
            return problem
        framed = request
        if question != WHICH:
            framed = await self._photos.framed(request, asker.user_id)
        if starts and framed == request and not self._is_old(asker):
            await self._companies.introduce(asker, request)
            moved = self._bought(task, request)
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
        return None

    async def change(self, task: Task, request: VideoRequest) -> None:
        """Another choice on a draft that goes on asking the same."""
        saved = await self._tasks.save(task.asked(request, task.question, self._expiry(task.chat_id)))
        await self._screen.redraw(saved)

    async def reask(self, asker: Asker, task: Task, request: VideoRequest, question: str) -> None:
        """After a tap the draft asks something else: on its card, or anew where the card's photo changes."""
        framed = await self._photos.framed(request, asker.user_id)
        asked = task.asked(framed, question, self._expiry(task.chat_id))
        same_picture = (framed.crop, framed.photos) == (task.request.crop, task.request.photos)
        if same_picture or not (task.card_has_photo or framed.crop):
            await self._screen.redraw(await self._tasks.save(asked))
        else:
            await self._replace_card(task, asked)

    async def generate(self, asker: Asker, task: Task, request: VideoRequest) -> Problem | None:
        """The person said yes to a draft, and to `request` in it."""
        async with self._turns.of(task.user_id):
            return await self._generate(asker, task, request)

    async def _generate(self, asker: Asker, task: Task, request: VideoRequest) -> Problem | None:
        if problem := await self._access.limit(task.user_id, task.chat_id):
            return problem
        if problems := self.problems(request):
            return problems[0]
        if task.question != "card_crop" and await self._crop(asker, task, request):
            return None
        await self._companies.introduce(asker, request)
        saved = await self._tasks.save(self._bought(task, request))
        self._screen.show(saved)
        self._wake()
        await self._screen.quiet.taken(saved)
        return None

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

    async def _replace_card(self, task: Task, moved: Task) -> None:
        await self._tasks.save(await self._screen.post(moved, task.message_id))
        if task.card_id is not None:
            await self._screen.remove(task.chat_id, task.card_id)

    def _is_old(self, asker: Asker) -> bool:
        return self._clock() - asker.sent_at > self._old_after

    def _is_fresh(self, task: Task) -> bool:
        return self._clock() - task.created_at < _ANSWERED_WITHIN

    def _bought(self, task: Task, request: VideoRequest) -> Task:
        """What is settled forgets the ratio that a photo overrules: its card is told before."""
        model = self._models[request.model]
        if aside := left_out(request, model, task.language):
            self._screen.note(task, aside)
        bought, price = settle(request, model), self._tariff().quote(request)
        return replace(task, provider=model.provider).queued(bought, price, self._clock())

    async def _post(self, task: Task, asker: Asker, frame: bytes | None = None) -> None:
        """The card first, then the row: whoever sees a card can count on it, and no row lacks one."""
        stored = await self._store(await self._screen.post(task, asker.message_id, frame=frame), asker)
        if stored.state is not TaskState.DRAFT:
            self._screen.live.posted(stored)
            await self._screen.quiet.taken(stored)

    async def _store(self, task: Task, asker: Asker) -> Task:
        return await (self._tasks.save(task) if asker.gathered else self._tasks.add(task))

    def _new(self, asker: Asker, request: VideoRequest) -> Task:
        """A draft. Which provider makes it is known when it is bought: until then the model may change."""
        if asker.gathered is not None:
            return asker.gathered.asked(request, None, self._expiry(asker.chat_id))
        model = self._models.get(request.model)
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
            provider=model.provider if model else "",
            request=request,
            state=TaskState.DRAFT,
            created_at=asker.sent_at,
            due_at=self._expiry(asker.chat_id),
        )

    def _expiry(self, chat_id: int) -> datetime:
        return self._clock() + (timing.DRAFT_GROUP if chat_id < 0 else timing.DRAFT_PRIVATE)


def _check_sent(photo: SentPhoto, model: VideoModel) -> list[Problem]:
    return check_photo(model, photo.width, photo.height, PHOTO_MAX_BYTES, photo.size_bytes)
