"""The worker: claim the tasks that are due, in batches, and move each one step. Its state says which step.

| state             | step                                                                 |
|-------------------|----------------------------------------------------------------------|
| draft             | ask about an album that arrived; cancel a draft nobody answered      |
| queued            | save the intent and submit; cancel it if its person said so          |
| submitting        | a crash came in between: the outcome is unknown, never repeat it     |
| running           | poll the job                                                         |
| succeeded         | fetch the video, put it on the card, close                           |
| failed, cancelled | tell the chat why there is no video, close                           |
"""

from __future__ import annotations

import asyncio
from typing import Protocol, assert_never

from bot.errors import CallUnclear, ChatBusy, ChatError, StaleTask, StoreError, TaskError
from bot.log import get_log, level_of
from bot.store import Store
from bot.task import END_STATES, Task, TaskState
from bot.worker import schedule
from bot.worker.deliver import Deliverer
from bot.worker.deps import WorkerDeps
from bot.worker.poll import JobPoller
from bot.worker.submit import Submitter

_BATCH = 200
"""Steps at once. So many polls may hang at a provider that does not answer before others have to wait."""
_STOP_LIMIT_S = 8.0
"""At a stop everything but a submit in flight ends within ten seconds."""
_STORE_PAUSE_S = 2.0
"""Before the store is asked again after it refused: somebody may free space on a full disk."""


class Albums(Protocol):
    async def complete_album(self, task: Task) -> None:
        """Start the task of an album that seems complete or of a video to be read, ask what is missing, or
        say why it cannot work.

        Afterwards the task collects no more. Raises StaleTask and ChatError.
        """


class Worker:
    """One per process. `run` ends when `stopping` is set and what must not be cut short has ended."""

    def __init__(
        self,
        deps: WorkerDeps,
        store: Store,
        albums: Albums,
        *,
        claim_pause_s: float = 0.0,
        stop_limit_s: float = _STOP_LIMIT_S,
    ) -> None:
        """`claim_pause_s`: the least time between two claims."""
        self._store = store
        self._albums = albums
        self._journal = deps.journal
        self._purchase_guard = deps.purchase_guard
        self._granted = deps.health.granted
        self._clock = deps.journal.now
        self._claim_pause_s = claim_pause_s
        self._stop_limit_s = stop_limit_s
        self._poller = JobPoller(deps)
        self._deliverer = Deliverer(deps)
        self.submitter = Submitter(deps, self._poller)
        self._log = get_log(__name__)
        self._work = asyncio.Event()
        self._running: dict[asyncio.Task[None], Task] = {}
        self.turned_at = self._clock()
        """When the loop last claimed tasks, for a health check."""

    def wake(self) -> None:
        """Claim tasks now: something may be due sooner than was planned."""
        self._work.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Move tasks until `stopping` is set and the running steps have ended."""
        stop = asyncio.create_task(stopping.wait())
        stop.add_done_callback(lambda _: self.wake())
        try:
            while not stopping.is_set():
                self._work.clear()
                if wait_s := await self._turn():
                    await self._wait(wait_s)
                # Tasks that become due at about the same time are claimed, and then saved, together.
                await asyncio.sleep(self._claim_pause_s)
        finally:
            stop.cancel()
            await self._finish()

    async def _turn(self) -> float:
        """Start a step of each task that is due; return for how many seconds there is nothing else to do."""
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
        # While everything is paused there is no slot, so that waiting tasks are not even claimed.
        slots = self._granted
        if await self._purchase_guard.blocks_everything():
            slots = dict.fromkeys(slots, 0)
        tasks = await self._store.tasks.claim(self._clock(), schedule.LEASE_S, room, slots)
        for task in tasks:
            step = asyncio.create_task(self._take(task), name=f"step of {task.id}")
            self._running[step] = task
            step.add_done_callback(self._ended)
        return len(tasks)

    async def _idle_s(self) -> float:
        """Return the time until something is due. With no room left, a step that ends wakes the worker."""
        due_at = None if len(self._running) == _BATCH else await self._store.tasks.next_due(self._clock())
        # Another program may have changed the store meanwhile.
        longest_s = self._store.leases.tick_s
        wait_s = longest_s if due_at is None else (due_at - self._clock()).total_seconds()
        return min(max(wait_s, 0.01), longest_s)

    async def _wait(self, wait_s: float) -> None:
        """Wait for `wait_s`, or until `wake` is called."""
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
                "the database refused during a step",
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
        """Forget a step that has ended, and claim again: there is room, and perhaps a slot."""
        del self._running[step]
        self.wake()

    async def step(self, task: Task) -> None:
        """Move a claimed task one step and save it."""
        match task.state:
            case TaskState.DRAFT if task.is_collecting_album:
                await self._complete_album(task)
            case TaskState.DRAFT:
                await self._journal.finish(task.dropped("draft_expired", self._clock()))
            case TaskState.QUEUED if task.detached:
                await self._journal.finish(task.cancelled(self._clock()))
            case TaskState.QUEUED:
                await self.submitter.submit(task)
            case TaskState.SUBMITTING:
                await self.submitter.lose(task, "the process ended in the middle of the submit")
            case TaskState.RUNNING:
                await self._poller.poll(task)
            case TaskState.SUCCEEDED:
                await self._deliverer.deliver(task)
            case TaskState.FAILED | TaskState.CANCELLED:
                await self._deliverer.tell(task)
            case _:
                assert_never(task.state)

    async def _complete_album(self, task: Task) -> None:
        try:
            await self._albums.complete_album(task)
        except ChatBusy as busy:
            await self._journal.put_off(task, busy.retry_after_s)
        except CallUnclear:
            await self._journal.put_off(task)
        except ChatError as error:
            self._log.info("no one can be asked about an album", task=task.id, reason=str(error))
            await self._journal.finish(task.dropped("draft_expired", self._clock()))

    async def _put_off(self, task: Task) -> None:
        """Repeat the step later after a defect of ours, unless the task has moved on or may be bought.

        An outcome that cannot be told is given up in the end: the task would count as open for ever.
        """
        try:
            fresh = await self._store.tasks.get(task.id)
            if fresh is None or fresh.due_at is None or fresh.state is TaskState.SUBMITTING:
                return
            if fresh.state in END_STATES and schedule.gives_up_telling(fresh, self._clock()):
                await self._journal.mark_delivered(fresh.keep_undelivered())
                return
            await self._journal.put_off(fresh)
        except Exception:  # noqa: BLE001 - nothing one task does may end the worker
            self._log.exception("a failed step could not be postponed", task=task.id)

    async def _give_back(self, task: Task) -> None:
        """Put the task off once the database takes writes again, so that nobody waits for the lease to end.

        If the outcome of a submit could not be saved, it is unknown.
        """
        while True:
            try:
                fresh = await self._store.tasks.get(task.id)
                if fresh is None or fresh.due_at is None or not await self._store.leases.is_ours(task.id):
                    return
                if fresh.state is TaskState.SUBMITTING:
                    await self.submitter.lose(fresh, "what came of it could not be saved")
                else:
                    await self._journal.put_off(fresh)
            except StoreError:
                await asyncio.sleep(_STORE_PAUSE_S)
            except TaskError:
                return  # somebody else goes on with it
            else:
                return

    async def _finish(self) -> None:
        """End all steps: submits in flight at their time limit at the latest; the rest is cut short."""
        if orders := sorted(self.submitter.in_flight):
            self._log.info(
                "the stop waits for orders in flight", tasks=orders, at_most_s=schedule.SUBMIT_LIMIT_S
            )
        if self._running:
            await asyncio.wait(self._running, timeout=self._stop_limit_s)
        for step, task in list(self._running.items()):
            if task.id not in self.submitter.in_flight:
                step.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
