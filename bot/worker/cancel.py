"""Cancelling: ask the provider to stop a job that somebody cancelled while it ran there."""

from __future__ import annotations

import asyncio

from bot.codes import FailureCode
from bot.errors import ProviderError, Unavailable
from bot.log import get_log
from bot.store import Attempt
from bot.task import Task, changed
from bot.worker import schedule
from bot.worker.deps import WorkerDeps

NOT_STOPPED = "not_stopped"
"""The answer of a "cancel" in the record of calls: the job goes on."""
_MOST_CALLS = 5
"""If the provider does not answer."""


class JobCancelCall:
    """The record of calls says whether a provider was asked, so a crash before the answer asks it again."""

    def __init__(self, deps: WorkerDeps) -> None:
        self._deps = deps
        self._journal = deps.journal
        self._log = get_log(__name__)

    async def cancel(self, task: Task) -> bool:
        """Ask once for a cancelled task, and save what comes of it. Return False if there is nothing to ask:
        the job is polled as any other."""
        provider = self._deps.providers.get(task.provider)
        model = self._deps.models.get(task.request.model)
        if not task.is_cancelled or provider is None or model is None or task.remote_id is None:
            return False
        calls = [one.answer for one in await self._journal.attempts(task) if one.call == "cancel"]
        if len(calls) >= _MOST_CALLS or NOT_STOPPED in calls:
            return False
        began = self._journal.now()
        error: ProviderError | None = None
        is_stopped = False
        try:
            async with asyncio.timeout(schedule.POLL_LIMIT_S):
                is_stopped = await provider.cancel(task.remote_id, model)
        except ProviderError as failure:
            error = failure
        except TimeoutError:
            error = Unavailable(FailureCode.UNREACHABLE, "the call took too long")
        except Exception as defect:  # noqa: BLE001 - whatever it was, the job may go on
            self._log.exception("a cancellation failed", task=task.id)
            error = Unavailable(FailureCode.UNREACHABLE, type(defect).__name__)
        if error is None and not is_stopped:
            error = ProviderError(NOT_STOPPED)
        await self._save(task, self._journal.attempt(task, "cancel", began, error), error)
        return True

    async def _save(self, task: Task, attempt: Attempt, error: ProviderError | None) -> None:
        now = self._journal.now()
        self._log.info("the provider was asked to stop a job", task=task.id, answer=attempt.answer)
        if error is None:
            await self._journal.finish(task.cancelled(now), attempt)
            return
        if error.code != NOT_STOPPED:
            moved = task.put_off(schedule.retry_at(task.attempts, now, error.retry_after_s), now)
        else:
            moved = changed(task, due_at=now)
        # Another process may have taken the press, and ended before it could show that on the card.
        self._deps.chat.show(await self._journal.save(moved, attempt))
