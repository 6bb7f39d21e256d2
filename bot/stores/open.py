"""Opens the store that DATABASE_URL names. PostgreSQL is loaded only if it is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

from bot.errors import SettingsError
from bot.network.account_urls import without_account
from bot.settings import read_database_url
from bot.store import Store
from bot.store.audit import AuditEntry
from bot.store.leases import utc_now
from bot.stores.examination import DatabaseCheck
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.archive import SQLiteSource, SQLiteTarget
from bot.stores.sqlite.connection import examine as sqlite
from bot.stores.sqlite.connection.clock import MonotonicClock
from bot.stores.transfer import Source, Target, move

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def is_shared(url: str) -> bool:
    """Return True if several processes may work on it at once."""
    return not url.startswith(_SQLITE)


async def open_store(url: str) -> Store:
    """Open it for a bot, with the clock that all who work on it share. SettingsError, StartError."""
    if is_shared(url):
        _need_asyncpg()
        from bot.stores.postgres import PostgresStore  # noqa: PLC0415 - an extra, and most need none of it

        return await PostgresStore.open(url)
    return await SQLiteStore.open(_path(url), MonotonicClock())


async def visit_store(url: str) -> Store:
    """Open it for a command beside the bots that may be working on it. SettingsError, StartError."""
    if is_shared(url):
        return await open_store(url)
    return await SQLiteStore.visit(_path(url))


async def examine_store(url: str) -> DatabaseCheck:
    """Examine it without changing anything. SettingsError if the package for it is missing."""
    if is_shared(url):
        _need_asyncpg()
        from bot.stores.postgres.connection import examine as postgres  # noqa: PLC0415 - see above

        return await postgres.examine(url)
    return await asyncio.to_thread(sqlite.examine, _path(url))


async def stored_settings(url: str, subject: int) -> list[AuditEntry]:
    """Return the settings of a subject that are in force; none if they cannot be read."""
    if is_shared(url):
        if find_spec("asyncpg") is None:
            return []
        from bot.stores.postgres.connection import examine as postgres  # noqa: PLC0415 - see above

        return await postgres.stored_settings(url, subject)
    return await asyncio.to_thread(sqlite.stored_settings, _path(url), subject)


async def move_between(source: str, target: str) -> Mapping[str, int]:
    """Copy everything of one into the other; return how many rows of each table. SettingsError,
    StartError."""
    try:
        source, target = read_database_url(source.strip()), read_database_url(target.strip())
    except ValueError as error:
        raise SettingsError(f"an address is {error}.") from None
    if source == target:
        raise SettingsError("these are one and the same.")
    async with AsyncExitStack() as opened:
        rows = await _open_source(source)
        opened.push_async_callback(rows.close)
        place = await _open_target(target)
        opened.push_async_callback(place.close)
        try:
            return await move(rows, place, utc_now())
        except ValueError as error:
            raise SettingsError(str(error)) from error


async def _open_source(url: str) -> Source:
    if not is_shared(url):
        return await SQLiteSource.open(_path(url))
    _need_asyncpg()
    from bot.stores.postgres.archive import PostgresArchive  # noqa: PLC0415 - see above

    return await PostgresArchive.open_source(url)


async def _open_target(url: str) -> Target:
    if not is_shared(url):
        return await SQLiteTarget.open(_path(url))
    _need_asyncpg()
    from bot.stores.postgres.archive import PostgresArchive  # noqa: PLC0415 - see above

    return await PostgresArchive.open_target(url)


def shown_url(url: str) -> str:
    """Return it as people may read it: a path, or an address without name and password."""
    if not is_shared(url):
        return str(_path(url))
    return without_account(url).partition("://")[2]


def _path(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE))


def _need_asyncpg() -> None:
    if find_spec("asyncpg") is None:
        raise SettingsError(
            "DATABASE_URL is a PostgreSQL, which needs one more package, asyncpg. In the project's folder: "
            "pip install '.[postgres]' (a published Dreamreel: pip install 'dreamreel[postgres]')."
        )
