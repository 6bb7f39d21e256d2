"""Inline queries: the newest of each person, a few at a time, beside everything else.

They are not stored. Telegram drops a query after half a minute, and each letter that is typed is one more; a
lost one costs nothing, as its person types on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from telegram import InlineQuery, Update

from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.flood_control import FloodControl
from bot.errors import CallRefused, ChatError, StoreError
from bot.log import get_log, level_of

_AT_ONCE = 2
_WAITING = 200
"""People, at most: at two of 0.1 s at once the last one is answered before Telegram drops their query."""
_MOST = 30
"""Queries of one person within ten seconds."""
_LIMIT_S = 20.0


class InlineQueries:
    def __init__(
        self,
        read: Callable[[dict[str, Any]], Update],
        answer: Callable[[InlineQuery], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        """`answer` may raise what Telegram and the store raise: it is logged."""
        self._read = read
        self._answer = answer
        self._clock = clock
        self._flood_control = FloodControl(_MOST)
        self._waiting: dict[int, InlineQuery] = {}
        self._busy: set[int] = set()
        self._news = asyncio.Event()
        self._log = get_log(__name__)

    def take(self, update: object) -> bool:
        """Take an inline query; return False for any other update."""
        if not isinstance(update, dict) or "inline_query" not in update:
            return False
        try:
            query = self._read(update).inline_query
        except Exception as error:  # noqa: BLE001 - the library fails in as many ways as there are fields
            self._log.info("an unreadable inline query is left out", reason=type(error).__name__)
            return True
        if query is None or (len(self._waiting) >= _WAITING and query.from_user.id not in self._waiting):
            return True
        user_id, update_id = query.from_user.id, int(update.get("update_id", 0))
        if self._flood_control.check(user_id, user_id, update_id, self._clock()) == "take":
            self._waiting[user_id] = query  # what they typed before is out of date
            self._news.set()
        return True

    async def run(self) -> None:
        """Answer queries until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(_AT_ONCE):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while True:
            user_id = next((one for one in self._waiting if one not in self._busy), None)
            if user_id is None:
                self._news.clear()
                await self._news.wait()
                continue
            self._busy.add(user_id)
            try:
                await self._handle(self._waiting.pop(user_id))
            finally:
                self._busy.discard(user_id)
                self._news.set()

    async def _handle(self, query: InlineQuery) -> None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                with translated():
                    await self._answer(query)
        except CallRefused as error:
            # Usually too late, which nobody can help.
            self._log.info("Telegram refused the answer to an inline query", reason=str(error))
        except (ChatError, TimeoutError) as error:
            self._log.info("an inline query could not be answered", reason=type(error).__name__)
        except StoreError as error:
            self._log.log(level_of(error), "the database refused an inline query", reason=str(error))
        except Exception:  # noqa: BLE001 - the next query may do better
            self._log.exception("an inline query failed")
