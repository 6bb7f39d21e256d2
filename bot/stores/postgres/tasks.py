"""Tasks and attempts. Claims are exact with any number of processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.errors import StoreError
from bot.store.tasks import Attempt, TaskFilter, update_task
from bot.stores.postgres import claims, queue
from bot.stores.postgres.connection.database import Database, Subject, reads, transacts, writes
from bot.stores.postgres.connection.pool import Connection, affected
from bot.stores.postgres.saver import Saver
from bot.stores.postgres.writing import attempt_row, insert
from bot.stores.prompt_search import SEARCHED, has_words
from bot.stores.values import task_of
from bot.task import Task

# The only text put into these are the names of our own columns and our own words.
_FILTER = (
    "(cardinality($1::text[]) = 0 OR state = ANY($1)) AND ($2::bigint IS NULL OR user_id = $2)"
    " AND ($3::bigint IS NULL OR chat_id = $3) AND ($4::text IS NULL OR provider = $4)"
    " AND starts_with(id, $5) AND ($6::bigint[] IS NULL OR user_id = ANY($6))"
    " AND ($7::text IS NULL OR request::json->>'model' = $7) AND ($8::text IS NULL OR error_code = $8)"
    " AND ($9::boolean IS NULL OR (queued_at IS NOT NULL) = $9)"
    " AND ($10::timestamptz IS NULL OR queued_at >= $10)"
    " AND ($11::timestamptz IS NULL OR queued_at < $11)"
    " AND ($12::bigint[] IS NULL OR chat_id = ANY($12))"
)
_LAST = 2**63 - 1
"""No place is beyond the largest integer."""


class PostgresTasks(Subject):
    """A `bot.store.TaskStore`."""

    def __init__(self, db: Database, saver: Saver) -> None:
        super().__init__(db)
        self._saver = saver
        # One claim at a time in each process: two would only stand in each other's way.
        self._claiming = asyncio.Lock()

    @transacts
    async def add(self, connection: Connection, task: Task) -> Task:
        album = None if task.album_id is None else (task.card.chat_id, task.album_id)
        # Looked for first: a conflict would burn a number of `place`, and is rare.
        for _ in range(2):
            there = await _find(connection, update_id=task.update_id) or await _find(connection, album=album)
            if there is not None:
                return there
            if await insert(connection, task, self._db.me):
                return task
        raise StoreError("the database refused: a task of this id is already there")

    @reads
    async def get(self, connection: Connection, task_id: str) -> Task | None:
        return await _first(connection, "SELECT * FROM tasks WHERE id = $1", task_id)

    @reads
    async def find(
        self,
        connection: Connection,
        *,
        update_id: int | None = None,
        card: tuple[int, int] | None = None,
        album: tuple[int, str] | None = None,
    ) -> Task | None:
        return await _find(connection, update_id=update_id, card=card, album=album)

    @reads
    async def drafts(self, connection: Connection, chat_id: int, user_id: int | None = None) -> list[Task]:
        where, values = _narrowed(user_id, chat_id)
        sql = f"SELECT * FROM tasks WHERE question IS NOT NULL AND finished_at IS NULL {where}"  # noqa: S608 - see above
        return await _all(connection, f"{sql} ORDER BY created_at DESC, place DESC", *values)

    async def save(
        self,
        task: Task,
        attempt: Attempt | None = None,
        *,
        leased: bool = False,
        siblings: Sequence[Task] = (),
    ) -> Task:
        return await self._saver.save(task, attempt, leased=leased, siblings=siblings)

    async def update(
        self, task_id: str, move: Callable[[Task], Task], attempt: Attempt | None = None
    ) -> Task | None:
        return await update_task(self, task_id, move, attempt)

    @writes
    async def record(self, connection: Connection, attempt: Attempt) -> None:
        await connection.execute(
            "INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            *attempt_row(attempt),
        )

    @reads
    async def attempts(self, connection: Connection, task_id: str) -> list[Attempt]:
        rows = await connection.fetch(
            "SELECT task_id, provider, call, at, took_s, answer, detail FROM attempts"
            " WHERE task_id = $1 ORDER BY at, id",
            task_id,
        )
        return [Attempt(**dict(row)) for row in rows]

    async def claim(self, now: datetime, lease_s: float, limit: int, slots: Mapping[str, int]) -> list[Task]:
        async with self._claiming:
            tasks = await claims.claim(self._db, now, lease_s, limit, slots)
        self._saver.claimed(tasks)
        return tasks

    @reads
    async def next_due(self, connection: Connection, now: datetime) -> datetime | None:
        due_at: datetime | None = await connection.fetchval(claims.NEXT_DUE, now)
        return due_at

    async def release(self) -> int:
        # A caller that was cut short while it took a lease may get it yet.
        await self._db.connections.settle()
        return await self._release()

    @transacts
    async def _release(self, connection: Connection) -> int:
        """End the leases of this process, and those of processes that have left.

        Of the latter not those over a submit in flight (`processes.py` has the reason).
        """
        tasks = await connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL"
            " WHERE leased_by IS NOT NULL AND (leased_by = $1"
            " OR (slot_until IS NULL OR remote_id IS NOT NULL)"
            " AND leased_by NOT IN (SELECT id FROM processes))",
            self._db.me,
        )
        updates = await connection.execute(
            "UPDATE updates SET leased_until = NULL, leased_by = NULL,"
            " attempts = attempts + CASE WHEN leased_by = $1 THEN 0 ELSE 1 END,"
            " deaths = deaths + CASE WHEN leased_by = $1 THEN 0 ELSE 1 END,"
            " due_at = CASE WHEN leased_by = $1 THEN due_at END WHERE state = 'open'"
            " AND leased_by IS NOT NULL AND (leased_by = $1 OR leased_by NOT IN (SELECT id FROM processes))",
            self._db.me,
        )
        await connection.execute("DELETE FROM leases WHERE owner = $1", self._db.me)
        return affected(tasks) + affected(updates)

    @reads
    async def count_open(
        self, connection: Connection, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        where, values = _narrowed(user_id, chat_id)
        return await _count(connection, f"SELECT count(*) FROM tasks WHERE is_active {where}", *values)  # noqa: S608 - see above

    @reads
    async def count_since(
        self,
        connection: Connection,
        since: datetime,
        *,
        user_id: int | None = None,
        chat_id: int | None = None,
    ) -> int:
        where, values = _narrowed(user_id, chat_id, since)
        sql = f"SELECT count(*) FROM tasks WHERE counts_toward_quota AND queued_at >= $1 {where}"  # noqa: S608 - see above
        return await _count(connection, sql, *values)

    @reads
    async def count_ahead(self, connection: Connection, task: Task) -> int:
        if task.due_at is None:
            return 0
        row = await connection.fetchrow(
            "SELECT queue_tag, chat_queue_tag, place FROM tasks WHERE id = $1 AND waits_for_slot", task.id
        )
        # One that does not wait so far comes after all that do and have the same tag.
        place = tuple(row) if row else (*await queue.next_tag(connection, task), _LAST)
        return await _count(
            connection,
            "SELECT count(*) FROM tasks WHERE waits_for_slot AND provider = $1 AND due_before_lease IS NULL"
            " AND (queue_tag, chat_queue_tag, place) < ($2, $3, $4)",
            task.provider,
            *place,
        )

    @writes
    async def prioritise(self, connection: Connection, task_id: str) -> bool:
        done = await connection.execute(
            "UPDATE tasks SET chat_queue_tag = 0, queue_tag = (SELECT min(other.queue_tag) - 1"
            " FROM tasks AS other WHERE other.waits_for_slot AND other.provider = tasks.provider)"
            " WHERE id = $1 AND waits_for_slot",
            task_id,
        )
        return affected(done) > 0

    @reads
    async def has_waiting(self, connection: Connection, provider: str, now: datetime) -> bool:
        waiting: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM tasks WHERE waits_for_slot AND provider = $1 AND due_at <= $2)",
            provider,
            now,
        )
        return waiting

    @reads
    async def open_tasks(
        self, connection: Connection, *, user_id: int | None = None, chat_id: int | None = None
    ) -> list[Task]:
        where, values = _narrowed(user_id, chat_id)
        return await _all(
            connection,
            "SELECT tasks.* FROM tasks LEFT JOIN slots USING (provider)"  # noqa: S608 - see above
            f" WHERE is_active AND NOT detached {where}"
            # Tags of one provider mean nothing to another: what is compared is how many are before them.
            " ORDER BY waits_for_slot,"
            " CASE WHEN waits_for_slot THEN queue_tag - coalesce(reached, 0) ELSE 0 END,"
            " CASE WHEN waits_for_slot THEN chat_queue_tag ELSE 0 END, queued_at, place",
            *values,
        )

    @reads
    async def unclosed(self, connection: Connection, user_id: int) -> list[Task]:
        sql = "SELECT * FROM tasks WHERE user_id = $1 AND delivered_at IS NULL ORDER BY place"
        return await _all(connection, sql, user_id)

    @reads
    async def history(
        self, connection: Connection, chat_id: int, user_id: int, limit: int, offset: int = 0
    ) -> list[Task]:
        return await _all(
            connection,
            "SELECT * FROM tasks WHERE chat_id = $1 AND user_id = $2 AND state = 'succeeded'"
            " AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
            " ORDER BY finished_at DESC, place DESC LIMIT $3 OFFSET $4",
            chat_id,
            user_id,
            limit,
            offset,
        )

    @reads
    async def videos(
        self, connection: Connection, user_id: int, words: str, limit: int, offset: int = 0
    ) -> list[Task]:
        rows = await connection.fetch(
            "SELECT *, request::json->>'prompt' AS prompt FROM tasks WHERE user_id = $1"
            " AND state = 'succeeded' AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
            " AND file_id IS NOT NULL AND deleted_at IS NULL ORDER BY finished_at DESC, place DESC LIMIT $2",
            user_id,
            SEARCHED if words else min(offset + limit, SEARCHED),
        )
        fitting = [row for row in rows if has_words(row["prompt"], words)]
        return [task_of(row) for row in fitting[offset : offset + limit]]

    @transacts
    async def move_chat(self, connection: Connection, chat_id: int, new_id: int) -> int:
        # A process that holds a lease is refused from here on, so it ends; but a submit in flight (it has a
        # slot, and no id so far) goes on, and the end of its lease says that its answer is lost.
        await connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL"
            " WHERE chat_id = $1 AND due_before_lease IS NOT NULL"
            " AND (slot_until IS NULL OR remote_id IS NOT NULL)",
            chat_id,
        )
        moved = await connection.execute(
            "UPDATE tasks SET chat_id = $2, thread_id = NULL, message_id = NULL, card_id = NULL,"
            " card_has_photo = FALSE, version = version + 1 WHERE chat_id = $1",
            chat_id,
            new_id,
        )
        await connection.execute(
            "UPDATE films SET chat_id = $2, version = version + 1 WHERE chat_id = $1", chat_id, new_id
        )
        await connection.execute(
            "INSERT INTO chats (chat_id, moved_from) VALUES ($2, $1)"
            " ON CONFLICT (chat_id) DO UPDATE SET moved_from = excluded.moved_from",
            chat_id,
            new_id,
        )
        await connection.execute(
            "UPDATE chats SET told_at = before.told_at, settings = before.settings FROM chats AS before"
            " WHERE chats.chat_id = $2 AND before.chat_id = $1",
            chat_id,
            new_id,
        )
        await connection.execute("DELETE FROM chats WHERE chat_id = $1", chat_id)
        await connection.execute(
            "UPDATE audit_log SET target = $2 WHERE action = 'set' AND target = $1",
            str(chat_id),
            str(new_id),
        )
        return affected(moved)

    @reads
    async def list_tasks(
        self, connection: Connection, which: TaskFilter, limit: int, older_than: Task | None = None
    ) -> list[Task]:
        last = (None, None) if older_than is None else (older_than.created_at, older_than.id)
        return await _all(
            connection,
            f"SELECT * FROM tasks WHERE {_FILTER}"  # noqa: S608 - see above
            " AND ($13::timestamptz IS NULL OR (created_at, id) < ($13, $14::text))"
            " ORDER BY created_at DESC, id DESC LIMIT $15",
            *_filter_values(which),
            *last,
            limit,
        )

    @reads
    async def count_tasks(self, connection: Connection, which: TaskFilter) -> int:
        sql = f"SELECT count(*) FROM tasks WHERE {_FILTER}"  # noqa: S608 - see above
        return await _count(connection, sql, *_filter_values(which))


async def _find(
    connection: Connection,
    *,
    update_id: int | None = None,
    card: tuple[int, int] | None = None,
    album: tuple[int, str] | None = None,
) -> Task | None:
    if update_id is not None:
        return await _first(connection, "SELECT * FROM tasks WHERE update_id = $1", update_id)
    if card is not None:
        sql = "SELECT * FROM tasks WHERE chat_id = $1 AND card_id = $2 ORDER BY place DESC LIMIT 1"
        return await _first(connection, sql, *card)
    if album is not None:
        return await _first(connection, "SELECT * FROM tasks WHERE chat_id = $1 AND album_id = $2", *album)
    return None


async def _first(connection: Connection, sql: str, *values: object) -> Task | None:
    row = await connection.fetchrow(sql, *values)
    return None if row is None else task_of(row)


async def _all(connection: Connection, sql: str, *values: object) -> list[Task]:
    return [task_of(row) for row in await connection.fetch(sql, *values)]


async def _count(connection: Connection, sql: str, *values: object) -> int:
    number: int = await connection.fetchval(sql, *values)
    return number


def _narrowed(user_id: int | None, chat_id: int | None, *before: object) -> tuple[str, list[object]]:
    """Return further conditions, and all values; `before` are those of the conditions that come first."""
    where, values = "", list(before)
    for column, value in (("user_id", user_id), ("chat_id", chat_id)):
        if value is not None:
            values.append(value)
            where += f" AND {column} = ${len(values)}"
    return where, values


def _filter_values(which: TaskFilter) -> tuple[object, ...]:
    return (
        *(sorted(which.states), which.user_id, which.chat_id, which.provider, which.id_prefix),
        *(None if which.user_ids is None else sorted(which.user_ids), which.model, which.error_code),
        *(which.is_ordered, which.queued_since, which.queued_before),
        None if which.chat_ids is None else sorted(which.chat_ids),
    )
