"""The journal: save the end of a step. Submitting, polling and delivering share it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Literal, TypeVar

from bot.codes import DOUBTED
from bot.errors import FetchError, MediaError, ProviderError, StaleTask, StoreError
from bot.log import get_log
from bot.store import Attempt, TaskStore
from bot.task import Task, TaskState, changed
from bot.worker import schedule

T = TypeVar("T")

_HOLD_PAUSE_S = 10.0


class TaskJournal:
    """Saves what a step led to. Every write raises StaleTask if the task has another owner by now."""

    def __init__(
        self,
        store: TaskStore,
        clock: Callable[[], datetime],
        observe: Callable[[Task, Attempt | None], None],
        redact: Callable[[str], str] = str,
    ) -> None:
        """`observe` is called for each saved task, with the call that led to it; it must not raise. `redact`
        removes every secret from what a provider said."""
        self._store = store
        self._redact = redact
        self._observe = observe
        self._log = get_log(__name__)
        self.now = clock

    async def attempts(self, task: Task) -> list[Attempt]:
        """Return the calls made for the task, oldest first."""
        return await self._store.attempts(task.id)

    async def is_believed(self, task: Task, attempt: Attempt) -> bool:
        """Return True if an answer of a poll ends a paid job: one that polls in a row have given for long
        enough, if one alone does not prove it."""
        if attempt.answer not in DOUBTED:
            return True
        polls = [one for one in await self.attempts(task) if one.call == "poll"]
        alike = takewhile(lambda one: one.answer in DOUBTED, reversed(polls))
        return schedule.gives_up_polling(attempt.answer, [attempt.at, *(one.at for one in alike)], self.now())

    async def others_wait(self, task: Task) -> bool:
        """Return True if other tasks wait for a slot of its provider."""
        return await self._store.has_waiting(task.provider, self.now())

    async def save(self, task: Task, attempt: Attempt | None = None) -> Task:
        saved = await self._store.save(self._redacted(task), attempt)
        self._observe(saved, attempt)
        return saved

    def _redacted(self, task: Task) -> Task:
        if not task.error_detail:
            return task
        return replace(task, error_detail=self._redact(task.error_detail))

    async def update(self, task: Task, move: Callable[[Task], Task], attempt: Attempt | None) -> Task:
        """Save what `move` makes of the row as it is by now: a person may have stopped waiting meanwhile.

        StaleTask if the row is gone.
        """
        saved = await self._store.update(task.id, lambda row: self._redacted(move(row)), attempt)
        if saved is None:
            raise StaleTask(f"{task.id}: gone")
        self._observe(saved, attempt)
        return saved

    async def save_keeping_lease(self, task: Task) -> Task:
        """Save an intent in the middle of a step, with the lease kept."""
        return await self._store.save(task, leased=True)

    async def holding(self, task: Task, work: Coroutine[Any, Any, T]) -> tuple[Task, asyncio.Task[T]]:
        """Do a long piece of work and renew the lease meanwhile; the task as saved last, and what it came to.

        StaleTask if somebody else has moved the task, StoreError if the lease ran out: the work is cut short.
        """
        running = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({running}, timeout=_HOLD_PAUSE_S))[0]:
                if not self.has_time(task, schedule.RENEW_LEASE_S):
                    task = await self._renew_lease(task)
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running})
        return task, running

    async def _renew_lease(self, task: Task) -> Task:
        try:
            lease_end = self.now() + timedelta(seconds=schedule.LEASE_S)
            return await self.save_keeping_lease(changed(task, due_at=lease_end))
        except StoreError:
            if self.has_time(task, 2 * _HOLD_PAUSE_S):
                return task  # there is time for another try
            raise

    async def postpone(self, task: Task) -> Task:
        """Repeat the step a little later, because buying is paused."""
        return await self._store.save(task.postponed(self.now() + timedelta(seconds=schedule.PAUSED_S)))

    async def record(self, task: Task, attempt: Attempt) -> None:
        """Record a call that does not move the task."""
        await self._store.record(attempt)
        self._observe(task, attempt)

    async def move_chat(self, chat_id: int, new_id: int) -> None:
        """Move everything that belongs to a chat which has another id now."""
        await self._store.move_chat(chat_id, new_id)

    async def finish(self, task: Task, attempt: Attempt | None = None) -> None:
        """Save an end state, due at once: the next step tells the chat."""
        if task.state is TaskState.FAILED:
            self._log.info("no video", task=task.id, code=task.error_code, detail=task.error_detail)
        await self.save(task, attempt)

    async def mark_delivered(self, task: Task, file_id: str | None = None) -> None:
        """Close a task whose chat was told, or can never be."""
        await self.save(task.delivered(self.now(), file_id))
        if task.queued_at is not None:
            after_s = round((self.now() - task.queued_at).total_seconds())
            self._log.info(
                "the order has ended",
                task=task.id,
                user=task.user_id,
                state=task.state.value,
                code=task.error_code,
                after_s=after_s,
            )

    async def put_off(self, task: Task, retry_after_s: float | None = None) -> None:
        """Repeat the step later: after a growing pause, or when the other side says."""
        now = self.now()
        await self.save(task.put_off(schedule.retry_at(task.attempts, now, retry_after_s), now))

    async def retry_after(self, task: Task, wait_s: float) -> None:
        """Repeat the step after `wait_s`: not before, and not much later."""
        now = self.now()
        await self._store.save(task.put_off(now + timedelta(seconds=wait_s), now))

    def has_time(self, task: Task, limit_s: float) -> bool:
        """Return True if a call of `limit_s` ends within the lease: else another worker may begin it too."""
        return task.due_at is not None and (task.due_at - self.now()).total_seconds() > limit_s

    def is_over(self, task: Task) -> bool:
        """Return True if the provider has forgotten the job by now, and the link to its video."""
        return task.keep_until is not None and self.now() > task.keep_until

    def attempt(
        self,
        task: Task,
        call: Literal["submit", "poll", "fetch", "cancel"],
        began: datetime,
        error: ProviderError | FetchError | MediaError | None = None,
        detail: str = "",
    ) -> Attempt:
        """Return the record of a call that began at `began` and has just ended."""
        return Attempt(
            task_id=task.id,
            provider=task.provider,
            call=call,
            at=began,
            took_s=(self.now() - began).total_seconds(),
            answer=error.code if error else "ok",
            detail=self._redact(error.detail if error else detail),
        )
