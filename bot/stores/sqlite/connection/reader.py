"""A second connection, on threads of its own, for long questions: the writer's work goes on beside them.

It sees what was committed when it is asked. One question at a time, and none holds the file for longer than
it takes to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bot.errors import StoreError, Unstorable
from bot.stores.sqlite.connection.file import explain

T = TypeVar("T")


class Reader:
    """Opens the file, which must be there, at the first question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = asyncio.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def read(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `do(connection)` returns; StoreError if the database refuses."""

        def ask() -> T:
            if self._connection is None:
                self._connection = _connect(self._path)
            return do(self._connection)

        async with self._one_at_a_time:
            if self._closed:
                raise StoreError("the database was closed")
            # Nobody gets the connection while the thread has it, even when its caller is gone.
            asking = asyncio.create_task(asyncio.to_thread(ask))
            try:
                return await asyncio.shield(asking)
            except asyncio.CancelledError:
                if self._connection is not None:
                    self._connection.interrupt()
                await asyncio.wait({asking})
                with contextlib.suppress(Exception):
                    asking.result()
                raise
            except sqlite3.Error as error:
                raise StoreError(f"the database refused: {explain(error)}") from error
            except (OverflowError, UnicodeEncodeError) as error:
                raise Unstorable(f"the database holds no such value ({type(error).__name__})") from error

    async def close(self) -> None:
        self._closed = True
        if self._connection is not None:
            self._connection.interrupt()
        async with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection
