"""The queue of each provider: in which order tasks that wait for a slot are served, and how many slots are
taken.

A queue tag is a start tag of fair queueing: one more than what its provider has reached, and than the last
tag of the same person there. Serving tags in order is round-robin between persons, however often they ask. Of
tasks with one tag the chats take turns, and then the older row is first. What the provider has reached is the
highest tag that was ever served: once it is, no task joins that tag any more, so nobody waits for ever.

Every function runs on the writer thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.store.providers import SlotLimit
from bot.stores.sqlite.rows import to_text, to_utc
from bot.task import Task

_NEXT_TAG = (
    "SELECT 1 + max(coalesce((SELECT reached FROM slots WHERE provider = :provider), 0),"
    " coalesce((SELECT max(queue_tag) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
    " AND user_id = :user_id AND id <> :id), 0))"
)
_NEXT_CHAT_TAG = (
    "SELECT 1 + coalesce(max(chat_queue_tag), 0) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
    " AND queue_tag = :queue_tag AND chat_id = :chat_id AND id <> :id"
)


def tag(connection: sqlite3.Connection, task: Task) -> None:
    """Give a task that waits for a slot its queue tag. A task that was requeued keeps the tag it had."""
    if task.waits_for_slot:
        row = connection.execute("SELECT queue_tag FROM tasks WHERE id = ?", [task.id]).fetchone()
        if row["queue_tag"] is None:
            connection.execute(
                "UPDATE tasks SET queue_tag = :queue_tag, chat_queue_tag = :chat_queue_tag WHERE id = :id",
                next_tag(connection, task),
            )


def next_tag(connection: sqlite3.Connection, task: Task) -> dict[str, Any]:
    """Return the `queue_tag` and `chat_queue_tag` it would get at this moment, beside its own columns."""
    values: dict[str, Any] = {"id": task.id, "provider": task.provider, "user_id": task.user_id}
    values["chat_id"] = task.card.chat_id
    for name, sql in (("queue_tag", _NEXT_TAG), ("chat_queue_tag", _NEXT_CHAT_TAG)):
        values[name] = connection.execute(sql, values).fetchone()[0]
    return values


def reach(connection: sqlite3.Connection, provider: str, queue_tag: int | None) -> None:
    """Store that a provider has come to a tag."""
    connection.execute(
        "INSERT INTO slots (provider, reached) VALUES (?, coalesce(?, 0))"
        " ON CONFLICT (provider) DO UPDATE SET reached = max(reached, excluded.reached)",
        [provider, queue_tag],
    )


def limit_of(connection: sqlite3.Connection, provider: str) -> SlotLimit | None:
    row = connection.execute(
        "SELECT * FROM slots WHERE provider = ? AND jobs IS NOT NULL", [provider]
    ).fetchone()
    return None if row is None else read_limit(row)


def read_limit(row: sqlite3.Row) -> SlotLimit:
    refused_at, probe_at = to_utc(row["refused_at"]), to_utc(row["probe_at"])
    return SlotLimit(row["provider"], row["jobs"], row["refusals"], refused_at, probe_at)


def taken_slots(connection: sqlite3.Connection, provider: str, now: datetime) -> int:
    """Count the slots taken by jobs, and by tasks under a lease that are about to become jobs."""
    count: int = connection.execute(
        "SELECT (SELECT count(*) FROM tasks WHERE provider = :provider AND slot_until > :now)"
        " + (SELECT count(*) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider AND due_at > :now"
        " AND due_before_lease IS NOT NULL)",
        {"provider": provider, "now": to_text(now)},
    ).fetchone()[0]
    return count


def next_free_slot(connection: sqlite3.Connection, provider: str, now: datetime) -> list[str]:
    """Return when a slot may come free without anybody's doing: a time runs out, or one more may be tried."""
    row = connection.execute(
        "SELECT (SELECT min(slot_until) FROM tasks WHERE provider = :provider AND slot_until > :now),"
        " (SELECT probe_at FROM slots WHERE provider = :provider AND probe_at > :now)",
        {"provider": provider, "now": to_text(now)},
    ).fetchone()
    return [at for at in row if at is not None]


def providers_with_waiting(connection: sqlite3.Connection) -> Iterator[str]:
    # From one name to the next in the index: SELECT DISTINCT would read every task that waits.
    name: str | None = ""
    while name is not None:
        (name,) = connection.execute(
            "SELECT min(provider) FROM tasks WHERE waits_for_slot = 1 AND provider > ?", [name]
        ).fetchone()
        if name is not None:
            yield name
