"""The audit log."""

from __future__ import annotations

from bot.store.audit import AuditEntry
from bot.stores.postgres.connection.database import Subject, reads, writes
from bot.stores.postgres.connection.pool import Connection

_SELECT = "SELECT action, target, done_by, done_at, name, value FROM audit_log"
_NEWEST = (
    "action = 'set' AND value IS NOT NULL AND id = (SELECT max(id) FROM audit_log AS later"
    " WHERE later.action = 'set' AND later.target = audit_log.target AND later.name = audit_log.name)"
)


class PostgresAudit(Subject):
    """A `bot.store.AuditStore`."""

    @writes
    async def add(self, connection: Connection, entry: AuditEntry) -> None:
        await log(connection, entry)

    @reads
    async def entries(
        self, connection: Connection, limit: int, *, target: str | None = None, action: str | None = None
    ) -> list[AuditEntry]:
        conditions, values = ["TRUE"], list[object]([limit])
        for column, value in (("target", target), ("action", action)):
            if value is not None:
                values.append(value)
                conditions.append(f"{column} = ${len(values)}")
        rows = await connection.fetch(
            f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT $1", *values
        )
        return [AuditEntry(*row) for row in rows]

    @reads
    async def in_force(self, connection: Connection, *subjects: int) -> list[AuditEntry]:
        return await settings_in_force(connection, *subjects)

    @reads
    async def in_force_by_name(self, connection: Connection, name: str) -> list[AuditEntry]:
        rows = await connection.fetch(f"{_SELECT} WHERE name = $1 AND {_NEWEST} ORDER BY id DESC", name)
        return [AuditEntry(*row) for row in rows]


async def log(connection: Connection, entry: AuditEntry) -> None:
    """Append an entry, in the transaction of what it tells of."""
    await connection.execute(
        "INSERT INTO audit_log (action, target, name, value, done_by, done_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        entry.action,
        entry.target,
        entry.name,
        entry.value,
        entry.by,
        entry.at,
    )


async def settings_in_force(connection: Connection, *subjects: int) -> list[AuditEntry]:
    rows = await connection.fetch(
        f"{_SELECT} WHERE target = ANY($1) AND {_NEWEST} ORDER BY id", [str(subject) for subject in subjects]
    )
    return [AuditEntry(*row) for row in rows]
