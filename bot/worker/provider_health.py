"""Provider health: whether each provider's account works, whether it answers, and how many jobs it takes.

All of it is learned from calls that are made anyway. Account trouble and slot limits are in the store, which
all processes share; outages are what this process has seen since its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.codes import UNANSWERED
from bot.errors import AccountProblem, ProviderError, StoreError
from bot.log import get_log, level_of
from bot.request import VideoModel
from bot.store import AccountTrouble, Attempt, Notice, SlotLimit, Store
from bot.store.leases import lease
from bot.task import Task
from bot.worker.concurrency import lowered, open_slots, raised

_OF_ONE_MODEL = frozenset({"not_activated", "model_gone"})
"""Some providers activate or sell each model by itself: their other models go on working."""
_LEASE_S = 60.0
_DOWN_FOR = timedelta(minutes=3)
_DOWN_CALLS = 3
"""One failed call, or a minute of them, is no outage: the next call may work."""


@dataclass(frozen=True, slots=True)
class _Outage:
    since: datetime
    last: datetime
    calls: int = 1


class ProviderHealth:
    """One per process. `tell_admins` never raises: what an admin cannot be told now is kept for them.

    Nothing here raises StoreError: a task goes on if the store cannot take what was learned.
    """

    def __init__(
        self,
        store: Store,
        granted: Mapping[str, int],
        tell_admins: Callable[[Notice], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        """`granted`: how many jobs operators allow at once, by provider."""
        self.granted = granted
        self._store = store
        self._tell_admins = tell_admins
        self._clock = clock
        self._telling = asyncio.Lock()
        self._unanswered: set[tuple[str, str]] = set()
        self._outages: dict[str, _Outage] = {}
        self._answering: set[str] = set()
        self._log = get_log(__name__)

    async def account_refused(self, model: VideoModel, error: AccountProblem) -> None:
        """Note that the account was refused; tell the admins if that is new."""
        name = model.name if error.trouble in _OF_ONE_MODEL else model.provider
        async with self._telling:
            try:
                async with lease(self._store.leases, f"trouble of {name}", _LEASE_S):
                    if name in {trouble.provider for trouble in await self._store.providers.troubles()}:
                        return
                    self._log.error("the account was refused", provider=model.provider, detail=error.detail)
                    # Told, then noted: a crash between the two tells it twice, and never not at all.
                    await self._tell_admins(Notice(f"trouble_{error.trouble}", {"provider": name}))
                    trouble = AccountTrouble(name, error.trouble, self._clock())
                    await self._store.providers.mark_trouble(trouble)
            except StoreError as refusal:
                self._log.log(
                    level_of(refusal), "an outage could not be stored", provider=name, reason=str(refusal)
                )

    async def account_works(self, model: VideoModel) -> None:
        """Note that a submit was accepted; tell the admins if that ends an account trouble."""
        for name in (model.provider, model.name):
            try:
                over = await self._store.providers.mark_well(name)
            except StoreError:
                return
            if over is not None:
                self._log.info("the account works again", provider=name)
                minutes = max(round((self._clock() - over.since).total_seconds() / 60), 1)
                notice = Notice("trouble_over", {"provider": name, "minutes": str(minutes)})
                await self._tell_admins(notice)

    async def host_is_fake(self, host: str) -> None:
        """Tell the admins, once for each host, which setting lets videos of it be fetched."""
        try:
            if await self._store.maintenance.set_flag(f"fake address of {host}", self._clock()):
                await self._tell_admins(Notice("trouble_fake_address", {"host": host}))
        except StoreError as error:
            self._log.log(level_of(error), "a notice could not be stored", host=host, reason=str(error))

    def call_failed(self, calls: str, provider: str, error: ProviderError) -> None:
        """Log the first failure of an outage, once for each kind of call: "polls" or "submits" in the log."""
        if (calls, provider) not in self._unanswered:
            self._unanswered.add((calls, provider))
            self._log.warning(f"{calls} fail", provider=provider, code=error.code, detail=error.detail)

    def call_answered(self, calls: str, provider: str) -> None:
        """Log the end of an outage, once for each kind of call."""
        if (calls, provider) in self._unanswered:
            self._unanswered.discard((calls, provider))
            self._log.info("the provider answers again", provider=provider, calls=calls)

    def record(self, attempt: Attempt) -> None:
        """Count a call that has ended. A download says nothing about the provider's own servers."""
        provider = attempt.provider
        if attempt.call == "fetch":
            return
        if attempt.answer not in UNANSWERED:
            self._outages.pop(provider, None)
            self._answering.add(provider)
            return
        self._answering.discard(provider)
        before = self._outages.get(provider)
        if before is None:
            self._outages[provider] = _Outage(attempt.at, attempt.at)
        else:
            self._outages[provider] = replace(before, last=attempt.at, calls=before.calls + 1)

    def is_silent(self, provider: str) -> bool:
        """Return True if the last call was not answered."""
        return provider in self._outages

    def down(self) -> dict[str, datetime]:
        """Return the providers that have failed every call for minutes, and since when."""
        return {
            provider: outage.since
            for provider, outage in self._outages.items()
            if outage.calls >= _DOWN_CALLS and outage.last - outage.since >= _DOWN_FOR
        }

    def answering(self) -> set[str]:
        """Return the providers that answered their last call."""
        return set(self._answering)

    async def slot_refused(self, task: Task, retry_after_s: float | None = None) -> None:
        """Lower the limit of the task's provider, which had no room for it. The task still has its slot."""
        now = self._clock()
        began = task.submitted_at or now

        def change(limit: SlotLimit | None, taken: int) -> SlotLimit:
            return lowered(limit, task.provider, taken - 1, began=began, now=now, retry_after_s=retry_after_s)

        try:
            limit = await self._store.providers.change_limit(task.provider, now, change)
        except StoreError as error:
            self._log.log(
                level_of(error),
                "a slot limit could not be lowered",
                provider=task.provider,
                reason=str(error),
            )
            return
        if limit is not None and limit.refusals == 1:
            self._log.info("the provider has no room for more", provider=task.provider, jobs=limit.jobs)

    async def slot_accepted(self, task: Task) -> None:
        """Raise the limit of the task's provider, which took it. The task has its slot by now."""
        now, granted = self._clock(), self.granted.get(task.provider, 0)
        try:
            if task.provider in await self._limits():
                await self._store.providers.change_limit(
                    task.provider, now, lambda limit, taken: raised(limit, taken, granted, now)
                )
        except StoreError as error:
            self._log.log(
                level_of(error), "a slot limit could not be raised", provider=task.provider, reason=str(error)
            )

    async def slots_in_use(self, provider: str) -> int | None:
        """Return how many jobs run at once there at present; None if nothing bounds them."""
        granted = self.granted.get(provider)
        if granted is None:
            return None
        try:
            limit = (await self._limits()).get(provider)
        except StoreError:
            return granted
        return max(open_slots(limit, granted, self._clock()), min(granted, 1))

    async def _limits(self) -> dict[str, SlotLimit]:
        return {limit.provider: limit for limit in await self._store.providers.slot_limits()}
