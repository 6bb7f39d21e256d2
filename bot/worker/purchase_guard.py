"""The brake: what stands against buying: pauses by admins, and its own where an hour has seen too much."""

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
"""The notice that asks the admins, with buttons to go on and to stay paused."""
_HOUR = timedelta(hours=1)
_KNOWN_FOR = timedelta(seconds=1)
"""Pauses by other processes are seen that late; what is bought asks the store itself."""


class PurchaseGuard:
    """One per process; all share what the store keeps. `tell_admins` never raises."""

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
        """`settings` as they are by now; `changed` is called when something was paused or goes on."""
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
        """What stood against the model when that was last looked up."""
        return next((one for one in self._pauses if one.model in (EVERYTHING, model)), None)

    async def blocking(self, model: str) -> Pause | None:
        """What stands against buying from this model; `EVERYTHING`: against buying at all."""
        await self.pauses()
        return self.cached(model)

    async def blocks_everything(self) -> bool:
        return await self.blocking(EVERYTHING) is not None

    async def pauses(self) -> list[Pause]:
        """Those in force, oldest first."""
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < _KNOWN_FOR:
            await self._read()
        return self._pauses

    async def buy(self, task: Task) -> Task | Pause:
        """Save the intent, a task in `submitting`; or what stands against it, and nothing was saved."""
        since = (task.submitted_at or self._clock()) - _HOUR
        most = self._settings().submits_per_hour
        held = await self._store.budget.buy(task, since, most, self._free)
        if isinstance(held, Pause):
            await self._read()
            if held.is_brake and await self._store.maintenance.set_flag(
                f"brake {held.at.isoformat()}", self._clock()
            ):
                self._log.warning("the hourly limit is reached, nothing more is bought", most=most)
                await self._ask(held)
        return held

    async def remind(self) -> None:
        """Ask again where an earlier process has put the brake on, and perhaps ended before it could ask."""
        for pause in await self.pauses():
            if pause.is_brake:
                await self._ask(pause)

    async def pause(self, model: str, by: int) -> bool:
        """Begin nothing more with the model, or with `EVERYTHING`. What waits keeps its place, what runs goes
        on. False where the same is paused already."""
        is_new = await self._store.budget.pause(Pause(model, by, self._clock()))
        if is_new:
            self._log.warning("paused", model=model or "everything", by=by)
        await self._read()
        return is_new

    async def resume(self, model: str, by: int) -> list[Pause]:
        """Go on with the model; `EVERYTHING` ends every pause. Those that it ended."""
        names = [one.model for one in await self._store.budget.pauses()] if model == EVERYTHING else [model]
        ended = [await self._store.budget.resume(name, by, self._clock()) for name in names]
        over = [pause for pause in ended if pause is not None]
        for pause in over:
            self._log.warning("resumed", model=pause.model or "everything", by=by)
        await self._read()
        return over

    async def _read(self) -> None:
        before, self._pauses = self._pauses, await self._store.budget.pauses()
        self._read_at = self._clock()
        if before != self._pauses:
            self._changed()

    async def _ask(self, purchase_guard: Pause) -> None:
        count = str(self._settings().submits_per_hour)
        await self._tell_admins(Notice(BRAKE_REACHED, {"count": count, "pause": purchase_guard.mark}))
