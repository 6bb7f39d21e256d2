"""Submitting: from a queued task to a job at the provider. The only code that spends money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.codes import NO_ROOM, UNANSWERED, FailureCode
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
from bot.provider import Accepted, Photo, StillRunning
from bot.request import VideoModel, VideoRequest, closest_ratio, settle
from bot.store import Attempt
from bot.store.budget import Pause
from bot.task import Task, TaskState
from bot.worker import schedule
from bot.worker.deps import WorkerDeps
from bot.worker.failover import stand_ins
from bot.worker.poll import JobPoller
from bot.worker.schedule import LEASE_S
from bot.worker.user_locks import UserLocks

_WITH_PHOTOS = 6
"""Submits with photos at once, each of another person. Two photos of 4.7 MB are in memory until the call has
ended, five times over: as they are, as base64, as JSON, and on their way."""
_CALLS = "submits"
"""What the log calls them."""


class Submitter:
    """Saves the intent, calls, saves the answer. Nothing between the two saves is ever repeated by itself."""

    def __init__(self, deps: WorkerDeps, poller: JobPoller) -> None:
        self._deps = deps
        self._journal = deps.journal
        self._health = deps.health
        self._purchase_guard = deps.purchase_guard
        self._poller = poller
        self._log = get_log(__name__)
        self._photo_locks = UserLocks("submits of", LEASE_S)
        self._with_photos = asyncio.Semaphore(_WITH_PHOTOS)
        self.in_flight: set[str] = set()
        """Ids of tasks whose submit must not be cut short."""

    async def submit(self, task: Task) -> None:
        """Submit a queued task, unless its model is paused or gone."""
        model = self._deps.models.get(task.request.model)
        if model is None or model.gone:
            await self._journal.finish(task.failed(FailureCode.MODEL_GONE, "", self._journal.now()))
            return
        if await self._purchase_guard.blocking(model.name):
            await self._postpone(task)
            return
        if not task.request.photos:
            await self._submit(task, model)
            return
        async with self._photo_locks.of(task.user_id), self._with_photos:
            await self._submit(task, model)

    async def _submit(self, task: Task, model: VideoModel) -> None:
        try:
            # Read even if only a link is sent: an unfit photo should cost nothing.
            fits = [
                await self._deps.chat.photo(file_id, model.photo_rules, task.request.crop, task.user_id)
                for file_id in task.request.photos
            ]
        except MediaError as error:
            if error.code == FailureCode.DISK_FULL:
                await self._purchase_guard.disk_refused(error.detail)
            await self._journal.finish(task.failed(error.code, error.detail, self._journal.now()))
            return
        except ChatError as error:
            if schedule.gives_up_telling(task, self._journal.now()):
                await self._journal.finish(
                    task.failed(FailureCode.PHOTO_GONE, str(error), self._journal.now())
                )
                return
            await self._journal.put_off(task, error.retry_after_s if isinstance(error, ChatBusy) else None)
            return
        photos = [
            photo.data if model.photo_as == "bytes" else self._deps.link(task, index, photo)
            for index, photo in enumerate(fits)
        ]
        if task.request.loop:
            photos *= 2
        if fits and model.ratio_with_photo and model.ratios and task.request.ratio is None:
            # Left open, it would be the provider's default and not the photo's own ratio.
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
        """Save the intent, call the provider and save its answer. Nothing here may be repeated by itself."""
        provider = self._deps.providers[model.provider]
        others_wait = await self._journal.others_wait(task)
        began = self._journal.now()
        lease_end = began + timedelta(seconds=schedule.LEASE_S)
        intent = task.submitting(began, lease_end, began + timedelta(seconds=model.keeps_s))
        bought = await self._purchase_guard.buy(intent)
        if isinstance(bought, Pause):
            await self._postpone(task)
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
        self._deps.chat.show(task)
        try:
            async with asyncio.timeout(schedule.SUBMIT_LIMIT_S):
                accepted = await provider.submit(_styled(task.request), photos, task.id)
        except Unavailable as error:
            await self._requeue(task, error, self._journal.attempt(task, "submit", began, error))
        except OutcomeUnknown as error:
            await self.lose(task, error.detail, self._journal.attempt(task, "submit", began, error))
        except ProviderError as error:
            attempt = self._journal.attempt(task, "submit", began, error)
            # The answer first: a process that ends while admins are told must still know of the refusal.
            if not (isinstance(error, AccountProblem) and await self._reroute(task, attempt)):
                await self._fail(task, error.code, error.detail, attempt)
            if isinstance(error, AccountProblem):
                if error.trouble == "model_gone":
                    self._deps.models[model.name] = replace(model, gone=True)
                await self._health.account_refused(model, error)
        except Exception as error:  # noqa: BLE001 - the call may have been made, and that is all that counts
            self._log.warning(
                "a submit failed without an answer",
                task=task.id,
                exc_info=not isinstance(error, TimeoutError),
            )
            unknown = OutcomeUnknown(FailureCode.SUBMIT_UNKNOWN, type(error).__name__)
            await self.lose(task, unknown.detail, self._journal.attempt(task, "submit", began, unknown))
        else:
            await self._accept(task, model, accepted, began, others_wait=others_wait)

    async def _postpone(self, task: Task) -> None:
        """Try again after a while, because buying is paused. The card says so; the task keeps its turn."""
        self._deps.chat.show(await self._journal.postpone(task))

    async def _requeue(self, task: Task, error: Unavailable, attempt: Attempt) -> None:
        """Queue a task again that was certainly not accepted, or move it to another model."""
        if error.code in NO_ROOM:
            # The limit first: else the same submit would be tried again at once.
            await self._health.slot_refused(task, error.retry_after_s)
            code, detail, now = error.code, error.detail, self._journal.now()
            moved = await self._journal.update(
                task, lambda row: _unanswered(row).requeued_no_slot(code, detail, now), attempt
            )
            self._deps.chat.show(moved)
            return
        if error.code in UNANSWERED:
            self._health.call_failed(_CALLS, task.provider, error)
            if await self._reroute(task, attempt):
                return
        now = self._journal.now()
        if error.code in UNANSWERED and schedule.gives_up_submitting(task, now):
            await self._fail(task, FailureCode.PROVIDER_FAULT, f"{error.code}: {error.detail}", attempt)
            return
        due_at = schedule.retry_at(task.attempts, now, error.retry_after_s)
        code, detail = error.code, error.detail
        moved = await self._journal.update(
            task, lambda row: _unanswered(row).requeued(code, detail, due_at, now), attempt
        )
        self._deps.chat.show(moved)

    async def _reroute(self, task: Task, attempt: Attempt) -> bool:
        """Move the task to the next model that can do the same for no more money; return False if none can.

        Only with failover on, and not if its person has stopped waiting.
        """
        if not self._deps.failover or task.detached:
            return False
        person = await self._deps.people.person(task.user_id)
        others = [
            name
            for name in stand_ins(task, self._deps.models, self._deps.quote, person.companies)
            if not await self._purchase_guard.blocking(name)
        ]
        if not others:
            return False
        model = self._deps.models[others[0]]
        request = settle(task.request.model_copy(update={"model": model.name}), model)
        price = self._deps.quote(request)
        now = self._journal.now()
        self._log.info(
            "another model is tried", task=task.id, model=model.name, instead_of=task.request.model
        )
        moved = await self._journal.update(
            task, lambda row: _unanswered(row).rerouted(request, model.provider, price, now), attempt
        )
        self._deps.chat.show(moved)
        return True

    async def lose(self, task: Task, detail: str, attempt: Attempt | None = None) -> None:
        """End a submit of unknown outcome: the person is asked before anything is bought again.

        Without an `attempt` the process that made the call died in it: it is recorded now, for the bill.
        """
        now = self._journal.now()
        if attempt is None:
            unknown = OutcomeUnknown(FailureCode.SUBMIT_UNKNOWN, detail)
            attempt = self._journal.attempt(task, "submit", task.submitted_at or now, unknown)
        model = self._deps.models.get(task.request.model)
        keep_until = schedule.unclear_until(model, now) if model else now
        self._log.warning("the outcome of a submit is unknown", task=task.id, detail=detail)
        await self._fail(task, FailureCode.SUBMIT_UNKNOWN, detail, attempt, keep_until)

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
        """Save the id of the job, whatever became of the row since: it is worth money."""
        now = self._journal.now()
        attempt = self._journal.attempt(task, "submit", began, detail=accepted.detail)
        poll_at = self._deps.schedule.next_poll(task, model, now, others_wait=others_wait)
        keep_until = now + timedelta(seconds=model.keeps_s)
        expected_s = self._deps.schedule.usual_now_s(task, model)
        task = await self._save_id(
            task,
            lambda row: row.accepted(
                accepted.remote_id, now if row.is_cancelled else poll_at, keep_until, expected_s
            ),
            attempt,
            accepted.remote_id,
        )
        self._deps.chat.show(task)
        await self._health.slot_accepted(task)
        await self._health.account_works(model)
        self._health.call_answered(_CALLS, task.provider)
        if not isinstance(accepted.status, StillRunning):
            await self._poller.read(task, model, accepted.status)

    async def _save_id(
        self, task: Task, move: Callable[[Task], Task], attempt: Attempt, remote_id: str
    ) -> Task:
        """Save an id; try again for a while if the store refuses, with the id in the log."""
        pauses_s = iter(self._deps.save_pauses_s)
        while True:
            try:
                return await self._journal.update(task, move, attempt)
            except Exception as error:
                self._log.error("an id could not be saved", task=task.id, remote_id=remote_id)
                pause_s = next(pauses_s, None)
                if pause_s is None or not isinstance(error, StoreError):
                    raise
                await asyncio.sleep(pause_s)


def _styled(request: VideoRequest) -> VideoRequest:
    """Return the request as a provider gets it, which knows no styles."""
    return request.model_copy(update={"prompt": request.words, "style": None})


def _unanswered(task: Task) -> Task:
    """Return the task if its submit still waits for an answer; raise StaleTask if one was saved meanwhile."""
    if task.state is not TaskState.SUBMITTING:
        # An answer is worth more than the lack of one, and may be an id.
        raise StaleTask(f"{task.id}: {task.state} by now")
    return task
