"""Live cards: the cards of tasks in progress show the time. Edits are merged, and outcomes come first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.bounded_dict import BoundedDict
from bot.errors import CallUnclear, ChatBusy, ChatError, StoreError
from bot.log import get_log
from bot.send_rates import Urgency
from bot.store.leases import SINGLE_PROCESS, LeaseStore, lease
from bot.task import Task, TaskState
from bot.worker.schedule import clock_of

_TICK_S = 1.0
_LEASE_S = 60.0
_EDIT_LIMIT_S = 45.0
"""An edit that waits for its turn for longer is old by then."""
_EDITS = 8
"""Edits at once: a slow chat must not hold up the others."""
_RETRY_S = 3.0
"""After an edit that somebody waits for and that perhaps did not arrive."""
_LEFT_REMEMBERED = 1000


@dataclass(slots=True)
class _Live:
    task: Task
    changed: bool = True
    edited_at: datetime | None = None
    edit_refused: bool = False
    """Telegram refused an edit: more edits would only provoke its flood control."""
    is_awaited: bool = False
    """Somebody pressed a button and waits to see it: it is drawn before cards that only show the time."""
    not_before: datetime | None = None
    """When an awaited edit is tried again."""


class LiveCardUpdater:
    """`edit` draws a task onto its card: one call at a time for each, with the newest state. `pace_s` is how
    long a card stands while nothing but time has changed.

    What a person asked for is `FIRST`, however many others count in the same chat; all else is `LOW`.

    Nothing here is kept: after a restart the worker's next look brings a card back to life.
    """

    def __init__(
        self,
        edit: Callable[[Task, Urgency], Awaitable[None]],
        pace_s: Callable[[Task], float],
        clock: Callable[[], datetime],
        tick_s: float = _TICK_S,
        leases: LeaseStore = SINGLE_PROCESS,
    ) -> None:
        self._leases = leases
        self._edit = edit
        self._pace_s = pace_s
        self._clock = clock
        self._tick_s = tick_s
        self._log = get_log(__name__)
        self._live: dict[str, _Live] = {}
        self._edits: dict[str, asyncio.Task[None]] = {}
        self._paused: dict[int, datetime] = {}
        self._left: BoundedDict[str, bool] = BoundedDict(_LEFT_REMEMBERED)
        """Cards of detached tasks, as they were drawn last."""
        self._work = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of live cards."""
        return len(self._live)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._live

    def tasks(self) -> list[Task]:
        """Return the tasks with a live card."""
        return [live.task for live in self._live.values()]

    def show(self, task: Task, *, pressed: bool = False) -> None:
        """Draw the task's card soon; the newest state wins. `pressed`: somebody waits to see it. The card of
        a task that nobody waits for any more is drawn once more."""
        if task.detached and task.id in self._left:
            return
        live = self._live.get(task.id)
        if live is None:
            live = self._live[task.id] = _Live(task)
        elif task.version >= live.task.version:
            live.changed = live.changed or _is_news(live.task, task)
            live.task = task
            if live.edit_refused and task.detached:
                del self._live[task.id]
        if not task.detached:
            self._left.pop(task.id, None)
        live.is_awaited = live.is_awaited or pressed or task.detached
        self._work.set()

    def posted(self, task: Task) -> None:
        """Keep a card live that has just been sent and is up to date."""
        self._live[task.id] = _Live(task, changed=False, edited_at=self._clock())
        self._work.set()

    def renew(self) -> None:
        """Draw the cards of all waiting tasks again: what they say has changed, although the tasks have
        not."""
        for live in self._live.values():
            live.changed = live.changed or live.task.state is TaskState.QUEUED
        self._work.set()

    def forget(self, task_id: str) -> None:
        """Stop counting on a card that is not there any more, or never was."""
        self._live.pop(task_id, None)

    async def stop_and_wait(self, task_id: str) -> None:
        """Stop counting; returns when no edit of this card is under way. An outcome comes next.

        StoreError.
        """
        self._live.pop(task_id, None)
        if edit := self._edits.get(task_id):
            await asyncio.wait({edit})
        async with self._alone(task_id):
            pass  # nor by another process

    def pause(self, chat_id: int, retry_after_s: float) -> None:
        """Send nothing to this chat for a while, because Telegram asked for silence; other chats go on."""
        self._paused[chat_id] = self._clock() + timedelta(seconds=retry_after_s)

    def is_paused(self, chat_id: int) -> bool:
        return chat_id in self._paused and self._paused[chat_id] > self._clock()

    async def run(self) -> None:
        """Draw what is due, until cancelled."""
        async with asyncio.TaskGroup() as edits:
            while True:
                self._work.clear()
                for live in self._due():
                    task_id = live.task.id
                    self._edits[task_id] = edit = edits.create_task(self._draw(live))
                    edit.add_done_callback(partial(self._drawn, task_id))
                try:
                    async with asyncio.timeout(self._tick_s if self._live else None):
                        await self._work.wait()
                except TimeoutError:
                    pass

    def _due(self) -> list[_Live]:
        """Return those that somebody waits for, and of the others as many as there is room for: those first
        that have stood longest."""
        now = self._clock()
        self._paused = {chat_id: until for chat_id, until in self._paused.items() if until > now}
        due = [live for task_id, live in self._live.items() if task_id not in self._edits]
        due = [live for live in due if self._is_due(live, now)]
        due.sort(key=lambda live: live.edited_at.timestamp() if live.edited_at else 0.0)
        awaited = [live for live in due if live.is_awaited]
        room = max(_EDITS - len(self._edits) - len(awaited), 0)
        return awaited + [live for live in due if not live.is_awaited][:room]

    def _is_due(self, live: _Live, now: datetime) -> bool:
        if live.is_awaited:
            return not live.edit_refused and (live.not_before is None or live.not_before <= now)
        if live.edit_refused or live.task.card.chat_id in self._paused:
            return False
        if live.edited_at is None:
            return True
        shown_for_s = (now - live.edited_at).total_seconds()
        return shown_for_s >= (_TICK_S if live.changed else self._pace_s(live.task))

    async def _draw(self, live: _Live) -> None:
        task = live.task
        if self._live.get(task.id) is not live:
            return
        before, live.changed, live.edited_at = live.edited_at, False, self._clock()
        awaited, live.is_awaited = live.is_awaited, False
        try:
            async with asyncio.timeout(_EDIT_LIMIT_S), self._alone(task.id):
                # What was pressed here is shown here, whichever process goes on with the task.
                if awaited or await self._leases.is_ours(task.id):
                    await self._edit(task, Urgency.FIRST if awaited else Urgency.LOW)
                elif self._live.get(task.id) is live:
                    del self._live[task.id]  # the card is live in the process that moved the task last
        except ChatBusy as busy:
            self.pause(task.card.chat_id, busy.retry_after_s)
            # It was not edited, so it keeps its place among the others.
            live.changed, live.edited_at = True, before
            self._await_again(live, busy.retry_after_s, awaited=awaited)
            return
        except (CallUnclear, StoreError, TimeoutError):
            if awaited:
                self._await_again(live, _RETRY_S, awaited=awaited)
                return
        except ChatError as error:
            # The outcome finds out for itself what is wrong with this chat.
            self._log.debug("a card could not be updated", task=task.id, reason=str(error))
            live.edit_refused = True
        except Exception:  # noqa: BLE001 - no card may end the others
            self._log.exception("a card could not be updated", task=task.id)
            live.edit_refused = True
        if task.detached and live.task is task and self._live.get(task.id) is live:
            del self._live[task.id]
            self._left[task.id] = True

    def _await_again(self, live: _Live, wait_s: float, *, awaited: bool) -> None:
        if awaited:
            live.is_awaited = True
            live.not_before = self._clock() + timedelta(seconds=wait_s)

    def _alone(self, task_id: str) -> AbstractAsyncContextManager[None]:
        """Lease the card: no other process draws it or delivers to it meanwhile."""
        return lease(self._leases, f"card of {task_id}", _LEASE_S)

    def _drawn(self, task_id: str, _edit: asyncio.Task[None]) -> None:
        del self._edits[task_id]
        self._work.set()


def _is_news(before: Task, after: Task) -> bool:
    def facts(task: Task) -> tuple[TaskState, bool, bool, str]:
        return task.state, task.detached, task.late_at is not None, clock_of(task)[0]

    return facts(before) != facts(after)
