"""Tasks and the calls made for them, and the contract of a store that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.errors import StaleTask
from bot.task import Task, TaskState

_UPDATE_TRIES = 100
"""A row is moved a few times in a second at most: never reached, but no loop without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to a provider, kept for Details, for the operator, and for a dispute with a bill."""

    task_id: str
    provider: str
    call: Literal["submit", "poll", "fetch", "cancel"]
    at: datetime
    took_s: float
    answer: str
    """`ok`, or the error code."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are meant, of all that are stored. A default narrows nothing."""

    states: frozenset[TaskState] = frozenset()
    user_id: int | None = None
    chat_id: int | None = None
    provider: str | None = None
    id_prefix: str = ""
    """How their ids begin."""
    user_ids: frozenset[int] | None = None
    """Of one of these people."""
    chat_ids: frozenset[int] | None = None
    """In one of these chats."""
    model: str | None = None
    error_code: str | None = None
    is_ordered: bool | None = None
    """True without drafts and what became of drafts; False those alone."""
    queued_since: datetime | None = None
    queued_before: datetime | None = None


class TaskStore(Protocol):
    async def add(self, task: Task) -> Task:
        """Store a new task and return it as stored.

        When a task of the same `update_id`, or of the same `album_id` in the same chat, is already there,
        that one is returned unchanged: handling an update twice makes one task.
        """

    async def get(self, task_id: str) -> Task | None: ...

    async def find(
        self,
        *,
        update_id: int | None = None,
        card: tuple[int, int] | None = None,
        album: tuple[int, str] | None = None,
    ) -> Task | None:
        """Return the task made by an update, shown on a card (chat id, message id), or started by an
        album."""

    async def drafts(self, chat_id: int, user_id: int | None = None) -> list[Task]:
        """Return a person's tasks in this chat, or everybody's, whose `question` is open (not dismissed),
        newest first."""

    async def save(
        self,
        task: Task,
        attempt: Attempt | None = None,
        *,
        leased: bool = False,
        siblings: Sequence[Task] = (),
    ) -> Task:
        """Write the row, with the record of the call that led to it, and the rows of `siblings`, which are
        new, in the same transaction.

        Compares `task.version`, raises it by one and ends the lease; with `leased` the writer keeps it, in
        the middle of a step. One that stays in `submitting` keeps the lease of the process that submits it,
        and its `due_at` is to be left alone. Returns the row as stored. StaleTask when the row has another
        version, or is gone.
        """

    async def update(
        self, task_id: str, move: Callable[[Task], Task], attempt: Attempt | None = None
    ) -> Task | None:
        """Read a task, save what `move` makes of it, as `save` does, and return it as stored; None if it is
        gone.

        If somebody else moved it in between, it is read again and `move` is called again, so `move` must be
        pure. What `move` raises leaves the row as it is. StaleTask if others are always quicker.
        """

    async def record(self, attempt: Attempt) -> None: ...

    async def attempts(self, task_id: str) -> list[Attempt]:
        """Return the calls made for a task, oldest first."""

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        """Lease and return up to `limit` tasks whose `due_at` has come, oldest first. Claiming moves `due_at`
        by `lease_s`.

        Those that wait for a slot come in the order of their queue tags, and oldest first beside the others.
        One is claimed only while fewer than `slots[provider]` of that provider's are taken: by tasks whose
        `slot_until` is in the future, and by waiting ones under a lease; and fewer than
        `bot.worker.concurrency.open_slots` if it has a `SlotLimit`. A provider that `slots` does not name
        has no limit.
        """

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next task becomes due; None if there is none.

        For one whose time has come and that waits for a slot, it is when one may come free by itself: when a
        `slot_until` or a `probe_at` passes. A slot that is freed says so.
        """

    async def release(self) -> int:
        """End the leases of this process (at a stop) or of an earlier one (at a start); return of how many
        rows.

        Those on names end too, and those that it was about to get.
        """

    async def count_open(self, *, user_id: int | None = None, chat_id: int | None = None) -> int:
        """Count tasks with `is_active`, of a person or in a chat."""

    async def count_since(
        self, since: datetime, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        """Count tasks with `counts_toward_quota` queued at or after `since`."""

    async def count_ahead(self, task: Task) -> int:
        """Count the tasks of the same provider that wait for a slot and are served before this one. One that
        is not stored is taken for the next that is."""

    async def prioritise(self, task_id: str) -> bool:
        """Serve it before all others of its provider; return False if it does not wait for a slot."""

    async def has_waiting(self, provider: str, now: datetime) -> bool:
        """Return True if a task has nothing to wait for but a slot of this provider."""

    async def open_tasks(self, *, user_id: int | None = None, chat_id: int | None = None) -> list[Task]:
        """Return those that `count_open` counts and that somebody waits for.

        First what waits for no slot, as it was queued, then in the order in which they are served.
        """

    async def unclosed(self, user_id: int) -> list[Task]:
        """Return all of a person's tasks, in every chat, that are not closed: drafts and detached ones
        too."""

    async def history(self, chat_id: int, user_id: int, limit: int, offset: int = 0) -> list[Task]:
        """Return this person's closed tasks in this chat whose video was made, shown or not; newest first.

        Not those that were forgotten.
        """

    async def videos(self, user_id: int, words: str, limit: int, offset: int = 0) -> list[Task]:
        """Return this person's videos of every chat that Telegram has, with each of the words in the prompt;
        newest first.

        Not those that were deleted or forgotten. Case and accents do not count, in any language. Only their
        newest few hundred are looked at.
        """

    async def move_chat(self, chat_id: int, new_id: int) -> int:
        """Move the tasks of a group that has another id now, its settings and what was decided about it;
        return how many tasks.

        Messages of the old group cannot be edited from the new one, so the cards stay behind. Every version
        is raised, and leases end but for those over a submit in flight: a writer who holds a row reads it
        again. The new group's record says where it came from. A second call changes nothing.
        """

    async def list_tasks(self, which: TaskFilter, limit: int, older_than: Task | None = None) -> list[Task]:
        """Return whatever is stored, closed or not, newest first by `created_at` and then `id`. `older_than`:
        the last one of the page before."""

    async def count_tasks(self, which: TaskFilter) -> int: ...


async def update_task(
    tasks: TaskStore, task_id: str, move: Callable[[Task], Task], attempt: Attempt | None
) -> Task | None:
    """Do what `TaskStore.update` says with any store."""
    for tries_left in reversed(range(_UPDATE_TRIES)):
        task = await tasks.get(task_id)
        if task is None:
            return None
        moved = move(task)
        try:
            return await tasks.save(moved, attempt)
        except StaleTask:
            if not tries_left:
                raise
    return None
