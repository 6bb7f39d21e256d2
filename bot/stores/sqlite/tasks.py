"""Tasks and attempts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from bot.store.tasks import Attempt, TaskFilter, update_task
from bot.stores.prompt_search import SEARCHED, has_words
from bot.stores.sqlite import queue, saving
from bot.stores.sqlite.connection.database import Subject, reads, reads_apart, writes
from bot.stores.sqlite.rows import task_of, to_text, to_time
from bot.task import Task
from bot.worker.concurrency import open_slots

_DUE = (
    "SELECT due_at, rowid, NULL, NULL FROM tasks WHERE waits_for_slot = 0 AND due_at <= :now"
    " ORDER BY due_at, rowid LIMIT :limit"
)
_DUE_FOR_SLOT = (
    "SELECT due_at, rowid, provider, queue_tag FROM tasks"
    " WHERE waits_for_slot = 1 AND provider = :provider AND due_at <= :now"
    " ORDER BY queue_tag, chat_queue_tag, rowid LIMIT :limit"
)
VIDEOS = (
    "SELECT *, json_extract(request, '$.prompt') AS prompt FROM tasks WHERE user_id = ?"
    " AND state = 'succeeded' AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
    " AND file_id IS NOT NULL AND deleted_at IS NULL ORDER BY finished_at DESC, rowid DESC LIMIT ?"
)
_LAST = 2**63 - 1
"""No row is beyond the largest integer."""


class SQLiteTasks(Subject):
    """A `bot.store.TaskStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, task: Task) -> Task:
        album = None if task.album_id is None else (task.card.chat_id, task.album_id)
        there = _find(connection, update_id=task.update_id) or _find(connection, album=album)
        if there is not None:
            return there
        saving.insert(connection, task)
        return task

    @reads
    def get(self, connection: sqlite3.Connection, task_id: str) -> Task | None:
        return _first(connection, "SELECT * FROM tasks WHERE id = ?", task_id)

    @reads
    def find(
        self,
        connection: sqlite3.Connection,
        *,
        update_id: int | None = None,
        card: tuple[int, int] | None = None,
        album: tuple[int, str] | None = None,
    ) -> Task | None:
        return _find(connection, update_id=update_id, card=card, album=album)

    @reads
    def drafts(self, connection: sqlite3.Connection, chat_id: int, user_id: int | None = None) -> list[Task]:
        where, values = _narrowed(user_id, chat_id)
        return _all(
            connection,
            f"SELECT * FROM tasks WHERE question IS NOT NULL AND finished_at IS NULL {where}"  # noqa: S608 - our own words
            " ORDER BY created_at DESC, rowid DESC",
            values,
        )

    @writes
    def save(
        self,
        connection: sqlite3.Connection,
        task: Task,
        attempt: Attempt | None = None,
        *,
        leased: bool = False,
        siblings: Sequence[Task] = (),
    ) -> Task:
        saved = saving.save(connection, task, attempt, leased=leased)
        for sibling in siblings:
            saving.insert(connection, sibling)
        return saved

    async def update(
        self, task_id: str, move: Callable[[Task], Task], attempt: Attempt | None = None
    ) -> Task | None:
        return await update_task(self, task_id, move, attempt)

    @writes
    def record(self, connection: sqlite3.Connection, attempt: Attempt) -> None:
        saving.insert_attempt(connection, attempt)

    @reads
    def attempts(self, connection: sqlite3.Connection, task_id: str) -> list[Attempt]:
        rows = connection.execute(
            "SELECT task_id, provider, call, at, took_s, answer, detail FROM attempts"
            " WHERE task_id = ? ORDER BY at, id",
            [task_id],
        )
        return [Attempt(**dict(row) | {"at": to_time(row["at"])}) for row in rows]

    @writes
    def claim(
        self,
        connection: sqlite3.Connection,
        now: datetime,
        lease_s: float,
        limit: int,
        slots: Mapping[str, int],
    ) -> list[Task]:
        values: dict[str, Any] = {"now": to_text(now), "limit": limit}
        queues = [connection.execute(_DUE, values).fetchall()]
        for provider in queue.providers_with_waiting(connection):
            room = limit
            if provider in slots:
                allowed = open_slots(queue.limit_of(connection, provider), slots[provider], now)
                room = min(allowed - queue.taken_slots(connection, provider, now), limit)
            if room > 0:
                due = connection.execute(_DUE_FOR_SLOT, values | {"limit": room, "provider": provider})
                queues.append(due.fetchall())
        # Between the queues the older is first; within one nobody loses their place by that.
        due_first = [tuple(row) for row in islice(merge(*queues, key=itemgetter(0)), limit)]
        if not due_first:
            return []
        for provider, queue_tag in {
            (provider, tag) for _, _, provider, tag in due_first if provider is not None
        }:
            queue.reach(connection, provider, queue_tag)
        chosen = [rowid for _, rowid, *_ in due_first]
        rows = connection.execute(
            "UPDATE tasks SET version = version + 1, due_at = ?,"
            " due_before_lease = coalesce(due_before_lease, due_at)"
            " WHERE rowid IN (SELECT value FROM json_each(?)) RETURNING rowid AS place, *",
            [to_text(now + timedelta(seconds=lease_s)), json.dumps(chosen)],
        )
        claimed = {row["place"]: task_of(row) for row in rows.fetchall()}
        return [claimed[rowid] for rowid in chosen]

    @reads
    def next_due(self, connection: sqlite3.Connection, now: datetime) -> datetime | None:
        # A task that is due and still there waits for a slot; one put off, or under a lease, for its time.
        row = connection.execute(
            "SELECT min(due_at) FROM ("
            " SELECT min(due_at) AS due_at FROM tasks WHERE waits_for_slot = 0 AND due_at IS NOT NULL"
            " UNION ALL SELECT min(due_at) FROM tasks WHERE waits_for_slot = 1 AND due_at > ?)",
            [to_text(now)],
        ).fetchone()
        waiting = queue.providers_with_waiting(connection)
        free = [at for provider in waiting for at in queue.next_free_slot(connection, provider, now)]
        return to_time(min(filter(None, [row[0], *free]), default=None))

    @writes
    def release(self, connection: sqlite3.Connection) -> int:
        tasks = connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL"
            " WHERE due_before_lease IS NOT NULL"
        ).rowcount
        updates = connection.execute(
            "UPDATE updates SET leased_until = NULL WHERE state = 'open' AND leased_until IS NOT NULL"
        ).rowcount
        return tasks + updates

    @reads
    def count_open(
        self, connection: sqlite3.Connection, *, user_id: int | None = None, chat_id: int | None = None
    ) -> int:
        where, values = _narrowed(user_id, chat_id)
        return _count(connection, f"SELECT count(*) FROM tasks WHERE is_active = 1 {where}", values)  # noqa: S608 - our own words

    @reads
    def count_since(
        self,
        connection: sqlite3.Connection,
        since: datetime,
        *,
        user_id: int | None = None,
        chat_id: int | None = None,
    ) -> int:
        where, values = _narrowed(user_id, chat_id)
        sql = f"SELECT count(*) FROM tasks WHERE counts_toward_quota = 1 AND queued_at >= :since {where}"  # noqa: S608 - our own words
        return _count(connection, sql, values | {"since": to_text(since)})

    @reads
    def count_ahead(self, connection: sqlite3.Connection, task: Task) -> int:
        if task.due_at is None:
            return 0
        place = connection.execute(
            "SELECT queue_tag, chat_queue_tag, rowid AS place FROM tasks WHERE id = ? AND waits_for_slot = 1",
            [task.id],
        ).fetchone()
        # One that does not wait so far comes after all that do and have the same tag.
        values = dict(place) if place else queue.next_tag(connection, task) | {"place": _LAST}
        return _count(
            connection,
            "SELECT count(*) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
            " AND due_before_lease IS NULL AND (queue_tag, chat_queue_tag, rowid)"
            " < (:queue_tag, :chat_queue_tag, :place)",
            values | {"provider": task.provider},
        )

    @writes
    def prioritise(self, connection: sqlite3.Connection, task_id: str) -> bool:
        done = connection.execute(
            "UPDATE tasks SET chat_queue_tag = 0, queue_tag = (SELECT min(other.queue_tag) - 1"
            " FROM tasks AS other WHERE other.waits_for_slot = 1 AND other.provider = tasks.provider)"
            " WHERE id = ? AND waits_for_slot = 1",
            [task_id],
        )
        return done.rowcount > 0

    @reads
    def has_waiting(self, connection: sqlite3.Connection, provider: str, now: datetime) -> bool:
        sql = "SELECT EXISTS (SELECT 1 FROM tasks WHERE waits_for_slot = 1 AND provider = ? AND due_at <= ?)"
        return bool(connection.execute(sql, [provider, to_text(now)]).fetchone()[0])

    @reads
    def open_tasks(
        self, connection: sqlite3.Connection, *, user_id: int | None = None, chat_id: int | None = None
    ) -> list[Task]:
        where, values = _narrowed(user_id, chat_id)
        return _all(
            connection,
            "SELECT tasks.* FROM tasks LEFT JOIN slots USING (provider)"  # noqa: S608 - our own words
            f" WHERE is_active = 1 AND detached = 0 {where}"
            # Tags of one provider mean nothing to another: what is compared is how many are before them.
            " ORDER BY waits_for_slot, iif(waits_for_slot, queue_tag - coalesce(reached, 0), 0),"
            " iif(waits_for_slot, chat_queue_tag, 0), queued_at, tasks.rowid",
            values,
        )

    @reads
    def unclosed(self, connection: sqlite3.Connection, user_id: int) -> list[Task]:
        sql = "SELECT * FROM tasks WHERE user_id = ? AND delivered_at IS NULL ORDER BY rowid"
        return _all(connection, sql, [user_id])

    @reads
    def history(
        self, connection: sqlite3.Connection, chat_id: int, user_id: int, limit: int, offset: int = 0
    ) -> list[Task]:
        return _all(
            connection,
            "SELECT * FROM tasks WHERE chat_id = ? AND user_id = ? AND state = 'succeeded'"
            " AND delivered_at IS NOT NULL AND video_url IS NOT NULL"
            " ORDER BY finished_at DESC, rowid DESC LIMIT ? OFFSET ?",
            [chat_id, user_id, limit, offset],
        )

    @reads_apart
    def videos(
        self, connection: sqlite3.Connection, user_id: int, words: str, limit: int, offset: int = 0
    ) -> list[Task]:
        rows = connection.execute(VIDEOS, [user_id, SEARCHED])
        fitting = (row for row in rows if has_words(row["prompt"], words))
        return [task_of(row) for row in islice(fitting, offset, offset + limit)]

    @writes
    def move_chat(self, connection: sqlite3.Connection, chat_id: int, new_id: int) -> int:
        ids = {"old": chat_id, "new": new_id}
        # A process that holds a lease is refused from here on, so it ends; but a submit in flight (it has a
        # slot, and no id so far) goes on, and the end of its lease says that its answer is lost.
        connection.execute(
            "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL WHERE chat_id = :old"
            " AND due_before_lease IS NOT NULL AND (slot_until IS NULL OR remote_id IS NOT NULL)",
            ids,
        )
        moved = connection.execute(
            "UPDATE tasks SET chat_id = :new, thread_id = NULL, message_id = NULL, card_id = NULL,"
            " card_has_photo = 0, version = version + 1 WHERE chat_id = :old",
            ids,
        ).rowcount
        for sql in (
            "UPDATE films SET chat_id = :new, version = version + 1 WHERE chat_id = :old",
            "INSERT INTO chats (chat_id, moved_from) VALUES (:new, :old)"
            " ON CONFLICT (chat_id) DO UPDATE SET moved_from = excluded.moved_from",
            "UPDATE chats SET (told_at, settings) = (before.told_at, before.settings) FROM chats AS before"
            " WHERE chats.chat_id = :new AND before.chat_id = :old",
            "DELETE FROM chats WHERE chat_id = :old",
            "UPDATE audit_log SET target = CAST(:new AS TEXT)"
            " WHERE action = 'set' AND target = CAST(:old AS TEXT)",
        ):
            connection.execute(sql, ids)
        return moved

    @reads_apart
    def list_tasks(
        self,
        connection: sqlite3.Connection,
        which: TaskFilter,
        limit: int,
        older_than: Task | None = None,
    ) -> list[Task]:
        where, values = _filtered(which)
        if older_than is not None:
            where += " AND (created_at, id) < (:created_at, :id)"
            values |= {"created_at": to_text(older_than.created_at), "id": older_than.id}
        sql = f"SELECT * FROM tasks WHERE {where} ORDER BY created_at DESC, id DESC LIMIT :limit"  # noqa: S608 - our own words
        return _all(connection, sql, values | {"limit": limit})

    @reads_apart
    def count_tasks(self, connection: sqlite3.Connection, which: TaskFilter) -> int:
        where, values = _filtered(which)
        return _count(connection, f"SELECT count(*) FROM tasks WHERE {where}", values)  # noqa: S608 - our own words


def _find(
    connection: sqlite3.Connection,
    *,
    update_id: int | None = None,
    card: tuple[int, int] | None = None,
    album: tuple[int, str] | None = None,
) -> Task | None:
    if update_id is not None:
        return _first(connection, "SELECT * FROM tasks WHERE update_id = ?", update_id)
    if card is not None:
        sql = "SELECT * FROM tasks WHERE chat_id = ? AND card_id = ? ORDER BY rowid DESC"
        return _first(connection, sql, *card)
    if album is not None:
        return _first(connection, "SELECT * FROM tasks WHERE chat_id = ? AND album_id = ?", *album)
    return None


def _first(connection: sqlite3.Connection, sql: str, *values: object) -> Task | None:
    row = connection.execute(sql, values).fetchone()
    return None if row is None else task_of(row)


def _all(connection: sqlite3.Connection, sql: str, values: Any) -> list[Task]:
    return [task_of(row) for row in connection.execute(sql, values)]


def _count(connection: sqlite3.Connection, sql: str, values: Any) -> int:
    number: int = connection.execute(sql, values).fetchone()[0]
    return number


def _narrowed(user_id: int | None, chat_id: int | None) -> tuple[str, dict[str, Any]]:
    """Return further conditions, and the values for them."""
    where = " AND user_id = :user_id" if user_id is not None else ""
    where += " AND chat_id = :chat_id" if chat_id is not None else ""
    return where, {"user_id": user_id, "chat_id": chat_id}


def _filtered(which: TaskFilter) -> tuple[str, dict[str, Any]]:
    """Return conditions of our own words, and the values for them."""
    conditions, values = ["TRUE"], dict[str, Any]()
    if which.states:
        conditions.append("state IN (SELECT value FROM json_each(:states))")
        values["states"] = json.dumps(sorted(which.states))
    for name in ("user_id", "chat_id", "provider", "error_code"):
        if (value := getattr(which, name)) is not None:
            conditions.append(f"{name} = :{name}")
            values[name] = value
    for column in ("user_id", "chat_id"):
        if (several := getattr(which, f"{column}s")) is not None:
            conditions.append(f"{column} IN (SELECT value FROM json_each(:{column}s))")  # noqa: S608 - our own
            values[f"{column}s"] = json.dumps(sorted(several))
    if which.model is not None:
        conditions.append("json_extract(request, '$.model') = :model")
        values["model"] = which.model
    if which.is_ordered is not None:
        conditions.append(f"queued_at IS {'NOT ' if which.is_ordered else ''}NULL")
    for edge, sign in (("queued_since", ">="), ("queued_before", "<")):
        if (at := getattr(which, edge)) is not None:
            conditions.append(f"queued_at {sign} :{edge}")
            values[edge] = to_text(at)
    if which.id_prefix:
        conditions.append("substr(id, 1, length(:id_prefix)) = :id_prefix")
        values["id_prefix"] = which.id_prefix
    return " AND ".join(conditions), values
