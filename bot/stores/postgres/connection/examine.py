"""Examines the database without changing anything, also while bots are running on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from bot.store.audit import AuditEntry
from bot.stores.examination import DatabaseCheck
from bot.stores.postgres import people
from bot.stores.postgres.audit import settings_in_force
from bot.stores.postgres.connection.opening import (
    MEND_ENCODING,
    MEND_SILENCE,
    MEND_STANDBY,
    OLDEST,
    REFUSED,
    STANDBY,
    cannot_hold,
    refusal,
)
from bot.stores.postgres.connection.pool import CONNECT, LOST, Connection
from bot.stores.postgres.maintenance import bot_of, key_mark_of
from bot.stores.postgres.schema import SCHEMA_VERSION

T = TypeVar("T")

_LIMIT_S = 5.0


async def examine(url: str) -> DatabaseCheck:
    """Examine it. Never raises, and says nothing of the password."""
    try:
        return await _ask(url, _examine)
    except REFUSED as error:
        return DatabaseCheck(True, problem=f"refuses: {refusal(error)}", mend="Correct DATABASE_URL.")
    except asyncpg.TargetServerAttributeNotMatched:
        return DatabaseCheck(True, problem=STANDBY, mend=f"{MEND_STANDBY.capitalize()}.")
    except (*LOST, asyncpg.PostgresError) as error:
        mend = f"{MEND_SILENCE.capitalize()} of DATABASE_URL."
        return DatabaseCheck(True, problem=f"does not answer ({type(error).__name__})", mend=mend)


async def stored_settings(url: str, subject: int) -> list[AuditEntry]:
    """Return the settings of a subject that are in force; none if they cannot be read."""

    async def read(connection: Connection) -> list[AuditEntry]:
        return await settings_in_force(connection, subject)

    try:
        return await _ask(url, read)
    except (*REFUSED, *LOST, asyncpg.PostgresError):
        return []


async def _ask(url: str, do: Callable[[Connection], Awaitable[T]]) -> T:
    connection = await asyncpg.connect(url, command_timeout=_LIMIT_S, **CONNECT)
    try:
        return await do(connection)
    finally:
        connection.terminate()


async def _examine(connection: Connection) -> DatabaseCheck:
    if int(await connection.fetchval("SHOW server_version_num")) < OLDEST:
        return DatabaseCheck(True, problem="is older than PostgreSQL 15", mend="Update the server.")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        return DatabaseCheck(True, problem=cannot_hold(encoding), mend=f"Instead {MEND_ENCODING}.")
    if await connection.fetchval("SELECT to_regclass('schema_version')") is None:
        if not await connection.fetchval("SELECT has_schema_privilege('public', 'CREATE')"):
            problem = "does not let this user create tables"
            return DatabaseCheck(False, problem=problem, mend="GRANT CREATE ON SCHEMA public to the user.")
        return DatabaseCheck(False)
    version = await connection.fetchval("SELECT max(version) FROM schema_version")
    if version > SCHEMA_VERSION:
        return DatabaseCheck(True, problem="was made by a newer Dreamreel", mend="Update this one.")
    in_use = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM processes WHERE alive_until > clock_timestamp())"
    )
    admins = tuple(await people.admins(connection))
    return DatabaseCheck(
        True, in_use, admins=admins, bot_id=await bot_of(connection), key_mark=await key_mark_of(connection)
    )
