"""The contract: what a store must do. One protocol a subject.

Leases: claiming a row raises its version and moves its `due_at` to the end of the lease, so that a row whose
owner died becomes due again by itself. Every later write names the version it was read with and is refused
(`StaleTask`) if another claim came between. Stores know no states: what they must know of a task they ask
`waits_for_slot`, `slot_until`, `is_active` and `counts_toward_quota`.

Queue tags (start-time fair queueing): a task gets one in the transaction in which it begins to wait for a
slot of its provider: one more than the highest that was served there so far, and than that of the person's
last task that waits there. So persons are served in turn, however often they ask; of those with the same tag
the chats are; then the oldest is first. A task that is put off or back keeps its tag, one that goes to
another provider gets one there.
"""

from __future__ import annotations

from typing import Protocol

from bot.send_rates import RateStore
from bot.store.audit import AuditEntry, AuditStore
from bot.store.budget import BudgetStore, Pause
from bot.store.films import FilmStore
from bot.store.leases import LeaseStore
from bot.store.maintenance import MaintenanceStore
from bot.store.people import ChatRecord, ChatSettings, Notice, PeopleStore, Person, Recipe, Role
from bot.store.providers import AccountTrouble, ProviderStore, SlotLimit
from bot.store.statistics import StatisticsStore
from bot.store.tasks import Attempt, TaskFilter, TaskStore
from bot.store.tokens import TokenStore
from bot.store.updates import StoredUpdate, UpdateStore

__all__ = [
    "AccountTrouble",
    "Attempt",
    "AuditEntry",
    "AuditStore",
    "BudgetStore",
    "ChatRecord",
    "ChatSettings",
    "FilmStore",
    "MaintenanceStore",
    "Notice",
    "Pause",
    "PeopleStore",
    "Person",
    "ProviderStore",
    "Recipe",
    "Role",
    "SlotLimit",
    "Store",
    "StoredUpdate",
    "TaskFilter",
    "TaskStore",
    "UpdateStore",
]


class Store(Protocol):
    """One object a subject."""

    @property
    def tasks(self) -> TaskStore: ...
    @property
    def films(self) -> FilmStore: ...
    @property
    def updates(self) -> UpdateStore: ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def budget(self) -> BudgetStore: ...
    @property
    def providers(self) -> ProviderStore: ...
    @property
    def statistics(self) -> StatisticsStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def maintenance(self) -> MaintenanceStore: ...
    @property
    def rates(self) -> RateStore: ...
    @property
    def leases(self) -> LeaseStore: ...

    async def close(self) -> None:
        """Finish the writes that wait, then close."""
