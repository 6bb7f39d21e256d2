"""Provider health: whether each provider's account works, whether it answers, and how many jobs it takes.

All of it is learned from calls that are made anyway. Account trouble and slot limits are in the store, which
all processes share; outages are what this process has seen since its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.codes import UNANSWERED, UNFETCHED, FailureCode
from bot.errors import AccountProblem, FetchError, MediaError, ProviderError, StoreError
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
"""One failed call, or failed calls for a minute, are no outage: the next call may work."""
_ONE_VIDEO_FOR = timedelta(minutes=10)
"""How long a single video cannot be fetched before its provider is to blame."""
_FETCHES_APART = timedelta(minutes=15)
"""A fetch that is retried fails again and again; failures further apart than this are separate ones."""


@dataclass(frozen=True, slots=True)
class _Outage:
    since: datetime
    last: datetime
    calls: int = 1
    tasks: frozenset[str] = frozenset()
    """The tasks whose videos could not be fetched."""


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
        self._fetch_outages: dict[str, _Outage] = {}
        self._fetching: set[str] = set()
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
                    # Told, then noted: a crash in between makes it told twice, never not at all.
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

    def call_failed(self, calls: str, provider: str, error: ProviderError | FetchError | MediaError) -> None:
        """Log the first failure of an outage, once for each kind of call: "polls", "submits" or "fetches"."""
        if (calls, provider) not in self._unanswered:
            self._unanswered.add((calls, provider))
            self._log.warning(f"{calls} fail", provider=provider, code=error.code, detail=error.detail)

    def call_answered(self, calls: str, provider: str) -> None:
        """Log the end of an outage, once for each kind of call."""
        if (calls, provider) in self._unanswered:
            self._unanswered.discard((calls, provider))
            self._log.info("the provider answers again", provider=provider, calls=calls)

    def record(self, attempt: Attempt, *, is_link_young: bool = False) -> None:
        """Count a call that has ended. Fetches are counted by themselves: videos often lie elsewhere.

        `is_link_young`: the file behind the link may not exist yet (`bot.worker.schedule`).
        """
        provider = attempt.provider
        if attempt.call == "fetch":
            self._record_fetch(attempt, is_link_young)
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

    def _record_fetch(self, attempt: Attempt, is_link_young: bool) -> None:
        provider = attempt.provider
        if attempt.answer == "ok":
            self._fetch_outages.pop(provider, None)
            self._fetching.add(provider)
            return
        if not is_fetch_fault(attempt.answer, is_link_young=is_link_young):
            return
        self._fetching.discard(provider)
        before = self._fetch_outages.get(provider)
        if before is None or attempt.at - before.last > _FETCHES_APART:
            before = _Outage(attempt.at, attempt.at)
        self._fetch_outages[provider] = replace(
            before, last=attempt.at, tasks=before.tasks | {attempt.task_id}
        )

    def is_silent(self, provider: str) -> bool:
        """Return True if the last call was not answered, or finished videos cannot be fetched."""
        return provider in self._outages or provider in self.fetches_down()

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

    def fetches_down(self) -> dict[str, datetime]:
        """Return the providers whose finished videos could not be fetched for minutes, and since when."""
        return {
            provider: outage.since
            for provider, outage in self._fetch_outages.items()
            if outage.last - outage.since >= (_DOWN_FOR if len(outage.tasks) > 1 else _ONE_VIDEO_FOR)
        }

    def fetching(self) -> set[str]:
        """Return the providers whose last finished video could be fetched."""
        return set(self._fetching)

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

    async def usable_slots(self, provider: str) -> int | None:
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


def is_fetch_fault(code: str, *, is_link_young: bool) -> bool:
    """Return True if a failed fetch is the provider's fault, and not this machine's or the video's.

    The file of a young link may be missing, or be another page: only a server that does not answer counts.
    """
    return code == FailureCode.FETCH_FAILED if is_link_young else code in UNFETCHED
