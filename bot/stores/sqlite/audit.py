"""The audit log."""

from __future__ import annotations

import sqlite3

from bot.store.audit import AuditEntry
from bot.stores.sqlite.connection.database import Subject, reads, writes
from bot.stores.sqlite.rows import to_text, to_utc

_NEWEST = (
    "action = 'set' AND value IS NOT NULL AND id = (SELECT max(id) FROM audit_log AS later"
    " WHERE later.action = 'set' AND later.target = audit_log.target AND later.name = audit_log.name)"
)


class SQLiteAudit(Subject):
    """A `bot.store.AuditStore`."""

    @writes
    def add(self, connection: sqlite3.Connection, entry: AuditEntry) -> None:
        log(connection, entry)

    @reads
    def entries(
        self,
        connection: sqlite3.Connection,
        limit: int,
        *,
        target: str | None = None,
        action: str | None = None,
    ) -> list[AuditEntry]:
        conditions = ["TRUE"]
        conditions += ["target = :target"] if target is not None else []
        conditions += ["action = :action"] if action is not None else []
        rows = connection.execute(
            f"SELECT * FROM audit_log WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit",  # noqa: S608 - our own words
            {"target": target, "action": action, "limit": limit},
        )
        return [_entry(row) for row in rows]

    @reads
    def in_force(self, connection: sqlite3.Connection, *subjects: int) -> list[AuditEntry]:
        return settings_in_force(connection, *subjects)

    @reads
    def in_force_by_name(self, connection: sqlite3.Connection, name: str) -> list[AuditEntry]:
        rows = connection.execute(
            f"SELECT * FROM audit_log WHERE name = ? AND {_NEWEST} ORDER BY id DESC",  # noqa: S608 - our own words
            [name],
        )
        return [_entry(row) for row in rows]


def log(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    """Append an entry, in the transaction of what it tells of."""
    connection.execute(
        "INSERT INTO audit_log (action, target, name, value, done_by, done_at) VALUES (?, ?, ?, ?, ?, ?)",
        [entry.action, entry.target, entry.name, entry.value, entry.by, to_text(entry.at)],
    )


def settings_in_force(connection: sqlite3.Connection, *subjects: int) -> list[AuditEntry]:
    marks = ", ".join("?" * len(subjects))
    rows = connection.execute(
        f"SELECT * FROM audit_log WHERE target IN ({marks}) AND {_NEWEST} ORDER BY id",  # noqa: S608 - our own words
        [str(subject) for subject in subjects],
    )
    return [_entry(row) for row in rows]


def _entry(row: sqlite3.Row) -> AuditEntry:
    at = to_utc(row["done_at"])
    return AuditEntry(row["action"], row["target"], row["done_by"], at, row["name"], row["value"])
