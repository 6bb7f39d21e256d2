"""The record of changes in SQL. Every function runs on the writer thread and holds to
`bot.store.changes.ChangeStore`."""

from __future__ import annotations

import sqlite3

from bot.store.changes import Change
from bot.stores.sqlite.rows import to_text, to_time

_NEWEST = (
    "id = (SELECT max(id) FROM changes AS later"
    " WHERE later.subject = changes.subject AND later.name = changes.name)"
)


def add(connection: sqlite3.Connection, change: Change) -> None:
    connection.execute(
        "INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES (?, ?, ?, ?, ?)",
        [change.subject, change.name, change.value, change.by, to_text(change.at)],
    )


def in_force(connection: sqlite3.Connection, *subjects: int) -> list[Change]:
    marks = ", ".join("?" * len(subjects))
    return _read(
        connection,
        f"WHERE subject IN ({marks}) AND value IS NOT NULL AND {_NEWEST} ORDER BY id",
        *subjects,
    )


def changed_subjects(connection: sqlite3.Connection, name: str) -> list[Change]:
    return _read(connection, f"WHERE name = ? AND value IS NOT NULL AND {_NEWEST} ORDER BY id DESC", name)


def changes(connection: sqlite3.Connection, limit: int, subject: int | None) -> list[Change]:
    if subject is None:
        return _read(connection, "ORDER BY id DESC LIMIT ?", limit)
    return _read(connection, "WHERE subject = ? ORDER BY id DESC LIMIT ?", subject, limit)


def move(connection: sqlite3.Connection, subject: int, new_id: int) -> None:
    """The part of `TaskStore.move_chat` that concerns changes."""
    connection.execute("UPDATE changes SET subject = ? WHERE subject = ?", [new_id, subject])


def _read(connection: sqlite3.Connection, where: str, *values: object) -> list[Change]:
    # The only text put into it stands in this file.
    query = f"SELECT subject, name, value, changed_by, changed_at FROM changes {where}"  # noqa: S608 - see above
    return [_change(row) for row in connection.execute(query, values)]


def _change(row: sqlite3.Row) -> Change:
    at = to_time(row["changed_at"])
    assert at is not None  # noqa: S101 - the column cannot be NULL
    return Change(row["subject"], row["name"], row["value"], row["changed_by"], at)
