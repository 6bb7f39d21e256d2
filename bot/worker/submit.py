"""Submitting: from a queued task to a job at the provider. The one place where money is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bot.errors import (
    AccountProblem,
    ChatBusy,
    ChatError,
    MediaError,
    OutcomeUnknown,
    ProviderError,
    StaleTask,
    StoreError,
    Unavailable,
)
from bot.log import get_log
from bot.media.media_info import FitPhoto
from bot.provider import Accepted, Photo, PhotoLink, Provider, StillRunning
from bot.request import PhotoRules, VideoModel, VideoRequest, closest_ratio, settle
from bot.store import Attempt
from bot.store.budget import Pause
from bot.task import SUBMIT_UNKNOWN, Task, TaskState
from bot.worker import schedule
from bot.worker.concurrency import NO_ROOM, Slots
from bot.worker.failover import stand_ins
from bot.worker.journal import TaskJournal
from bot.worker.outage_log import OutageLog
from bot.worker.poll import JobPoller
from bot.worker.provider_health import Accounts
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.schedule import LEASE_S, Schedule
from bot.worker.user_locks import UserLocks

_OUTAGES = frozenset({"unreachable", "provider_fault"})
"""Refusals that say nothing about the request; a provider that is only busy is waited for."""
_WITH_PHOTOS = 6
"""Submits with photos at once, each of another person. Two photos of 4.7 MB are in memory until the call has
ended, five times over: as they are, as base64, as JSON, and on their way."""
_SAVE_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Between the tries to save an id that was paid for; far within a lease."""


class Chat(Protocol):
    async def photo(self, file_id: str, rules: PhotoRules, crop: str | None, user_id: int) -> FitPhoto:
        """A person's photo as `rules` want it, cropped to the ratio `crop`.

        MediaError when it is gone or unfit; ChatBusy, CallUnclear.
        """

    def show(self, task: Task) -> None:
        """Bring the card up to date soon. Newest wins; never fails, never delays an outcome."""


class Submitter:
    """Saves the intent, calls, saves the answer. Nothing between the two saves is ever repeated by itself."""

    def __init__(
        self,
        *,
        journal: TaskJournal,
        chat: Chat,
        providers: Mapping[str, Provider],
        models: Mapping[str, VideoModel],
        poller: JobPoller,
        schedule: Schedule,
        accounts: Accounts,
        slots: Slots,
        purchase_guard: PurchaseGuard,
        link: Callable[[Task, int, FitPhoto], PhotoLink],
        quote: Callable[[VideoRequest], Decimal | None],
        failover: bool = False,
        save_pauses_s: Sequence[float] = _SAVE_PAUSES_S,
    ) -> None:
        self._journal = journal
        self._chat = chat
        self._providers = providers
        self._models = models
        self._poller = poller
        self._timing = schedule
        self._accounts = accounts
        self._slots = slots
        self._purchase_guard = purchase_guard
        self._link = link
        self._failover = failover
        self._quote = quote
        self._save_pauses_s = save_pauses_s
        self._log = get_log(__name__)
        self._silence = OutageLog("submits")
        self._photo_locks = UserLocks("submits of", LEASE_S)
        self._with_photos = asyncio.Semaphore(_WITH_PHOTOS)
        self.in_flight: set[str] = set()
        """Ids of tasks whose submit must not be cut short."""

    async def submit(self, task: Task) -> None:
        model = self._models.get(task.request.model)
        if model is None:
            await self._journal.finish(task.failed("model_gone", "", self._journal.now()))
            return
        if await self._purchase_guard.blocking(model.name):
            await self._hold_back(task)
            return
        if not task.request.photos:
            await self._submit(task, model)
            return
        async with self._photo_locks.of(task.user_id), self._with_photos:
            await self._submit(task, model)

    async def _submit(self, task: Task, model: VideoModel) -> None:
        try:
            # Read even where a link is all that is sent: what is unfit should cost nothing.
            fits = [
                await self._chat.photo(file_id, model.photo_rules, task.request.crop, task.user_id)
                for file_id in task.request.photos
            ]
        except MediaError as error:
            await self._journal.finish(task.failed(error.code, error.detail, self._journal.now()))
            return
        except ChatError as error:
            if schedule.gives_up_telling(task, self._journal.now()):
                await self._journal.finish(task.failed("photo_gone", str(error), self._journal.now()))
                return
            await self._journal.put_off(task, error.retry_after_s if isinstance(error, ChatBusy) else None)
            return
        photos = [
            photo.data if model.photo_as == "bytes" else self._link(task, index, photo)
            for index, photo in enumerate(fits)
        ]
        if fits and model.ratio_with_photo and task.request.ratio is None:
            # Left open it would be the provider's own default, whatever the photo's shape.
            ratio = closest_ratio(fits[0].width, fits[0].height, model.ratios)
            task = replace(task, request=task.request.model_copy(update={"ratio": ratio}))
        if not self._journal.has_time(task, schedule.SUBMIT_LIMIT_S):
            await self._journal.put_off(task)
            return
        self.in_flight.add(task.id)
        try:
            await self._buy(task, model, photos)
        finally:
            self.in_flight.discard(task.id)

    async def _buy(self, task: Task, model: VideoModel, photos: Sequence[Photo]) -> None:
        """From the saved intent to the saved answer. Nothing here may be repeated by itself."""
        provider = self._providers[model.provider]
        others_wait = await self._journal.others_wait(task)
        began = self._journal.now()
        lease_end = began + timedelta(seconds=schedule.LEASE_S)
        intent = task.submitting(began, lease_end, began + timedelta(seconds=model.keeps_s))
        bought = await self._purchase_guard.buy(intent)
        if isinstance(bought, Pause):
            await self._hold_back(task)
            return
        task = bought
        self._log.info(
            "ordering a video",
            task=task.id,
            model=model.name,
            user=task.user_id,
            price=None if task.price is None else str(task.price),
            seconds=task.request.seconds,
        )
        self._chat.show(task)
        try:
            async with asyncio.timeout(schedule.SUBMIT_LIMIT_S):
                accepted = await provider.submit(task.request, photos, task.id)
        except Unavailable as error:
            await self._put_back(task, error, self._journal.attempt(task, "submit", began, error))
        except OutcomeUnknown as error:
            await self.lose(task, error.detail, self._journal.attempt(task, "submit", began, error))
        except ProviderError as error:
            attempt = self._journal.attempt(task, "submit", began, error)
            # The answer first: a process that ends while admins are told must still know of the refusal.
            if not (isinstance(error, AccountProblem) and await self._reroute(task, attempt)):
                await self._fail(task, error.code, error.detail, attempt)
            if isinstance(error, AccountProblem):
                await self._accounts.refused(model, error)
        except Exception as error:  # noqa: BLE001 - the call may have been made, and that is all that counts
            self._log.warning(
                "a submit failed without an answer",
                task=task.id,
                exc_info=not isinstance(error, TimeoutError),
            )
            unknown = OutcomeUnknown(SUBMIT_UNKNOWN, type(error).__name__)
            await self.lose(task, unknown.detail, self._journal.attempt(task, "submit", began, unknown))
        else:
            await self._accept(task, model, accepted, began, others_wait=others_wait)

    async def _hold_back(self, task: Task) -> None:
        """Buying is paused. Its card says so, and it keeps its turn."""
        self._chat.show(await self._journal.postpone(task))

    async def _put_back(self, task: Task, error: Unavailable, attempt: Attempt) -> None:
        """Certainly not accepted: later again, or with another model where the operator wants that."""
        if error.code in NO_ROOM:
            # The limit first: else the very same would be tried again at once.
            await self._slots.refused(task, error.retry_after_s)
            code, detail, now = error.code, error.detail, self._journal.now()
            moved = await self._journal.update(
                task, lambda row: _unanswered(row).requeued_no_slot(code, detail, now), attempt
            )
            self._chat.show(moved)
            return
        if error.code in _OUTAGES:
            self._silence.broken(task.provider, error)
            if await self._reroute(task, attempt):
                return
        now = self._journal.now()
        if error.code in _OUTAGES and schedule.gives_up_submitting(task, now):
            await self._fail(task, "provider_fault", f"{error.code}: {error.detail}", attempt)
            return
        due_at = schedule.retry_at(task.attempts, now, error.retry_after_s)
        code, detail = error.code, error.detail
        moved = await self._journal.update(
            task, lambda row: _unanswered(row).requeued(code, detail, due_at, now), attempt
        )
        self._chat.show(moved)

    async def _reroute(self, task: Task, attempt: Attempt) -> bool:
        """To the next model that can do the very same for no more money, if failover is on and there is one.
        Whoever stopped waiting gets none."""
        others = [
            name
            for name in stand_ins(task, self._models, self._quote)
            if not await self._purchase_guard.blocking(name)
        ]
        if not self._failover or not others or task.detached:
            return False
        model = self._models[others[0]]
        request = settle(task.request.model_copy(update={"model": model.name}), model)
        price = self._quote(request)
        now = self._journal.now()
        self._log.info(
            "another model is tried", task=task.id, model=model.name, instead_of=task.request.model
        )
        moved = await self._journal.update(
            task, lambda row: _unanswered(row).rerouted(request, model.provider, price, now), attempt
        )
        self._chat.show(moved)
        return True

    async def lose(self, task: Task, detail: str, attempt: Attempt | None = None) -> None:
        """Perhaps bought, perhaps not: the person is asked before anything is bought again.

        Without an `attempt` the process that made the call died in it: it is recorded now, for the bill.
        """
        now = self._journal.now()
        if attempt is None:
            unknown = OutcomeUnknown(SUBMIT_UNKNOWN, detail)
            attempt = self._journal.attempt(task, "submit", task.submitted_at or now, unknown)
        model = self._models.get(task.request.model)
        keep_until = schedule.unclear_until(model, now) if model else now
        self._log.warning("the outcome of a submit is unknown", task=task.id, detail=detail)
        await self._fail(task, SUBMIT_UNKNOWN, detail, attempt, keep_until)

    async def _fail(
        self,
        task: Task,
        code: str,
        detail: str,
        attempt: Attempt | None,
        keep_until: datetime | None = None,
    ) -> None:
        now = self._journal.now()
        await self._journal.update(
            task, lambda row: _unanswered(row).failed(code, detail, now, keep_until), attempt
        )
        self._log.info("no video", task=task.id, code=code, detail=detail)

    async def _accept(
        self, task: Task, model: VideoModel, accepted: Accepted, began: datetime, *, others_wait: bool
    ) -> None:
        """An id is always accepted, whatever became of the row since: it is worth money."""
        now = self._journal.now()
        attempt = self._journal.attempt(task, "submit", began, detail=accepted.detail)
        first_look = self._timing.next_look(task, model, now, others_wait=others_wait)
        keep_until = now + timedelta(seconds=model.keeps_s)
        task = await self._keep(
            task,
            lambda row: row.accepted(accepted.remote_id, first_look, keep_until),
            attempt,
            accepted.remote_id,
        )
        self._chat.show(task)
        await self._slots.accepted(task)
        await self._accounts.worked(model)
        self._silence.answered(task.provider)
        if not isinstance(accepted.status, StillRunning):
            await self._poller.read(task, model, accepted.status)

    async def _keep(self, task: Task, move: Callable[[Task], Task], attempt: Attempt, remote_id: str) -> Task:
        """Save an id, in spite of a disk that is full for a while. In the log it stands at once."""
        pauses_s = iter(self._save_pauses_s)
        while True:
            try:
                return await self._journal.update(task, move, attempt)
            except Exception as error:
                self._log.error("an id could not be saved", task=task.id, remote_id=remote_id)
                pause_s = next(pauses_s, None)
                if pause_s is None or not isinstance(error, StoreError):
                    raise
                await asyncio.sleep(pause_s)


def _unanswered(task: Task) -> Task:
    """An answer that was read meanwhile is worth more than the lack of one, and may be an id."""
    if task.state is not TaskState.SUBMITTING:
        raise StaleTask(f"{task.id}: {task.state} by now")
    return task
