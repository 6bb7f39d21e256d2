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

from typing import Any, Protocol

from bot.send_rates import PaceStore
from bot.store.accounts import AccountStore, AccountTrouble, Notice, NoticeStore, SlotLimit, SlotStore
from bot.store.acts import ActStore
from bot.store.buying import BuyingStore
from bot.store.changes import ChangeStore
from bot.store.passes import PassStore
from bot.store.people import ChatRecord, ChatSettings, PeopleStore, Person, Recipe, RecipeStore, Role
from bot.store.sharing import LeaseStore
from bot.store.statistics import Statistics
from bot.store.tasks import Attempt, TaskFilter, TaskListing, TaskStore
from bot.store.updates import StoredUpdate, UpdateStore
from bot.store.upkeep import DurationStore, HeartbeatStore, KeepingStore, VisitStore

__all__ = [
    "AccountStore",
    "AccountTrouble",
    "Attempt",
    "ChatRecord",
    "ChatSettings",
    "DurationStore",
    "HeartbeatStore",
    "KeepingStore",
    "Notice",
    "NoticeStore",
    "PeopleStore",
    "Person",
    "Recipe",
    "RecipeStore",
    "Role",
    "SlotLimit",
    "SlotStore",
    "Store",
    "StoredUpdate",
    "TaskFilter",
    "TaskListing",
    "TaskStore",
    "UpdateStore",
    "VisitStore",
]


class AllTasks(TaskStore, TaskListing, Protocol):
    """Tasks, the calls made for them, and lists of them for operators."""


class AllPeople(PeopleStore, RecipeStore, NoticeStore, Protocol):
    """People, chats, the recipes they share and the notices that wait for them."""


class AllProviders(AccountStore, SlotStore, DurationStore, Protocol):
    """Accounts in trouble, limits in use and learned durations."""


class Audit(ActStore, ChangeStore, Protocol):
    """What operators did and decided."""


class Upkeep(KeepingStore, VisitStore, HeartbeatStore, Protocol):
    """Old rows, backups, flags, visits and signs of life."""


class Store(Protocol):
    """One object a subject."""

    @property
    def tasks(self) -> AllTasks: ...
    @property
    def updates(self) -> UpdateStore: ...
    @property
    def people(self) -> AllPeople: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def budget(self) -> BuyingStore: ...
    @property
    def providers(self) -> AllProviders: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def tokens(self) -> PassStore: ...
    @property
    def upkeep(self) -> Upkeep: ...
    @property
    def rates(self) -> PaceStore: ...
    @property
    def leases(self) -> LeaseStore: ...

    async def close(self) -> None:
        """Finish the writes that wait, then close."""


class Subjects:
    """Lets one object serve as the object of each subject."""

    @property
    def _self(self) -> Any:
        return self

    tasks = updates = people = audit = budget = providers = statistics = _self
    tokens = upkeep = rates = leases = _self
