"""Polling: ask the provider how a job is. A failed poll is not a failed job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.codes import DOUBTED, NO_ROOM, FailureCode
from bot.errors import AccountProblem, ProviderError, Unavailable
from bot.log import get_log
from bot.provider import Failed, Status, StillRunning, Succeeded
from bot.request import VideoModel
from bot.store import Attempt
from bot.task import Task, changed
from bot.worker import schedule
from bot.worker.cancel import JobCancelCall
from bot.worker.deps import WorkerDeps
from bot.worker.schedule import clock_of, duration_keys, lesson

_NO_FAILURE = DOUBTED - {FailureCode.PROVIDER_FAULT}
"""Codes that are no failure of the job; a fault that the provider reports as the job's end is one."""
_CALLS = "polls"
"""What the log calls them."""


class JobPoller:
    def __init__(self, deps: WorkerDeps) -> None:
        self._deps = deps
        self._journal = deps.journal
        self._schedule = deps.schedule
        self._canceller = JobCancelCall(deps)
        self._log = get_log(__name__)

    async def poll(self, task: Task) -> None:
        """Poll the job of a running task once, and save what that says; or ask to stop it, if it was
        cancelled."""
        if await self._canceller.cancel(task):
            return
        model = self._deps.models.get(task.request.model)
        provider = self._deps.providers.get(task.provider)
        if model is None or provider is None or task.remote_id is None:
            # Its provider may be configured again tomorrow: the job is paid for.
            await self._poll_later(task, FailureCode.MODEL_GONE)
            return
        began = self._journal.now()
        try:
            async with asyncio.timeout(schedule.POLL_LIMIT_S):
                status = await provider.poll(task.remote_id, model)
        except ProviderError as error:
            await self._handle_poll_error(task, error, began)
        except TimeoutError:
            too_slow = Unavailable(FailureCode.UNREACHABLE, "the poll took too long")
            await self._handle_poll_error(task, too_slow, began)
        except Exception as error:  # noqa: BLE001 - no defect of an adapter is a verdict on a paid job
            self._log.exception("a poll failed", task=task.id)
            defect = Unavailable(FailureCode.UNREACHABLE, type(error).__name__)
            await self._handle_poll_error(task, defect, began)
        else:
            self._deps.health.call_answered(_CALLS, task.provider)
            await self.read(task, model, status, self._journal.attempt(task, "poll", began))

    async def read(
        self, task: Task, model: VideoModel, status: Status, attempt: Attempt | None = None
    ) -> None:
        """Move a running task on, as the status of its job says."""
        now = self._journal.now()
        if attempt is not None and isinstance(status, Failed) and status.code in _NO_FAILURE:
            attempt = replace(attempt, answer=status.code)
        match status:
            case StillRunning():
                if self._journal.is_over(task):
                    await self._fail(task, FailureCode.EXPIRED, "", attempt)
                else:
                    await self._keep_running(task, model, status, attempt)
            case Succeeded(video_url=video_url, keeps_s=keeps_s, billed_tokens=tokens):
                await self._journal.finish(
                    task.succeeded(video_url, now + timedelta(seconds=keeps_s), now, tokens), attempt
                )
                await self._learn(task, now)
            case Failed(code=code) if await self._is_doubted(task, code, attempt):
                await self._poll_later(task, code, attempt=attempt)
            case Failed(code=code, detail=detail, final=False) if code in NO_ROOM:
                await self._requeue(task, code, detail, attempt)
            case Failed(code=code, detail=detail):
                await self._fail(task, code, detail, attempt)
            case _:
                assert_never(status)

    async def _is_doubted(self, task: Task, code: str, attempt: Attempt | None) -> bool:
        """Return True if the job may go on, whatever this answer says."""
        if code not in _NO_FAILURE:
            return False
        return attempt is None or not await self._journal.is_believed(task, attempt)

    async def _keep_running(
        self, task: Task, model: VideoModel, status: StillRunning, attempt: Attempt | None
    ) -> None:
        """Save the progress, and when to poll again."""
        now = self._journal.now()
        seen = task.polled(status.progress, now, queued=status.queued)
        if self._schedule.is_late(seen, model, now):
            seen = seen.late(now)
        others_wait = await self._journal.others_wait(task)
        due_at = self._schedule.next_poll(seen, model, now, others_wait=others_wait)
        saved = await self._journal.save(changed(seen, due_at=due_at), attempt)
        if not saved.detached:
            self._deps.chat.show(saved)
        if clock_of(task)[0] != clock_of(seen)[0] == "running":
            await self._learn(task, now)

    async def _requeue(self, task: Task, code: str, detail: str, attempt: Attempt | None) -> None:
        """Queue the task again: a relay accepted it, but its own provider had no room, and nothing was made.

        The pause grows with the number of submits so far; after the second time its person is asked.
        """
        submits = [one for one in await self._journal.attempts(task) if one.call == "submit"]
        if sum(one.answer == "ok" for one in submits) > schedule.MOST_REQUEUED:
            await self._fail(task, code, detail, attempt)
            return
        now = self._journal.now()
        due_at = schedule.retry_at(len(submits), now)
        await self._deps.health.slot_refused(task)
        self._deps.chat.show(
            await self._journal.save(task.requeued_by_provider(code, detail, due_at, now), attempt)
        )

    async def _fail(self, task: Task, code: str, detail: str, attempt: Attempt | None) -> None:
        await self._journal.finish(task.failed(code, detail, self._journal.now()), attempt)
        await self._learn(task, None)

    async def _learn(self, task: Task, ended_at: datetime | None) -> None:
        """Learn how long the job took by the clock that ran for it, which ended since the last poll.

        `ended_at` is None if the job ended otherwise. Failing to learn is only logged.
        """
        model = self._deps.models.get(task.request.model)
        clock, since = clock_of(task)
        if model is None or since is None or task.request.off_peak:
            return
        a_s = (max(task.polled_at, since) - since).total_seconds() if task.polled_at else 0.0
        b_s = None if ended_at is None else (ended_at - since).total_seconds()

        try:
            learned = await self._deps.durations.learn(
                duration_keys(model, task.request, clock), lesson(model, task.request, clock, a_s, b_s)
            )
            self._schedule.remember(learned)
        except Exception as error:  # noqa: BLE001 - the task has been moved, and nothing else counts
            self._log.warning("a duration could not be stored", task=task.id, reason=str(error))

    async def _handle_poll_error(self, task: Task, error: ProviderError, began: datetime) -> None:
        """Handle a failed poll; the task fails only after repeated faults reported by the provider."""
        self._deps.health.call_failed(_CALLS, task.provider, error)
        if isinstance(error, AccountProblem):
            await self._deps.health.account_refused(self._deps.models[task.request.model], error)
        attempt = self._journal.attempt(task, "poll", began, error)
        if error.code == FailureCode.PROVIDER_FAULT and await self._journal.is_believed(task, attempt):
            await self._fail(task, error.code, error.detail, attempt)
            return
        await self._poll_later(task, error.code, error.retry_after_s, attempt)

    async def _poll_later(
        self, task: Task, code: str, retry_after_s: float | None = None, attempt: Attempt | None = None
    ) -> None:
        """Poll again later; the task fails if the provider has forgotten the job by now."""
        now = self._journal.now()
        if self._journal.is_over(task):
            await self._fail(task, FailureCode.EXPIRED, code, attempt)
        else:
            due_at = self._schedule.poll_again(task, now, retry_after_s)
            await self._journal.save(task.put_off(due_at, now), attempt)
