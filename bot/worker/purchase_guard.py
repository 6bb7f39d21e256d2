"""The purchase guard: what blocks buying. Pauses by admins, and its own if too much was bought in an hour, or
if the disk takes no videos."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Notice, Store
from bot.store.audit import THE_DISK
from bot.store.budget import EVERYTHING, Pause
from bot.task import Task

BRAKE_REACHED = "brake_reached"
DISK_REFUSES = "brake_disk"
DISK_WORKS = "brake_disk_over"
"""Notices that ask the admins whether to go on or to stay paused."""
_HOUR = timedelta(hours=1)
_CACHED_FOR = timedelta(seconds=1)
"""How late pauses by other processes are seen; a purchase asks the store itself."""


class PurchaseGuard:
    """One per process; all processes share the pauses in the store. `tell_admins` never raises."""

    def __init__(
        self,
        store: Store,
        *,
        settings: Callable[[], Settings],
        models: Mapping[str, VideoModel],
        tell_admins: Callable[[Notice], Awaitable[None]],
        changed: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`settings` returns those in force; `changed` is called when something was paused or goes on."""
        self._store = store
        self._settings = settings
        self._free = frozenset(model.provider for model in models.values() if model.free)
        self._tell_admins = tell_admins
        self._changed = changed
        self._clock = clock
        self._log = get_log(__name__)
        self._pauses: list[Pause] = []
        self._read_at: datetime | None = None

    def cached(self, model: str) -> Pause | None:
        """Return the pause that blocks this model, from the cache."""
        return next((one for one in self._pauses if one.model in (EVERYTHING, model)), None)

    async def blocking(self, model: str) -> Pause | None:
        """Return the pause that blocks this model; of `EVERYTHING`, the one that blocks all buying."""
        await self.pauses()
        return self.cached(model)

    async def blocks_everything(self) -> bool:
        return await self.blocking(EVERYTHING) is not None

    async def pauses(self) -> list[Pause]:
        """Return the pauses in force, oldest first."""
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < _CACHED_FOR:
            await self.refresh()
        return self._pauses

    async def buy(self, task: Task) -> Task | Pause:
        """Save and return the intent, a task in `submitting`; or save nothing and return what blocks it."""
        since = (task.submitted_at or self._clock()) - _HOUR
        most = self._settings().submits_per_hour
        bought = await self._store.budget.buy(task, since, most, self._free)
        if isinstance(bought, Pause):
            await self.refresh()
            flag = f"brake {bought.at.isoformat()}"
            if bought.is_hourly_limit and await self._store.maintenance.set_flag(flag, self._clock()):
                self._log.warning("the hourly limit is reached, nothing more is bought", most=most)
                await self._ask(bought)
        return bought

    async def disk_refused(self, detail: str) -> None:
        """Pause everything, because what is bought could not be stored. Ask the admins once. Never
        raises."""
        pause = Pause(EVERYTHING, THE_DISK, self._clock())
        try:
            is_new = await self._store.budget.pause(pause)
            await self.refresh()
            held = self.cached(EVERYTHING)
            if held is None or (not is_new and held.is_of_disk):
                return
            # Also if an admin or the hourly limit paused before: a full disk is news all the same.
            if await self._store.maintenance.set_flag(f"disk {held.at.isoformat()}", pause.at):
                self._log.error("videos cannot be stored, nothing more is bought", reason=detail)
                await self._ask(held, DISK_REFUSES)
        except StoreError as error:
            # Nothing can be bought either: the intent is stored first.
            self._log.log(level_of(error), "buying could not be paused", reason=str(error))

    async def disk_works(self) -> None:
        """Ask the admins once whether to go on, if the disk was what paused. Never raises."""
        held = self.cached(EVERYTHING)
        if held is None or not held.is_of_disk:
            return
        try:
            flag = f"disk works {held.at.isoformat()}"
            if await self._store.maintenance.set_flag(flag, self._clock()):
                self._log.info("videos can be stored again")
                await self._ask(held, DISK_WORKS)
        except StoreError as error:
            self._log.log(level_of(error), "a notice could not be stored", reason=str(error))

    async def remind(self) -> None:
        """Ask the admins again: an earlier process may have paused everything and ended before it asked."""
        for pause in await self.pauses():
            if pause.is_hourly_limit:
                await self._ask(pause)
            elif pause.is_of_disk:
                await self._ask(pause, DISK_REFUSES)

    async def refresh(self) -> None:
        """Read the pauses now: one was made or ended in this process."""
        before, self._pauses = self._pauses, await self._store.budget.pauses()
        self._read_at = self._clock()
        if before != self._pauses:
            self._changed()

    async def _ask(self, pause: Pause, key: str = BRAKE_REACHED) -> None:
        values = {"pause": pause.mark}
        if key == BRAKE_REACHED:
            values = {"count": str(self._settings().submits_per_hour), **values}
        await self._tell_admins(Notice(key, values))
