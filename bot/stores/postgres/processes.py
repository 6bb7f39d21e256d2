"""Which processes are alive, in SQL. The leases of one that is dead end at once, whoever notices it.

All times here are the server's. A submit in flight keeps its lease: its process may be alive, cut off from
the database alone, and only the end of the lease says that the answer is lost.
"""

from __future__ import annotations

from bot.stores.postgres.connections import Connection, affected

ALIVE_S = 15.0
"""Without a sign of life for so long a process is dead."""
RENEW_S = 3.0


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


async def leave(connection: Connection, process: str) -> None:
    await connection.execute("DELETE FROM processes WHERE id = $1", process)


async def bury(connection: Connection) -> int:
    """End the leases of processes whose time has run out; how many.

    Versions are raised: a process that was only thought dead is refused, and reads anew.
    """
    dead = await connection.fetch("DELETE FROM processes WHERE alive_until < clock_timestamp() RETURNING id")
    if not dead:
        return 0
    ids = [row["id"] for row in dead]
    tasks = await connection.execute(
        "UPDATE tasks SET due_at = due_before_lease, due_before_lease = NULL, leased_by = NULL,"
        " version = version + 1 WHERE leased_by = ANY($1) AND (slot_until IS NULL OR remote_id IS NOT NULL)",
        ids,
    )
    updates = await connection.execute(
        "UPDATE updates SET leased_until = NULL, leased_by = NULL"
        " WHERE leased_by = ANY($1) AND state = 'open'",
        ids,
    )
    return affected(tasks) + affected(updates)
