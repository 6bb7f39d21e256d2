"""The worker: claims the tasks that are due, in batches, and lets each take one step. Its state says which.

| state             | step                                                                 |
|-------------------|----------------------------------------------------------------------|
| draft             | ask about an album that came; cancel what nobody answered in time    |
| queued            | submit it, the intent saved first; cancel it if its person said so   |
| submitting        | a crash came in the middle: the outcome is unknown, never repeat it  |
| running           | look at the job                                                      |
| succeeded         | fetch the video, put it on the card, close                           |
| failed, cancelled | tell the chat why there is no video, close                           |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, assert_never

from bot.errors import CallUnclear, ChatBusy, ChatError, StaleTask, StoreError, TaskError
from bot.log import get_log, level_of
from bot.store import TaskStore
from bot.store.leases import SINGLE_PROCESS, LeaseStore
from bot.task import END_STATES, Task, TaskState
from bot.worker import schedule
from bot.worker.deliver import Deliverer
from bot.worker.journal import TaskJournal
from bot.worker.poll import JobPoller
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.submit import Submitter

_BATCH = 200
"""Steps at once. So many looks may hang at a provider that does not answer before others have to wait."""
_IDLE_S = 30.0
"""A look at the store when nothing is known to be due: another program may have changed it."""
_STOP_LIMIT_S = 8.0
"""At a stop everything but a submit in flight ends within ten seconds."""
_STORE_PAUSE_S = 2.0
"""Before the store is asked again after it refused: a full disk may be emptied."""


class Albums(Protocol):
    async def gathered(self, task: Task) -> None:
        """All photos of an album are there, as far as can be told, or a video is to be read: start it, ask
        what is open, or say why it cannot work. Afterwards the row gathers no more. StaleTask, ChatError."""


class Worker:
    """One per process. `run` ends when `stopping` is set and what must not be cut short has ended."""

    def __init__(
        self,
        *,
        store: TaskStore,
        journal: TaskJournal,
        submitter: Submitter,
        poller: JobPoller,
        deliverer: Deliverer,
        albums: Albums,
        slots: Mapping[str, int],
        purchase_guard: PurchaseGuard,
        clock: Callable[[], datetime],
        idle_s: float = _IDLE_S,
        breath_s: float = 0.0,
        sharing: LeaseStore = SINGLE_PROCESS,
        stop_limit_s: float = _STOP_LIMIT_S,
    ) -> None:
        self._store = store
        self._journal = journal
        self._submitter = submitter
        self._poller = poller
        self._deliverer = deliverer
        self._albums = albums
        self._slots = slots
        self._purchase_guard = purchase_guard
        self._clock = clock
        self._idle_limit_s = idle_s
        self._breath_s = breath_s
        self._sharing = sharing
        self._stop_limit_s = stop_limit_s
        self._log = get_log(__name__)
        self._work = asyncio.Event()
        self._running: dict[asyncio.Task[None], Task] = {}
        self.turned_at = clock()
        """When the loop last turned: what a health check reads."""

    def wake(self) -> None:
        """Something may be due sooner than was planned."""
        self._work.set()

    async def run(self, stopping: asyncio.Event) -> None:
        stop = asyncio.create_task(stopping.wait())
        stop.add_done_callback(lambda _: self.wake())
        try:
            while not stopping.is_set():
                self._work.clear()
                if wait_s := await self._turn():
                    await self._rest(wait_s)
                # So that what becomes due at about the same time is claimed, and then saved, together.
                await asyncio.sleep(self._breath_s)
        finally:
            stop.cancel()
            await self._finish()

    async def _turn(self) -> float:
        """Take what is due. For how long there is nothing else to do, in seconds."""
        try:
            taken = await self._take_due()
            return 0.0 if taken else await self._idle_s()
        except StoreError as error:
            self._log.log(level_of(error), "no task can be claimed", reason=str(error))
            return _STORE_PAUSE_S
        finally:
            self.turned_at = self._clock()

    async def _take_due(self) -> int:
        room = _BATCH - len(self._running)
        if not room:
            return 0
        # While everything is paused there is no slot, so that what waits is not even looked at.
        slots = (
            dict.fromkeys(self._slots, 0) if await self._purchase_guard.blocks_everything() else self._slots
        )
        tasks = await self._store.claim(self._clock(), schedule.LEASE_S, room, slots)
        for task in tasks:
            step = asyncio.create_task(self._take(task), name=f"step of {task.id}")
            self._running[step] = task
            step.add_done_callback(self._ended)
        return len(tasks)

    async def _idle_s(self) -> float:
        """Until something is due. With no room left, until a step ends: it wakes the worker."""
        due_at = None if len(self._running) == _BATCH else await self._store.next_due(self._clock())
        longest_s = self._idle_limit_s
        wait_s = longest_s if due_at is None else (due_at - self._clock()).total_seconds()
        return min(max(wait_s, 0.01), longest_s)

    async def _rest(self, wait_s: float) -> None:
        """So long, or until somebody wakes the worker."""
        try:
            async with asyncio.timeout(wait_s):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _take(self, task: Task) -> None:
        log = self._log.bind(task=task.id)
        try:
            await self.step(task)
        except StaleTask:
            log.debug("another process moved the task")
        except StoreError as error:
            log.log(
                level_of(error),
                "a step failed because the database refused",
                state=task.state,
                reason=str(error),
            )
            await self._give_back(task)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            log.warning("the system refuses a step", state=task.state, reason=reason)
            await self._put_off(task)
        except Exception:
            log.exception("a step failed", state=task.state)
            await self._put_off(task)
        else:
            log.debug("a step was taken", state=task.state)

    def _ended(self, step: asyncio.Task[None]) -> None:
        """There is room, and perhaps a slot."""
        del self._running[step]
        self.wake()

    async def step(self, task: Task) -> None:
        """Move a claimed task one step and save it."""
        match task.state:
            case TaskState.DRAFT if task.is_collecting_album:
                await self._gather(task)
            case TaskState.DRAFT:
                await self._journal.finish(task.cancelled("draft_expired", self._clock()))
            case TaskState.QUEUED if task.detached:
                await self._journal.finish(task.cancelled("cancelled", self._clock()))
            case TaskState.QUEUED:
                await self._submitter.submit(task)
            case TaskState.SUBMITTING:
                await self._submitter.lose(task, "the process ended in the middle of the submit")
            case TaskState.RUNNING:
                await self._poller.poll(task)
            case TaskState.SUCCEEDED:
                await self._deliverer.deliver(task)
            case TaskState.FAILED | TaskState.CANCELLED:
                await self._deliverer.tell(task)
            case _:
                assert_never(task.state)

    async def _gather(self, task: Task) -> None:
        try:
            await self._albums.gathered(task)
        except ChatBusy as busy:
            await self._journal.put_off(task, busy.retry_after_s)
        except CallUnclear:
            await self._journal.put_off(task)
        except ChatError as error:
            self._log.info("no one can be asked about an album", task=task.id, reason=str(error))
            await self._journal.finish(task.cancelled("draft_expired", self._clock()))

    async def _put_off(self, task: Task) -> None:
        """After a defect of ours: later again, unless the row has moved on or may be bought. An outcome that
        cannot be told is given up at last: it would count against its person's open tasks for ever."""
        try:
            fresh = await self._store.get(task.id)
            if fresh is None or fresh.due_at is None or fresh.state is TaskState.SUBMITTING:
                return
            if fresh.state in END_STATES and schedule.gives_up_telling(fresh, self._clock()):
                await self._journal.mark_delivered(fresh.keep_undelivered())
                return
            await self._journal.put_off(fresh)
        except Exception:  # noqa: BLE001 - nothing one task does may end the worker
            self._log.exception("a failed step could not be postponed", task=task.id)

    async def _give_back(self, task: Task) -> None:
        """Once the database takes writes again: nobody waits for the end of a lease that this process holds.
        What an order came to, and could not be saved, is not known to anybody any more."""
        while True:
            try:
                fresh = await self._store.get(task.id)
                if fresh is None or fresh.due_at is None or not await self._sharing.is_ours(task.id):
                    return
                if fresh.state is TaskState.SUBMITTING:
                    await self._submitter.lose(fresh, "what came of it could not be saved")
                else:
                    await self._journal.put_off(fresh)
            except StoreError:
                await asyncio.sleep(_STORE_PAUSE_S)
            except TaskError:
                return  # somebody else goes on with it
            else:
                return

    async def _finish(self) -> None:
        """Submits in flight end by themselves, at their time limit at the latest; the rest is cut short."""
        if orders := sorted(self._submitter.in_flight):
            self._log.info(
                "the stop waits for orders in flight", tasks=orders, at_most_s=schedule.SUBMIT_LIMIT_S
            )
        if self._running:
            await asyncio.wait(self._running, timeout=self._stop_limit_s)
        for step, task in list(self._running.items()):
            if task.id not in self._submitter.in_flight:
                step.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
