"""The ledger: how the end of a step is written down. Submitting, looking and delivering share it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from bot.errors import FetchError, MediaError, ProviderError, StaleTask
from bot.log import get_log
from bot.store import Attempt, TaskStore
from bot.task import Task, TaskState
from bot.worker import schedule


def _look_away(_: Task, __: Attempt | None) -> None:
    """Where nobody counts."""


class TaskJournal:
    """Saves what a step led to. Every write may raise StaleTask: then the row has another owner."""

    def __init__(
        self,
        store: TaskStore,
        clock: Callable[[], datetime],
        observe: Callable[[Task, Attempt | None], None] = _look_away,
    ) -> None:
        """`observe` is told of each row that was written, with the call that led to it; it never raises."""
        self._store = store
        self._observe = observe
        self._log = get_log(__name__)
        self.now = clock

    async def attempts(self, task: Task) -> list[Attempt]:
        """The calls made for it, oldest first."""
        return await self._store.attempts(task.id)

    async def others_wait(self, task: Task) -> bool:
        """Whether other tasks wait for a slot of its provider."""
        return await self._store.has_waiting(task.provider, self.now())

    async def save(self, task: Task, attempt: Attempt | None = None) -> Task:
        saved = await self._store.save(task, attempt)
        self._observe(saved, attempt)
        return saved

    async def update(self, task: Task, move: Callable[[Task], Task], attempt: Attempt | None) -> Task:
        """Save what `move` makes of the row as it is by now: a person may have stopped waiting meanwhile.

        StaleTask if the row is gone.
        """
        saved = await self._store.update(task.id, move, attempt)
        if saved is None:
            raise StaleTask(f"{task.id}: gone")
        self._observe(saved, attempt)
        return saved

    async def save_keeping_lease(self, task: Task) -> Task:
        """Save an intent in the middle of a step: the lease goes on."""
        return await self._store.save(task, leased=True)

    async def postpone(self, task: Task) -> Task:
        """Buying is paused: the same step again, a little later."""
        return await self._store.save(task.postponed(self.now() + timedelta(seconds=schedule.HELD_S)))

    async def record(self, task: Task, attempt: Attempt) -> None:
        """Keep the record of a call that moves nothing."""
        await self._store.record(attempt)
        self._observe(task, attempt)

    async def move_chat(self, chat_id: int, new_id: int) -> None:
        """All else that belongs to a chat which has another id now."""
        await self._store.move_chat(chat_id, new_id)

    async def finish(self, task: Task, attempt: Attempt | None = None) -> None:
        """An end state, due at once: the next step tells the chat."""
        if task.state is TaskState.FAILED:
            self._log.info("no video", task=task.id, code=task.error_code, detail=task.error_detail)
        await self.save(task, attempt)

    async def mark_delivered(self, task: Task, file_id: str | None = None) -> None:
        """The chat was told, or can never be."""
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
        """The same step again, later: after a growing pause, or when the other side says."""
        now = self.now()
        await self.save(task.put_off(schedule.retry_at(task.attempts, now, retry_after_s), now))

    async def retry_after(self, task: Task, wait_s: float) -> None:
        """The same step again, when Telegram says: not before, and not much later."""
        now = self.now()
        await self._store.save(task.put_off(now + timedelta(seconds=wait_s), now))

    def has_time(self, task: Task, limit_s: float) -> bool:
        """No call is begun with less lease left than it may take: somebody else would begin it too."""
        return task.due_at is not None and (task.due_at - self.now()).total_seconds() > limit_s

    def is_over(self, task: Task) -> bool:
        """Whether the provider has forgotten the job by now, and gives no link to its video any more."""
        return task.keep_until is not None and self.now() > task.keep_until

    def attempt(
        self,
        task: Task,
        call: Literal["submit", "poll", "fetch"],
        began: datetime,
        error: ProviderError | FetchError | MediaError | None = None,
        detail: str = "",
    ) -> Attempt:
        """The record of a call that began at `began` and has just ended."""
        return Attempt(
            task_id=task.id,
            provider=task.provider,
            call=call,
            at=began,
            took_s=(self.now() - began).total_seconds(),
            answer=error.code if error else "ok",
            detail=error.detail if error else detail,
        )
