"""The purchase guard: what blocks buying. Pauses by admins, and its own if too much was bought in an hour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.log import get_log
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Notice, Store
from bot.store.budget import EVERYTHING, Pause
from bot.task import Task

BRAKE_REACHED = "brake_reached"
"""The notice that asks the admins whether to go on or to stay paused."""
_HOUR = timedelta(hours=1)
_CACHED_FOR = timedelta(seconds=1)
"""Pauses by other processes are seen that late; a purchase asks the store itself."""


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
            if bought.is_brake and await self._store.maintenance.set_flag(flag, self._clock()):
                self._log.warning("the hourly limit is reached, nothing more is bought", most=most)
                await self._ask(bought)
        return bought

    async def remind(self) -> None:
        """Ask the admins again: an earlier process may have paused everything and ended before it asked."""
        for pause in await self.pauses():
            if pause.is_brake:
                await self._ask(pause)

    async def refresh(self) -> None:
        """Read the pauses now: one was made or ended in this process."""
        before, self._pauses = self._pauses, await self._store.budget.pauses()
        self._read_at = self._clock()
        if before != self._pauses:
            self._changed()

    async def _ask(self, pause: Pause) -> None:
        count = str(self._settings().submits_per_hour)
        await self._tell_admins(Notice(BRAKE_REACHED, {"count": count, "pause": pause.mark}))
