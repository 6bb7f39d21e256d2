"""Which processes are alive, in SQL. The leases of one that is dead end at once, whoever notices it.

All times here are the server's. A process holds a lock for as long as its connection lives, so the server
knows whether it is gone: killed, and its machine has said so. Of one that is merely silent a submit in flight
keeps its lease: it may be alive, standing still or cut off, and only the end of the lease says that the
answer is lost.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.stores.postgres.connections import Connection, affected

ALIVE_S = 15.0
"""Without a sign of life for so long a process is dead."""
RENEW_S = 3.0
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"


def new_process() -> str:
    return secrets.token_hex(8)


def lock_of(process: str) -> int:
    """The key of the lock that it holds while it is connected."""
    return int.from_bytes(bytes.fromhex(process), signed=True)


async def renew(connection: Connection, process: str) -> None:
    """A sign of life."""
    # What a crash of the server forgets of these is older than the crash.
    await connection.execute("SET LOCAL synchronous_commit = off")
    await connection.execute(
        "INSERT INTO processes (id, alive_until) VALUES ($1, clock_timestamp() + make_interval(secs => $2))"
        " ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until",
        process,
        ALIVE_S,
    )


async def server_time(connection: Connection) -> datetime:
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return at


async def leave(connection: Connection, process: str) -> None:
    await connection.execute("DELETE FROM processes WHERE id = $1", process)


async def release_dead_leases(connection: Connection) -> tuple[int, int]:
    """End the leases of processes whose time has run out; how many processes, and leases.

    Versions are raised: a process that was only thought dead is refused, and reads anew.
    """
    dead = await connection.fetch("DELETE FROM processes WHERE alive_until < clock_timestamp() RETURNING id")
    if not dead:
        return 0, 0
    ids = [row["id"] for row in dead]
    gone = [one for one in ids if await connection.fetchval(_TRY_LOCK, lock_of(one))]
    tasks = await connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL,"
        " version = version + 1 WHERE leased_by = ANY($1)"
        " AND (slot_until IS NULL OR remote_id IS NOT NULL OR leased_by = ANY($2))",
        ids,
        gone,
    )
    updates = await connection.execute(
        "UPDATE updates SET leased_until = NULL, leased_by = NULL, due_at = NULL, attempts = attempts + 1"
        " WHERE leased_by = ANY($1) AND state = 'open'",
        ids,
    )
    return len(ids), affected(tasks) + affected(updates)
