"""Tasks as operators leaf through them, in SQL. Every function runs on the reader's connection and holds to
`bot.store.TaskListing`."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from bot.store import TaskFilter
from bot.stores.sqlite.rows import task_of, to_text
from bot.task import Task


def list_tasks(
    connection: sqlite3.Connection, which: TaskFilter, limit: int, older_than: Task | None
) -> list[Task]:
    where, values = _lowered(which)
    if older_than is not None:
        where += " AND (created_at, id) < (:created_at, :id)"
        values |= {"created_at": to_text(older_than.created_at), "id": older_than.id}
    rows = connection.execute(
        f"SELECT * FROM tasks WHERE {where} ORDER BY created_at DESC, id DESC LIMIT :limit",  # noqa: S608 - ours
        values | {"limit": limit},
    )
    return [task_of(row) for row in rows]


def count_tasks(connection: sqlite3.Connection, which: TaskFilter) -> int:
    where, values = _lowered(which)
    count: int = connection.execute(
        f"SELECT count(*) FROM tasks WHERE {where}",  # noqa: S608 - our own words
        values,
    ).fetchone()[0]
    return count


def _lowered(which: TaskFilter) -> tuple[str, dict[str, Any]]:
    """Conditions of our own words, and the values for them."""
    conditions, values = ["TRUE"], dict[str, Any]()
    if which.states:
        conditions.append("state IN (SELECT value FROM json_each(:states))")
        values["states"] = json.dumps(sorted(which.states))
    for name in ("user_id", "chat_id", "provider"):
        if (value := getattr(which, name)) is not None:
            conditions.append(f"{name} = :{name}")
            values[name] = value
    if which.id_prefix:
        conditions.append("substr(id, 1, length(:id_prefix)) = :id_prefix")
        values["id_prefix"] = which.id_prefix
    return " AND ".join(conditions), values
