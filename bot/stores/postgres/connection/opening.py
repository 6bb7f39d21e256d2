"""Opens the database: connected, checked and brought up to date, or one sentence for the operator."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bot.errors import SettingsError, StartError
from bot.stores.postgres.connection.pool import LOST, Connection, Connections, explain
from bot.stores.postgres.schema import migrate

OLDEST = 150_000
"""PostgreSQL 15: the oldest that the tests run on."""
PATIENCE_S = 10.0
_PAUSE_S = 0.3
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    ValueError,  # of the driver, about the address
    OverflowError,  # of the socket, about the port in it
)
MEND_SILENCE = "start it, or correct the host and the port"
MEND_ENCODING = "create one with ENCODING 'UTF8' TEMPLATE template0"
STANDBY = "takes no writes, it is a standby"
MEND_STANDBY = "name the primary, or all servers with commas between them"


async def open_database(url: str, patience_s: float = PATIENCE_S) -> Connections:
    """Open it. SettingsError if somebody has to mend something, StartError if a later start may work. No
    sentence has the password in it. A server that may just be starting is waited for."""
    try:
        connections = await _connect(url, patience_s)
        try:
            await connections.prepare(_prepare)
        except BaseException:
            await connections.close()
            raise
    except REFUSED as error:
        raise SettingsError(f"The database of DATABASE_URL refuses: {refusal(error)}.") from None
    except asyncpg.TargetServerAttributeNotMatched:
        raise StartError(f"The database of DATABASE_URL {STANDBY}: {MEND_STANDBY}.") from None
    except LOST as error:
        raise StartError(
            f"The database of DATABASE_URL does not answer ({type(error).__name__}): {MEND_SILENCE}."
        ) from None
    except asyncpg.PostgresError as error:
        raise StartError(f"The database of DATABASE_URL cannot be used: {explain(error)}.") from None
    return connections


async def _connect(url: str, patience_s: float) -> Connections:
    connections = await Connections.open(url)
    patient_until = time.monotonic() + patience_s
    try:
        while True:
            try:
                await connections.prepare(_greet)
            except LOST as error:
                if isinstance(error, REFUSED) or time.monotonic() >= patient_until:
                    raise
                await asyncio.sleep(_PAUSE_S)
            else:
                return connections
    except BaseException:
        await connections.close()
        raise


async def _greet(connection: Connection) -> None:
    await connection.fetchval("SELECT 1")


def refusal(error: Exception) -> str:
    """Return why a connection is refused, as the second half of a sentence."""
    match error:
        case asyncpg.InvalidCatalogNameError():
            return "there is no database of this name, create it first"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "the name or the password is wrong, or this machine may not connect"
        case asyncpg.InsufficientPrivilegeError():
            return "this user may not create tables in it"
        case _:
            return "the address cannot be read (in a password write %40 %2F %3A %23 %3F for @ / : # ?)"


def cannot_hold(encoding: str) -> str:
    """Return what is wrong with a database of this encoding, as the second half of a sentence."""
    return f"has the encoding {encoding}, which cannot hold what people write"


async def _prepare(connection: Connection) -> None:
    if int(await connection.fetchval("SHOW server_version_num")) < OLDEST:
        version = await connection.fetchval("SHOW server_version")
        raise SettingsError(f"Dreamreel needs PostgreSQL 15 or newer; this server is {version}.")
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise SettingsError(f"The database of DATABASE_URL {cannot_hold(encoding)}: {MEND_ENCODING}.")
    await migrate(connection)
