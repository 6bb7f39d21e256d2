"""Tasks and the calls made for them, and the contract of a store that keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.task import Task, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to a provider, kept for Details, for the operator, and for a dispute with a bill."""

    task_id: str
    provider: str
    call: Literal["submit", "poll", "fetch"]
    at: datetime
    took_s: float
    answer: str
    """`ok`, or the error code."""
    detail: str = ""


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
        """The task made by an update, shown on a card (chat id, message id), or started by an album."""

    async def drafts(self, chat_id: int, user_id: int | None = None) -> list[Task]:
        """A person's tasks in this chat, or everybody's, whose `question` is open (not dismissed), newest
        first."""

    async def save(self, task: Task, attempt: Attempt | None = None, *, leased: bool = False) -> Task:
        """Write the row, with the record of the call that led to it in the same transaction.

        Compares `task.version`, raises it by one and ends the lease; with `leased` the writer keeps it, in
        the middle of a step. One that stays in `submitting` keeps the lease of whoever submits it, and its
        `due_at` is to be left alone. Returns the row as stored. StaleTask when the row has another version,
        or is gone.
        """

    async def record(self, attempt: Attempt) -> None: ...

    async def attempts(self, task_id: str) -> list[Attempt]:
        """Oldest first."""

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        """Up to `limit` tasks whose `due_at` has come, oldest first. Claiming moves `due_at` by `lease_s`.

        Those that wait for a slot come in the order of their turns, and oldest first beside the others. One
        is claimed only while fewer than `slots[provider]` of that provider's
        are taken: by tasks whose `slot_until` is in the future, and by waiting ones under a lease; and fewer
        than `bot.worker.concurrency.open_slots` where it has a `SlotLimit`. A provider that `slots` does
        not name has no limit.
        """

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next task becomes due; None when there is none.

        For one whose time has come and that waits for a slot, it is when one may come free by itself: when a
        `slot_until` or a `probe_at` passes. A slot that is freed says so.
        """

    async def release(self) -> int:
        """End the leases of this process (at a stop) or of an earlier one (at a start): of how many rows.

        Those on names end too, and those that it was about to get.
        """

    async def count_open(self, *, user_id: int | None = None, chat_id: int | None = None) -> int:
        """Tasks with `is_open`, of a person or in a chat."""

    async def count_since(
        self, since: datetime, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        """Tasks with `counts` queued at or after `since`."""

    async def count_ahead(self, task: Task) -> int:
        """Tasks of the same provider that wait for a slot and whose turn comes before this one's. One that is
        not stored is taken for the next that is."""

    async def put_first(self, task_id: str) -> bool:
        """Serve it before all others of its provider; whether it waits for a slot."""

    async def has_waiting(self, provider: str, now: datetime) -> bool:
        """Whether a task has nothing to wait for but a slot of this provider."""

    async def open_tasks(self, *, user_id: int | None = None, chat_id: int | None = None) -> list[Task]:
        """Those that `count_open` counts: first what waits for no slot, as it was queued, then whose turn
        comes first."""

    async def unclosed(self, user_id: int) -> list[Task]:
        """All of a person's tasks, in every chat, that are not closed: drafts and hidden ones too."""

    async def history(self, chat_id: int, user_id: int, limit: int, offset: int = 0) -> list[Task]:
        """This person's closed tasks in this chat whose video was made, shown or not; newest first.

        Not those that were forgotten.
        """

    async def move_chat(self, chat_id: int, new_id: int) -> int:
        """A group has another id now: its tasks, its settings and what was decided about it go there; how
        many tasks did.

        Messages of the old group cannot be edited from the new one, so the cards stay behind. Every version
        is raised, and leases end but for those over a submit in flight: a writer who holds a row reads it
        anew. The new group's record says where it came from. A second call changes nothing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are meant, of all that are stored. What is left as it is narrows nothing."""

    states: frozenset[TaskState] = frozenset()
    user_id: int | None = None
    chat_id: int | None = None
    provider: str | None = None
    id_prefix: str = ""
    """How their ids begin."""


class TaskListing(Protocol):
    """For operators: whatever is stored, closed or not, page by page."""

    async def list_tasks(self, which: TaskFilter, limit: int, older_than: Task | None = None) -> list[Task]:
        """Newest first, by `created_at` and then `id`. `older_than`: the last one of the page before."""

    async def count_tasks(self, which: TaskFilter) -> int: ...
