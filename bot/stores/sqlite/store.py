"""The store as the bot sees it: every method hands one function of this folder to the writer thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bot.errors import SettingsError, StartError, StoreError
from bot.log import get_log
from bot.send_rates import Delay, Limits, Pace, Urgency
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
from bot.store.sharing import OneProcess
from bot.stores.sqlite import (
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
from bot.stores.sqlite.acts import Acts
from bot.stores.sqlite.buying import Buying
from bot.stores.sqlite.clock import follow_back
from bot.stores.sqlite.file import may_pass, open_file, visit_file
from bot.stores.sqlite.keeping import Keeping
from bot.stores.sqlite.reader import Reader
from bot.stores.sqlite.statistics import Figures
from bot.stores.sqlite.writer import Writer
from bot.task import Task


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SQLiteStore(Subjects, Acts, Buying, Figures, Keeping, OneProcess):
    """A `bot.store.Store` in one file. What the database refuses is a StoreError."""

    def __init__(self, path: Path, writer: Writer, reader: Reader, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._pace = Pace()
        self._asides = {}

    @classmethod
    async def open(cls, path: Path, clock: Callable[[], datetime] = _utc_now) -> Self:
        """Open the database at `path`, made with its folder where it is missing, and brought up to date.

        The process that opened it is its only owner, so the leases that an earlier one left end here.
        `clock` dates what arrives. SettingsError, one sentence, when the file cannot be used; StartError
        when that may pass by itself.
        """
        store = cls(path, Writer(await asyncio.to_thread(open_file, path)), Reader(path), clock)
        try:
            await store._writer.write(updates.cut_short)
            await store.release()
            if back := await store._writer.write(follow_back, clock()):
                get_log(__name__).warning(
                    "the clock has been set back since the bot last ran: what is due moves along",
                    by=str(back),
                )
        except BaseException as error:
            await store.close()
            if isinstance(error, StoreError):
                kind = StartError if may_pass(error.__cause__) else SettingsError
                raise kind(f"The database {path} cannot be used: {error}.") from error
            raise
        return store

    @classmethod
    async def visit(cls, path: Path, clock: Callable[[], datetime] = _utc_now) -> Self:
        """Open the database at `path` beside the bot that may be using it: its leases are its own, and so is
        the file. SettingsError, one sentence, when there is none or it cannot be used."""
        return cls(path, Writer(await asyncio.to_thread(visit_file, path)), Reader(path), clock)

    def now(self) -> datetime:
        return self._clock()

    @property
    def commits(self) -> int:
        """How many transactions were made durable: writes that wait together share one."""
        return self._writer.commits

    async def close(self) -> None:
        await self._reader.close()
        await self._writer.close()

    # Tasks.

    async def add(self, task: Task) -> Task:
        return await self._writer.write(tasks.add, task)

    async def get(self, task_id: str) -> Task | None:
        return await self._writer.read(tasks.get, task_id)

    async def find(
        self,
        *,
        update_id: int | None = None,
        card: tuple[int, int] | None = None,
        album: tuple[int, str] | None = None,
    ) -> Task | None:
        return await self._writer.read(tasks.find, update_id=update_id, card=card, album=album)

    async def drafts(self, chat_id: int, user_id: int | None = None) -> list[Task]:
        return await self._writer.read(tasks.drafts, chat_id, user_id)

    async def save(self, task: Task, attempt: Attempt | None = None, *, leased: bool = False) -> Task:
        return await self._writer.write(tasks.save, task, attempt, leased=leased)

    async def record(self, attempt: Attempt) -> None:
        await self._writer.write(tasks.record, attempt)

    async def attempts(self, task_id: str) -> list[Attempt]:
        return await self._writer.read(tasks.attempts, task_id)

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        return await self._writer.write(claims.claim, now, lease_s, limit, slots)

    async def next_due(self, now: datetime) -> datetime | None:
        return await self._writer.read(claims.next_due, now)

    async def release(self) -> int:
        released = await asyncio.gather(
            self._writer.write(claims.release), self._writer.write(updates.release)
        )
        return sum(released)

    async def count_open(self, *, user_id: int | None = None, chat_id: int | None = None) -> int:
        return await self._writer.read(tasks.count_open, user_id=user_id, chat_id=chat_id)

    async def count_since(
        self, since: datetime, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        return await self._writer.read(tasks.count_since, since, user_id=user_id, chat_id=chat_id)

    async def count_ahead(self, task: Task) -> int:
        return await self._writer.read(turns.count_ahead, task)

    async def put_first(self, task_id: str) -> bool:
        return await self._writer.write(turns.put_first, task_id)

    async def has_waiting(self, provider: str, now: datetime) -> bool:
        return await self._writer.read(claims.has_waiting, provider, now)

    async def open_tasks(self, *, user_id: int | None = None, chat_id: int | None = None) -> list[Task]:
        return await self._writer.read(tasks.open_tasks, user_id=user_id, chat_id=chat_id)

    async def unclosed(self, user_id: int) -> list[Task]:
        return await self._writer.read(tasks.unclosed, user_id)

    async def history(self, chat_id: int, user_id: int, limit: int, offset: int = 0) -> list[Task]:
        return await self._writer.read(tasks.history, chat_id, user_id, limit, offset)

    async def move_chat(self, chat_id: int, new_id: int) -> int:
        return await self._writer.write(tasks.move_chat, chat_id, new_id)

    # For operators.

    async def list_tasks(self, which: TaskFilter, limit: int, older_than: Task | None = None) -> list[Task]:
        return await self._reader.read(listing.list_tasks, which, limit, older_than)

    async def count_tasks(self, which: TaskFilter) -> int:
        return await self._reader.read(listing.count_tasks, which)

    # Updates.

    async def add_updates(self, added: Sequence[StoredUpdate]) -> None:
        await self._writer.write(updates.add, added, self._clock())

    async def claim_updates(self, now: datetime, lease_s: float, limit: int) -> list[StoredUpdate]:
        return await self._writer.write(updates.claim, now, lease_s, limit)

    async def finish_update(self, update_id: int) -> None:
        await self._writer.write(updates.finish, update_id)

    async def fail_update(self, update_id: int, retry_at: datetime | None) -> None:
        await self._writer.write(updates.fail, update_id, retry_at)

    async def count_updates(self) -> int:
        return await self._writer.read(updates.count)

    async def next_update_due(self, now: datetime) -> datetime | None:
        return await self._writer.read(updates.next_due, now)

    async def prune_updates(self, before: datetime) -> int:
        return await self._writer.write(updates.prune, before)

    # People and chats.

    async def person(self, user_id: int) -> Person:
        return await self._writer.read(people.person, user_id)

    async def put_person(self, person: Person) -> None:
        await self._writer.write(people.put_person, person)

    async def admins(self) -> list[int]:
        return await self._writer.read(people.admins)

    async def claim_admin(self, mark: str, user_id: int) -> bool:
        return await self._writer.write(people.claim_admin, mark, user_id)

    async def chat(self, chat_id: int) -> ChatRecord:
        return await self._writer.read(people.chat, chat_id)

    async def put_chat(self, chat: ChatRecord) -> None:
        await self._writer.write(people.put_chat, chat)

    async def forget(self, user_id: int) -> int:
        return await self._writer.write(people.forget, user_id)

    # What admins decide.

    async def add_change(self, change: Change) -> None:
        await self._writer.write(changes.add, change)

    async def in_force(self, *subjects: int) -> list[Change]:
        return await self._writer.read(changes.in_force, *subjects)

    async def changed_subjects(self, name: str) -> list[Change]:
        return await self._writer.read(changes.changed_subjects, name)

    async def changes(self, limit: int, subject: int | None = None) -> list[Change]:
        return await self._writer.read(changes.changes, limit, subject)

    # Recipes.

    async def add_recipe(self, recipe: Recipe) -> Recipe:
        return await self._writer.write(recipes.add, recipe)

    async def recipe(self, token: str) -> Recipe | None:
        return await self._writer.read(recipes.get, token)

    # Accounts in trouble, and who has to read of it.

    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        return await self._writer.write(accounts.mark_trouble, trouble)

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        return await self._writer.write(accounts.mark_well, provider)

    async def troubles(self) -> list[AccountTrouble]:
        return await self._writer.read(accounts.troubles)

    async def slot_limits(self) -> list[SlotLimit]:
        return await self._writer.read(slots.limits)

    async def change_limit(
        self, provider: str, now: datetime, change: Callable[[SlotLimit | None, int], SlotLimit | None]
    ) -> SlotLimit | None:
        return await self._writer.write(slots.change, provider, now, change)

    async def keep_notice(self, user_id: int, notice: Notice) -> None:
        await self._writer.write(accounts.keep_notice, user_id, notice, self._clock())

    async def take_notices(self, user_id: int) -> list[Notice]:
        return await self._writer.write(accounts.take_notices, user_id)

    # What lets operators in.

    async def add_pass(self, made: Pass, now: datetime) -> None:
        await self._writer.write(passes.add, made, now)

    async def find_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        return await self._writer.read(passes.find, kind, digest, now)

    async def take_pass(self, kind: PassKind, digest: str, now: datetime) -> Pass | None:
        return await self._writer.write(passes.take, kind, digest, now)

    # What was learned of durations, and signs of life.

    async def durations(self) -> dict[str, str]:
        return await self._writer.read(durations.read_all)

    async def learn(self, keys: Sequence[str], change: Callable[[str, str | None], str]) -> dict[str, str]:
        return await self._writer.write(durations.learn, keys, change)

    async def beat(self, now: datetime) -> datetime | None:
        return await self._writer.write(heartbeat.beat, now)

    # Sending rates: the process that owns the file is the only one that sends.

    async def take_turn(self, chat_id: int, urgency: Urgency, now: datetime, limits: Limits) -> Delay:
        return await self._pace.take_turn(chat_id, urgency, now, limits)

    async def pause_chat(self, chat_id: int, until: datetime) -> None:
        await self._pace.pause_chat(chat_id, until)
