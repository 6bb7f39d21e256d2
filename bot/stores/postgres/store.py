"""The store as the bot sees it: every method hands one function of this folder a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Self

from bot.store import (
    AccountTrouble,
    Attempt,
    ChatRecord,
    Notice,
    Person,
    Recipe,
    SlotLimit,
    StoredUpdate,
    Subjects,
    TaskFilter,
)
from bot.store.changes import Change
from bot.store.passes import Pass, PassKind
from bot.stores.postgres import (
    accounts,
    changes,
    claims,
    durations,
    heartbeat,
    listing,
    passes,
    people,
    recipes,
    slots,
    tasks,
    turns,
    updates,
)
from bot.stores.postgres.acts import Acts
from bot.stores.postgres.buying import Buying
from bot.stores.postgres.connections import Connections
from bot.stores.postgres.ear import NotificationListener
from bot.stores.postgres.keeping import Keeping
from bot.stores.postgres.opening import PATIENCE_S, open_database
from bot.stores.postgres.pace import Paces
from bot.stores.postgres.presence import ProcessHeartbeat
from bot.stores.postgres.processes import lock_of, new_process
from bot.stores.postgres.saving import Saver
from bot.stores.postgres.sharing import ServerClock, Sharing
from bot.stores.postgres.statistics import Figures
from bot.task import Task

_LOOK_AROUND_S = 5.0


class PostgresStore(Subjects, Acts, Buying, Figures, Keeping, Paces, Sharing):
    """A `bot.store.Store` that any number of processes share. What the database refuses is a StoreError."""

    def __init__(self, url: str, connections: Connections, clock: Callable[[], datetime] | None) -> None:
        self._db = connections
        server_clock = ServerClock()
        self._clock = clock or server_clock
        self._me = new_process()
        self._ear = NotificationListener(url, lock_of(self._me))
        connections.on_standby = self._ear.reconnect
        self._saver = Saver(connections, self._me)
        self._presence = ProcessHeartbeat(connections, self._me, server_clock)
        # One claim at a time in each process: two would only stand in each other's way.
        self._claiming = asyncio.Lock()

    @classmethod
    async def open(
        cls, url: str, clock: Callable[[], datetime] | None = None, *, patience_s: float = PATIENCE_S
    ) -> Self:
        """Connect, and bring the schema up to date. The leases of processes that have left end here.

        `clock` dates what arrives, the server's where it is None. SettingsError or StartError, one sentence
        without the password, when the database cannot be used.
        """
        store = cls(url, await open_database(url, patience_s), clock)
        try:
            store._ear.begin()
            await store._presence.begin()
            await store.release()
        except BaseException:
            await store.close()
            raise
        return store

    async def visited(self) -> None:
        # Whoever changes something may be anybody: a look now and then, cheap enough to be in vain.
        await asyncio.sleep(_LOOK_AROUND_S)

    @property
    def commits(self) -> int:
        """How many transactions saved tasks: saves that wait together share one."""
        return self._saver.commits

    async def close(self) -> None:
        await self._ear.end()
        await self._saver.close()
        await self._presence.end()
        await self._db.close()

    # Tasks.

    async def add(self, task: Task) -> Task:
        return await self._db.transact(tasks.add, task, self._me)

    async def get(self, task_id: str) -> Task | None:
        return await self._db.read(tasks.get, task_id)

    async def find(
        self,
        *,
        update_id: int | None = None,
        card: tuple[int, int] | None = None,
        album: tuple[int, str] | None = None,
    ) -> Task | None:
        return await self._db.read(tasks.find, update_id=update_id, card=card, album=album)

    async def drafts(self, chat_id: int, user_id: int | None = None) -> list[Task]:
        return await self._db.read(tasks.drafts, chat_id, user_id)

    async def save(self, task: Task, attempt: Attempt | None = None, *, leased: bool = False) -> Task:
        return await self._saver.save(task, attempt, leased=leased)

    async def record(self, attempt: Attempt) -> None:
        await self._db.write(tasks.record, attempt)

    async def attempts(self, task_id: str) -> list[Attempt]:
        return await self._db.read(tasks.attempts, task_id)

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        async with self._claiming:
            due, waiting = await self._db.read(claims.whats_due, now)
            if not due and not waiting:
                return []
            if waiting:
                tasks = await self._db.transact(
                    claims.claim, now, lease_s, limit, slots, waiting=waiting, owner=self._me
                )
            else:
                tasks = await self._db.write(claims.claim_due, now, lease_s, limit, self._me)
        self._saver.claimed(tasks)
        return tasks

    async def next_due(self, now: datetime) -> datetime | None:
        return await self._db.read(claims.next_due, now)

    async def release(self) -> int:
        # Whoever was cut short while it took a lease may get it yet.
        await self._db.settle()
        return await self._db.transact(claims.release, self._me)

    async def count_open(self, *, user_id: int | None = None, chat_id: int | None = None) -> int:
        return await self._db.read(tasks.count_open, user_id=user_id, chat_id=chat_id)

    async def count_since(
        self, since: datetime, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        return await self._db.read(tasks.count_since, since, user_id=user_id, chat_id=chat_id)

    async def count_ahead(self, task: Task) -> int:
        return await self._db.read(turns.count_ahead, task)

    async def put_first(self, task_id: str) -> bool:
        return await self._db.write(turns.put_first, task_id)

    async def has_waiting(self, provider: str, now: datetime) -> bool:
        return await self._db.read(claims.has_waiting, provider, now)

    async def open_tasks(self, *, user_id: int | None = None, chat_id: int | None = None) -> list[Task]:
        return await self._db.read(tasks.open_tasks, user_id=user_id, chat_id=chat_id)

    async def unclosed(self, user_id: int) -> list[Task]:
        return await self._db.read(tasks.unclosed, user_id)

    async def history(self, chat_id: int, user_id: int, limit: int, offset: int = 0) -> list[Task]:
        return await self._db.read(tasks.history, chat_id, user_id, limit, offset)

    async def move_chat(self, chat_id: int, new_id: int) -> int:
        return await self._db.transact(tasks.move_chat, chat_id, new_id)

    # For operators.

    async def list_tasks(self, which: TaskFilter, limit: int, older_than: Task | None = None) -> list[Task]:
        return await self._db.read(listing.list_tasks, which, limit, older_than)

    async def count_tasks(self, which: TaskFilter) -> int:
        return await self._db.read(listing.count_tasks, which)

    # Updates.

    async def add_updates(self, added: Sequence[StoredUpdate]) -> None:
        await self._db.write(updates.add, added, self._clock())

    async def claim_updates(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        return await self._db.write(updates.claim, now, lease_s, limit, self._me)

    async def finish_update(self, update_id: int) -> None:
        await self._db.write(updates.finish, update_id)

    async def fail_update(self, update_id: int, retry_at: datetime | None) -> None:
        await self._db.write(updates.fail, update_id, retry_at, self._me)

    async def count_updates(self) -> int:
        return await self._db.read(updates.count)

    async def next_update_due(self, now: datetime) -> datetime | None:
        return await self._db.read(updates.next_due, now)

    async def prune_updates(self, before: datetime) -> int:
        return await self._db.write(updates.prune, before)

    # People and chats.

    async def person(self, user_id: int) -> Person:
        return await self._db.read(people.person, user_id)

    async def put_person(self, person: Person) -> None:
        await self._db.write(people.put_person, person)

    async def admins(self) -> list[int]:
        return await self._db.read(people.admins)

    async def claim_admin(self, mark: str, user_id: int) -> bool:
        return await self._db.transact(people.claim_admin, mark, user_id)

    async def chat(self, chat_id: int) -> ChatRecord:
        return await self._db.read(people.chat, chat_id)

    async def put_chat(self, chat: ChatRecord) -> None:
        await self._db.write(people.put_chat, chat)

    async def forget(self, user_id: int) -> int:
        return await self._db.transact(people.forget, user_id)

    # What admins decide.

    async def add_change(self, change: Change) -> None:
        await self._db.write(changes.add, change)

    async def in_force(self, *subjects: int) -> list[Change]:
        return await self._db.read(changes.in_force, *subjects)

    async def changed_subjects(self, name: str) -> list[Change]:
        return await self._db.read(changes.changed_subjects, name)

    async def changes(self, limit: int, subject: int | None = None) -> list[Change]:
        return await self._db.read(changes.changes, limit, subject)

    # Recipes.

    async def add_recipe(self, recipe: Recipe) -> Recipe:
        return await self._db.transact(recipes.add, recipe)

    async def recipe(self, token: str) -> Recipe | None:
        return await self._db.read(recipes.get, token)

    # Accounts in trouble, and who has to read of it.

    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        return await self._db.write(accounts.mark_trouble, trouble)

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        return await self._db.write(accounts.mark_well, provider)

    async def troubles(self) -> list[AccountTrouble]:
        return await self._db.read(accounts.troubles)

    async def slot_limits(self) -> list[SlotLimit]:
        return await self._db.read(slots.limits)

    async def change_limit(
        self, provider: str, now: datetime, change: Callable[[SlotLimit | None, int], SlotLimit | None]
    ) -> SlotLimit | None:
        return await self._db.transact(slots.change, provider, now, change)

    async def keep_notice(self, user_id: int, notice: Notice) -> None:
        await self._db.write(accounts.keep_notice, user_id, notice, self._clock())

    async def take_notices(self, user_id: int) -> list[Notice]:
        return await self._db.write(accounts.take_notices, user_id)

    # What lets operators in.

    async def add_pass(self, made: Pass, now: datetime) -> None:
        await self._db.transact(passes.add, made, now)

    async def find_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        return await self._db.read(passes.find, kind, digest, now)

    async def take_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        return await self._db.write(passes.take, kind, digest, now)

    # What was learned of durations, and signs of life.

    async def durations(self) -> dict[str, str]:
        return await self._db.read(durations.read_all)

    async def learn(self, keys: Sequence[str], change: Callable[[str, str | None], str]) -> dict[str, str]:
        return await self._db.transact(durations.learn, keys, change)

    async def beat(self, now: datetime) -> datetime | None:
        return await self._db.transact(heartbeat.beat, now)
