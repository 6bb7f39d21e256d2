"""The dispatcher: passes stored updates to their handlers, retries those that fail, and parks the rest.
Within a chat one at a time, in order; chats in parallel.

What waiting may mend (Telegram, the database, the disk, the network, a move by somebody else) is retried
later and holds up only its own person (`schedule.retry_at`). Anything else would fail the same way: it is
parked at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from datetime import datetime
from typing import Any

from telegram import Update

from bot.chat.telegram_io.client import translated
from bot.errors import (
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatGone,
    ChatMoved,
    StaleTask,
    StoreError,
    Unstorable,
)
from bot.log import get_log, level_of
from bot.store import StoredUpdate, UpdateStore
from bot.worker import schedule

_CHATS = 32
"""How many updates are handled at once."""
_OLDEST_EACH = 4
"""People who have sent little do not wait behind long queues of others. Each fourth claim takes what waited
longest, so that no queue stands still, however many newcomers there are."""
_IDLE_S = 30.0
_STOP_LIMIT_S = 8.0
"""At a stop all but a submit in flight ends within ten seconds."""


class Dispatcher:
    """`handle` gets each update at least once; what it makes carries the update's id, so twice is once.
    `give_up` gets one that failed for good, or too often.
    """

    def __init__(
        self,
        updates: UpdateStore,
        read: Callable[[dict[str, Any]], Update],
        handle: Callable[[Update], Awaitable[None]],
        give_up: Callable[[Update], Awaitable[None]],
        clock: Callable[[], datetime],
        *,
        aside: Set[asyncio.Task[object]] = frozenset(),
        idle_s: float = _IDLE_S,
        store_pause_s: float = schedule.STORE_PAUSE_S,
    ) -> None:
        """`aside`: the tasks that wait for something of their own, and take no room from others meanwhile."""
        self._aside = aside
        self._updates = updates
        self._read = read
        self._handle = handle
        self._give_up = give_up
        self._clock = clock
        self._idle_s = idle_s
        self._store_pause_s = store_pause_s
        self._log = get_log(__name__)
        self._work = asyncio.Event()
        self._stopped = False
        self._unheard = False
        """Telegram takes no answers at present: said once in the log, not for each chat."""
        self._running: set[asyncio.Task[object]] = set()
        self._claims = 0

    def wake(self) -> None:
        self._work.set()

    def stop(self) -> None:
        """Begin with nothing more: `run` ends when what is being handled has ended."""
        self._stopped = True
        self.wake()

    async def run(self) -> None:
        """Handle stored updates until stopped or cancelled; what is cut short is handled again at the next
        start."""
        try:
            while not self._stopped:
                self._work.clear()
                try:
                    if not await self._take_due():
                        await self._rest()
                except StoreError as error:
                    self._log.log(
                        level_of(error), "no updates can be read from the database", reason=str(error)
                    )
                    await asyncio.sleep(self._store_pause_s)
            if self._running:
                await asyncio.wait(self._running, timeout=_STOP_LIMIT_S)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _take_due(self) -> int:
        room = _CHATS - len(self._running - self._aside)
        if room <= 0:
            return 0
        self._claims += 1
        oldest_first = self._claims % _OLDEST_EACH == 0
        claimed = await self._updates.claim(
            self._clock(), schedule.UPDATE_LEASE_S, room, oldest_first=oldest_first
        )
        for update in claimed:
            task: asyncio.Task[object] = asyncio.create_task(
                self._take(update), name=f"update {update.update_id}"
            )
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(claimed)

    async def _rest(self) -> None:
        due_at = await self._updates.next_due(self._clock())
        wait_s = self._idle_s if due_at is None else (due_at - self._clock()).total_seconds()
        try:
            async with asyncio.timeout(min(max(wait_s, 0.01), self._idle_s)):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _take(self, stored: StoredUpdate) -> None:
        try:
            await self._try(stored)
        except StoreError as error:
            self._log.log(
                level_of(error),
                "an update could not be marked as done",
                update=stored.update_id,
                reason=str(error),
            )
            await self._give_back(stored)
        finally:
            self.wake()

    async def _give_back(self, stored: StoredUpdate) -> None:
        """Make the update due once the database takes writes again, so that its chat need not wait for the
        lease to end."""
        while True:
            await asyncio.sleep(self._store_pause_s)
            with suppress(StoreError):
                await self._updates.fail(stored.update_id, self._clock())
                return

    async def _try(self, stored: StoredUpdate) -> None:  # noqa: PLR0912 - a branch for each kind of fault
        log = self._log.bind(update=stored.update_id)
        update = self._open(stored)
        if update is None:
            log.error("an unreadable update is parked")
            await self._updates.fail(stored.update_id, None)
            return
        if stored.was_cut_short and stored.deaths >= schedule.UPDATE_ATTEMPTS:
            # It would end the process again at every start.
            await self._park(stored, update)
            return
        try:
            with translated():
                async with asyncio.timeout(schedule.UPDATE_LEASE_S - 10):
                    await self._handle(update)
        except (ChatGone, CardGone) as error:
            log.info("the chat cannot be answered", reason=str(error))
            await self._updates.finish(stored.update_id)
        except ChatBusy as busy:
            await self._again(stored, update, schedule.UPDATE_ATTEMPTS_IN_OUTAGE, busy.retry_after_s)
        except CallUnclear as error:
            if not self._unheard:
                self._unheard = True
                log.warning("Telegram does not accept messages", reason=str(error))
            await self._again(stored, update, schedule.UPDATE_ATTEMPTS_IN_OUTAGE)
        except Unstorable:
            await self._park(stored, update)
        except StoreError as error:
            log.log(level_of(error), "the database refused while an update was handled", reason=str(error))
            await self._again(stored, update, schedule.UPDATE_ATTEMPTS_IN_OUTAGE)
        except TimeoutError:
            log.warning("handling an update took too long")
            await self._again(stored, update, attempts=1)
        except (OSError, MemoryError, StaleTask, ChatMoved) as error:
            log.warning("an update could not be handled now", reason=type(error).__name__)
            await self._again(stored, update, schedule.UPDATE_ATTEMPTS)
        except Exception:  # noqa: BLE001 - logged there
            await self._park(stored, update)
        else:
            if self._unheard and stored.attempts:
                self._unheard = False
                log.info("Telegram accepts messages again", attempts=stored.attempts + 1)
            await self._updates.finish(stored.update_id)
            log.debug("an update was handled", chat=stored.chat_id)

    def _open(self, stored: StoredUpdate) -> Update | None:
        """Read the update; None if it can never be read."""
        try:
            return self._read(json.loads(stored.body)) if stored.chat_id else None
        except Exception:  # noqa: BLE001 - the library fails in as many ways as there are fields
            return None

    async def _again(
        self, stored: StoredUpdate, update: Update, attempts: int, retry_after_s: float | None = None
    ) -> None:
        """Retry the update later; park it if this was the last of `attempts`."""
        if stored.attempts + 1 < attempts:
            retry_at = schedule.retry_at(stored.attempts, self._clock(), retry_after_s)
            await self._updates.fail(stored.update_id, retry_at)
            return
        await self._park(stored, update)

    async def _park(self, stored: StoredUpdate, update: Update) -> None:
        """Give up the update, so that its person's next one comes, and tell its chat."""
        self._log.error(
            "an update is parked", update=stored.update_id, exc_info=sys.exc_info()[0] is not None
        )
        try:
            await self._give_up(update)
        except Exception as error:  # noqa: BLE001 - what cannot be handled can perhaps not be answered either
            self._log.info("nor could its chat be told", update=stored.update_id, reason=type(error).__name__)
        await self._updates.fail(stored.update_id, None)
