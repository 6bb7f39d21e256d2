"""The contract: what a store must do. One small protocol per subject; one class may serve them all.

Leases: claiming a row raises its version and moves its `due_at` to the end of the lease, so that a row whose
owner died becomes due again by itself. Every later write names the version it was read with and is refused
(`StaleTask`) when another claim came between. Stores know no states: what they must know of a task they ask
`waits_for_slot`, `slot_until`, `is_open` and `counts`.

Turns: a task gets one in the transaction in which it begins to wait for a slot of its provider: one more than
the highest that was served there so far, and than the person's last one that waits there. So persons are
served in turn, whoever asks how often; of those with the same turn the chats are; then the oldest is first.
A task that is put off or back keeps its turn, one that goes to another provider gets one there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from bot.acts import ActStore
from bot.buying import BuyingStore
from bot.changes import ChangeStore
from bot.errors import Trouble
from bot.pace import PaceStore
from bot.passes import PassStore
from bot.request import VideoRequest
from bot.sharing import SharingStore
from bot.statistics import Statistics
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
        the middle of a step. Returns the row as stored. StaleTask when the row has another version, or is
        gone.
        """

    async def record(self, attempt: Attempt) -> None: ...

    async def attempts(self, task_id: str) -> list[Attempt]:
        """Oldest first."""

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        """Up to `limit` tasks whose `due_at` has come, oldest first. Claiming moves `due_at` by `lease_s`.

        Those that wait for a slot come in the order of their turns, and oldest first beside the others. One
        is claimed only while fewer than `slots[provider]` of that provider's
        are taken: by tasks whose `slot_until` is in the future, and by waiting ones under a lease; and fewer
        than `bot.slots.open_slots` where it has a `SlotLimit`. A provider that `slots` does not name has no
        limit.
        """

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next task becomes due; None when there is none.

        For one whose time has come and that waits for a slot, it is when one may come free by itself: when a
        `slot_until` or a `probe_at` passes. A slot that is freed says so.
        """

    async def release(self) -> int:
        """End the leases this process holds (at a stop) or an earlier one left (at a start); how many."""

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


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One update as Telegram sent it."""

    update_id: int
    chat_id: int
    """The chat it belongs to, or the person where there is none: updates of one chat are handled in order."""
    body: str
    """JSON."""
    attempts: int = 0


class UpdateStore(Protocol):
    async def add_updates(self, updates: Sequence[StoredUpdate]) -> None:
        """Store them durably; those already there are left alone."""

    async def claim_updates(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        """The oldest open update of each chat, where it is due and under no lease."""

    async def finish_update(self, update_id: int) -> None:
        """Handled: its body is forgotten, its id is kept against a second delivery."""

    async def fail_update(self, update_id: int, retry_at: datetime | None) -> None:
        """Handling went wrong: one attempt more, due at `retry_at`; None parks it, and the chat goes on."""

    async def count_updates(self) -> int:
        """Those that are open: not handled, and not parked."""

    async def next_update_due(self, now: datetime) -> datetime | None: ...

    async def prune_updates(self, before: datetime) -> int:
        """Forget handled updates received before; how many. Telegram repeats none older than a day."""


Role = Literal["admin"]


@dataclass(frozen=True, slots=True)
class Person:
    """What is remembered of a Telegram user beyond their tasks."""

    user_id: int
    role: Role | None = None
    language: str | None = None
    told_at: datetime | None = None
    """When a stranger got the one answer with their id."""
    companies: frozenset[str] = frozenset()
    """Who they were told receives their photos (`VideoModel.company`)."""
    crop_preview: bool = True
    """Whether to be asked before much of a photo is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What a chat's admins, or a person for their private chat, have chosen; None is the bot's default."""

    model: str | None = None
    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    audio: bool | None = None
    language: str | None = None
    notify: bool = True
    """Whether an outcome that took a while is followed by a message that rings."""
    quiet: bool = False
    """Cards of one line, and reactions in place of words."""


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """What is remembered of a chat; a private one has its person's id."""

    chat_id: int
    told_at: datetime | None = None
    """When an unknown group got the one line with its id."""
    settings: ChatSettings = ChatSettings()
    moved_from: int | None = None
    """The id it had before it became a supergroup."""


class PeopleStore(Protocol):
    async def person(self, user_id: int) -> Person:
        """Never None: an unknown person is one without a role."""

    async def put_person(self, person: Person) -> None: ...

    async def admins(self) -> list[int]:
        """Ids of those with the role admin in the store; the settings may name more."""

    async def chat(self, chat_id: int) -> ChatRecord: ...

    async def put_chat(self, chat: ChatRecord) -> None: ...

    async def forget(self, user_id: int) -> int:
        """Delete what is known of a person; of how many closed tasks.

        Those lose words, photos, file ids and links, and stay as figures: limits and bills count them. So do
        a role, and what admins decided. Recipes, notices and the settings of the private chat go. Open tasks
        are left alone.
        """


@dataclass(frozen=True, slots=True)
class Recipe:
    """A request that somebody shared: whoever has the token may open it as a draft of their own."""

    token: str
    task_id: str
    user_id: int
    request: VideoRequest
    """With the photos only where their owner added them."""
    created_at: datetime


class RecipeStore(Protocol):
    async def add_recipe(self, recipe: Recipe) -> Recipe:
        """Store it; the one of the same task and request that is already there is returned instead."""

    async def recipe(self, token: str) -> Recipe | None: ...


@dataclass(frozen=True, slots=True)
class AccountTrouble:
    """An account at a provider that refuses to work until its operator does something."""

    provider: str
    trouble: Trouble
    since: datetime


class AccountStore(Protocol):
    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        """Note it; True when the account was well until then. One already noted keeps its `since`."""

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        """It works; returns the trouble that is over by that, if there was one."""

    async def troubles(self) -> list[AccountTrouble]:
        """Those that are not over, oldest first."""


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """How many jobs an account takes at once, as its provider made known by refusing one more."""

    provider: str
    jobs: int
    """So many ran then; none where others use the account."""
    refusals: int
    """In a row, with nothing accepted in between that was one more."""
    refused_at: datetime
    probe_at: datetime
    """From then on one more is tried."""


class SlotStore(Protocol):
    async def slot_limits(self) -> list[SlotLimit]: ...

    async def change_limit(
        self, provider: str, now: datetime, change: Callable[[SlotLimit | None, int], SlotLimit | None]
    ) -> SlotLimit | None:
        """Write what `change` makes of the limit in use and of how many slots are taken (as in `claim`); None
        is no limit. One transaction; `change` may be called again and anywhere, so it must be pure."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an admin has to read: a phrase and the values for its placeholders."""

    key: str
    values: Mapping[str, str]


class NoticeStore(Protocol):
    async def keep_notice(self, user_id: int, notice: Notice) -> None:
        """For somebody who cannot be written to yet."""

    async def take_notices(self, user_id: int) -> list[Notice]:
        """What was kept for them, oldest first; it is kept no longer."""


class DurationStore(Protocol):
    """What was learned of how long jobs take: texts by key, which stores do not read."""

    async def durations(self) -> dict[str, str]:
        """Every row."""

    async def learn(self, keys: Sequence[str], change: Callable[[str, str | None], str]) -> dict[str, str]:
        """Write `change(key, text)` for each key, `text` being what is stored, None where nothing is; what
        was written. One transaction: what another process has learned meanwhile is not lost.

        `change` may be called again and anywhere, so it must be pure.
        """


class KeepingStore(Protocol):
    """What is done at night: old rows forgotten, a copy made, and what was told not told twice."""

    async def prune_tasks(self, before: datetime, limit: int) -> list[str]:
        """Forget tasks that were closed before, with the calls made for them; the ids of up to `limit`.

        The oldest go first. Those that may still occupy a slot, and all that is not closed, are left alone.
        """

    async def prune_rest(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` each of parked updates, recipes, notices and marks from before; how many."""

    async def back_up(self, target: Path) -> bool:
        """Write all that is stored into a new file at `target`, checked and durable before it has that name.

        Others read and write meanwhile. False, and no file, where the database has tools of its own for this.
        """

    async def mark(self, key: str, now: datetime) -> bool:
        """Set a mark; True for the one caller who did, False where it stands already."""

    async def unmark(self, key: str) -> datetime | None:
        """Take it away; for the one caller who did, since when it stood."""

    async def broken(self) -> str:
        """Waits until the database can surely not be used any more; why, as the second half of a sentence."""


class VisitStore(Protocol):
    async def visited(self) -> None:
        """Waits until another program may have changed something: since the store was opened, or since this
        returned last. One caller at a time."""


class HeartbeatStore(Protocol):
    async def beat(self, now: datetime) -> datetime | None:
        """Note that the bot is alive; when that was noted before."""


class Store(
    TaskStore,
    TaskListing,
    UpdateStore,
    PeopleStore,
    ChangeStore,
    RecipeStore,
    AccountStore,
    SlotStore,
    NoticeStore,
    DurationStore,
    KeepingStore,
    VisitStore,
    HeartbeatStore,
    Statistics,
    PassStore,
    ActStore,
    BuyingStore,
    PaceStore,
    SharingStore,
    Protocol,
):
    async def close(self) -> None:
        """Finish the writes that wait, then close."""
