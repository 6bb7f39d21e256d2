"""Film orders: from lines to a draft of a film, from a yes to its shots. Each shot is checked and paid for by
itself, and all together before the first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from bot.chat.cards.problem_reply import problem_reply
from bot.chat.deps import ChatDeps
from bot.chat.ordering.limits import OrderLimits
from bot.chat.ordering.photo_disclosure import PhotoDisclosure
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.film_lines import ShotPrompt
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.film import FEWEST_SHOTS, FRAME, MOST_SHOTS, Film, FilmShot
from bot.request import Problem, VideoRequest, settle
from bot.store import ChatSettings
from bot.task import CardRef, Task, TaskState
from bot.worker import schedule

_FRAME = SentPhoto(FRAME, None, None, None)


class FilmOrders:
    def __init__(
        self,
        deps: ChatDeps,
        limits: OrderLimits,
        request_builder: RequestBuilder,
        disclosure: PhotoDisclosure,
    ) -> None:
        self._deps = deps
        self._tasks = deps.store.tasks
        self._limits = limits
        self._request_builder = request_builder
        self._disclosure = disclosure

    def drafted(self, sender: Sender, lines: Sequence[ShotPrompt], settings: ChatSettings) -> Film | Reply:
        """Return the film that lines ask for, or what stands against it."""
        if not FEWEST_SHOTS <= len(lines) <= MOST_SHOTS:
            return Reply("film_lines", {"least": FEWEST_SHOTS, "most": MOST_SHOTS, "count": len(lines)})
        shots: list[FilmShot] = []
        for index, line in enumerate(lines):
            shot = self.shot_of(line, settings, is_first=not index)
            if isinstance(shot, Problem):
                return problem_reply(sender.language, shot)
            shots.append(shot)
        expires = schedule.DRAFT_GROUP if sender.is_group else schedule.DRAFT_PRIVATE
        return Film(
            id=secrets.token_hex(8),
            update_id=sender.update_id,
            card=CardRef(chat_id=sender.chat_id, thread_id=sender.thread_id, message_id=sender.message_id),
            user_id=sender.user_id,
            user_name=sender.user_name,
            language=sender.language,
            shots=tuple(shots),
            created_at=self._deps.clock(),
            due_at=self._deps.clock() + expires,
        )

    def shot_of(
        self, line: ShotPrompt, settings: ChatSettings, base: FilmShot | None = None, *, is_first: bool
    ) -> FilmShot | Problem:
        """Return the shot that a line asks for, or what stands against it. `base`: the shot whose other words
        these are."""
        builder, words = self._request_builder, line.words
        before = None if base is None else _unframed(base)
        plain, problems = builder.read(words, None, before, settings)
        framed, framed_problems = builder.read(words, _FRAME, before, settings)
        if problems and (is_first or framed_problems):
            return problems[0]
        shot = FilmShot(
            plain=None if problems else _single(plain),
            framed=None if framed_problems or is_first else _single(framed),
            continues=not is_first and not framed_problems and (not line.is_cut or bool(problems)),
        )
        if base is not None:
            shot = replace(shot, continues=base.continues if shot.can_change else shot.continues)
        return self.priced(shot)

    def priced(self, shot: FilmShot) -> FilmShot:
        """Return the shot with what it costs now."""
        return replace(shot, price=self._deps.price_labels().quote(self._settled(shot)))

    async def aside(self, film: Film) -> str:
        """Return who would get a picture of this person for the first time; empty if nobody would."""
        for shot in film.shots:
            if shot.continues and (company := await self._disclosure.due(film.user_id, shot.request)):
                return company
        return ""

    async def start(self, sender: Sender, film: Film) -> Film | Reply | None:
        """Say yes to the whole: its shots are ordered one by one after that. Return what stands against
        it."""
        requests = [shot.request for shot in film.shots]
        async with self._limits.one_at_a_time(film.user_id):
            if problem := await self._limits.check(sender, film.user_id, *requests):
                return problem
            for request in requests:
                if problems := self._request_builder.problems(request):
                    return problem_reply(sender.language, problems[0])
                await self._disclosure.agreed(film.user_id, request)
            now = self._deps.clock()
            # What costs more by now than the card said is not started by an old press.
            shots = tuple(map(self.priced, film.shots))
            if [shot.price for shot in shots] != [shot.price for shot in film.shots]:
                await self._deps.store.films.update(film.id, lambda row: row.drafted(shots))
                return Reply("film_price_changed")
            return await self._deps.store.films.update(film.id, lambda row: row.started(now))

    async def order(self, film: Film, index: int) -> Literal["ordered", "later", "dearer"] | Reply:
        """Order one shot, unless that has been done. Return what stands against it; "later" if others of its
        person have to end before, "dearer" if it costs more than they said yes to."""
        task_id = film.task_id(index)
        if await self._tasks.get(task_id) is not None:
            return "ordered"
        shot, sender = film.shots[index], _sender_of(film)
        request = self._settled(shot)
        async with self._limits.one_at_a_time(film.user_id):
            problem = await self._limits.check(sender, film.user_id, request)
            if problem is not None:
                return "later" if problem.key.startswith("limit_open") else problem
            if problems := self._request_builder.problems(shot.request):
                return problem_reply(sender.language, problems[0])
            price = self._deps.price_labels().quote(request)
            if price is not None and shot.price is not None and price > shot.price:
                return "dearer"
            await self._tasks.add(self._task(film, index, request))
        self._deps.wake()
        await self._limits.ordered()
        return "ordered"

    def _settled(self, shot: FilmShot) -> VideoRequest:
        model = self._deps.models.get(shot.request.model)
        return shot.request if model is None else settle(shot.request, model)

    def _task(self, film: Film, index: int, request: VideoRequest) -> Task:
        now = self._deps.clock()
        return Task(
            id=film.task_id(index),
            card=CardRef(chat_id=film.card.chat_id, thread_id=film.card.thread_id),
            user_id=film.user_id,
            user_name=film.user_name,
            language=film.language,
            provider=self._deps.models[request.model].provider,
            request=request,
            price=self._deps.price_labels().quote(request),
            state=TaskState.QUEUED,
            film_id=film.id,
            created_at=now + timedelta(microseconds=index),
            queued_at=now,
            due_at=now,
        )


def _single(request: VideoRequest) -> VideoRequest:
    """Return the request for one video: a film has one of each shot."""
    return request.model_copy(update={"count": None})


def _unframed(shot: FilmShot) -> VideoRequest:
    """Return what a shot asked for, without its picture."""
    return shot.request.model_copy(update={"photos": (), "crop": None})


def _sender_of(film: Film) -> Sender:
    return Sender(
        update_id=film.update_id or 0,
        chat_id=film.card.chat_id,
        thread_id=film.card.thread_id,
        user_id=film.user_id,
        user_name=film.user_name,
        message_id=film.card.message_id,
        language=film.language,
        sent_at=film.created_at,
    )
