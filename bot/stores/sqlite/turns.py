"""Turns, in SQL: in which order tasks are served that wait for a slot. Every function runs on the writer
thread.

A turn is a start tag of fair queueing: one more than what its provider has reached, and than the last turn
of the same person there. Serving turns in order is round-robin between persons, whoever asks how often. Of
those with one turn the chats take turns, and then the older row is first. What the provider has reached is
the highest turn that was ever served: once it is, nobody joins that turn any more, so nobody waits for ever.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from bot.task import Task

_NEXT_TURN = (
    "SELECT 1 + max(coalesce((SELECT reached FROM slots WHERE provider = :provider), 0),"
    " coalesce((SELECT max(turn) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
    " AND user_id = :user_id AND id <> :id), 0))"
)
_NEXT_CHAT_TURN = (
    "SELECT 1 + coalesce(max(chat_turn), 0) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
    " AND turn = :turn AND chat_id = :chat_id AND id <> :id"
)
_LAST = 2**63 - 1
"""No row is beyond the largest integer."""


def take(connection: sqlite3.Connection, task: Task) -> None:
    """Give a task that waits for a slot its turn. One that has been given back keeps the turn it had."""
    if task.waits_for_slot:
        row = connection.execute("SELECT turn FROM tasks WHERE id = ?", [task.id]).fetchone()
        if row["turn"] is None:
            connection.execute(
                "UPDATE tasks SET turn = :turn, chat_turn = :chat_turn WHERE id = :id",
                _next(connection, task),
            )


def reach(connection: sqlite3.Connection, provider: str, turn: int | None) -> None:
    """Note that a provider has come to a turn."""
    connection.execute(
        "INSERT INTO slots (provider, reached) VALUES (?, coalesce(?, 0))"
        " ON CONFLICT (provider) DO UPDATE SET reached = max(reached, excluded.reached)",
        [provider, turn],
    )


def put_first(connection: sqlite3.Connection, task_id: str) -> bool:
    done = connection.execute(
        "UPDATE tasks SET chat_turn = 0, turn = (SELECT min(other.turn) - 1 FROM tasks AS other"
        " WHERE other.waits_for_slot = 1 AND other.provider = tasks.provider)"
        " WHERE id = ? AND waits_for_slot = 1",
        [task_id],
    )
    return done.rowcount > 0


def count_ahead(connection: sqlite3.Connection, task: Task) -> int:
    if task.due_at is None:
        return 0
    place = connection.execute(
        "SELECT turn, chat_turn, rowid AS place FROM tasks WHERE id = ? AND waits_for_slot = 1", [task.id]
    ).fetchone()
    # One that does not wait so far comes after all that do and have the same turn.
    values = dict(place) if place else _next(connection, task) | {"place": _LAST}
    count: int = connection.execute(
        "SELECT count(*) FROM tasks WHERE waits_for_slot = 1 AND provider = :provider"
        " AND due_before_lease IS NULL AND (turn, chat_turn, rowid) < (:turn, :chat_turn, :place)",
        values | {"provider": task.provider},
    ).fetchone()[0]
    return count


def _next(connection: sqlite3.Connection, task: Task) -> dict[str, Any]:
    values = {name: getattr(task, name) for name in ("id", "provider", "user_id", "chat_id")}
    for name, sql in (("turn", _NEXT_TURN), ("chat_turn", _NEXT_CHAT_TURN)):
        values[name] = connection.execute(sql, values).fetchone()[0]
    return values
