"""Slots in use: how many jobs an account takes at once, where that is fewer than its operator set.

Whoever refuses a job for want of a slot, or for too many calls, has told how many it takes: as many as ran.
That is the limit in use until one more is accepted, which is tried after a pause that grows with each refusal
in a row. Nothing of this is a failure, and nobody reads of it: who waits goes on waiting, in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from bot.errors import StoreError
from bot.log import get_log, level_of
from bot.store import ProviderStore, SlotLimit
from bot.task import Task
from bot.worker import schedule

NO_ROOM = frozenset({"busy", "no_slot"})
"""Words for "not now": too many calls (50429), or too many jobs (50430)."""


class Slots:
    """`granted`: what operators set, by the names of the providers. Never raises StoreError: a limit that is
    not kept costs no more than a refused call."""

    def __init__(
        self, granted: Mapping[str, int], store: ProviderStore, clock: Callable[[], datetime]
    ) -> None:
        self._granted = granted
        self._store = store
        self._clock = clock
        self._log = get_log(__name__)

    async def refused(self, task: Task, retry_after_s: float | None = None) -> None:
        """Its provider had no room for a task that still takes its slot here."""
        now, began = self._clock(), task.submitted_at

        def change(limit: SlotLimit | None, taken: int) -> SlotLimit:
            return lowered(
                limit,
                task.provider,
                taken - 1,
                began=began or now,
                now=now,
                retry_after_s=retry_after_s,
            )

        try:
            limit = await self._store.change_limit(task.provider, now, change)
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

    async def accepted(self, task: Task) -> None:
        """Its provider took a task, which has its slot by now."""
        now, granted = self._clock(), self._granted.get(task.provider, 0)
        try:
            if task.provider in await self._limits():
                await self._store.change_limit(
                    task.provider, now, lambda limit, taken: raised(limit, taken, granted, now)
                )
        except StoreError as error:
            self._log.log(
                level_of(error), "a slot limit could not be raised", provider=task.provider, reason=str(error)
            )

    async def at_once(self, provider: str) -> int | None:
        """How many jobs run at once there at present; None where nothing bounds them."""
        granted = self._granted.get(provider)
        if granted is None:
            return None
        try:
            limit = (await self._limits()).get(provider)
        except StoreError:
            return granted
        return max(open_slots(limit, granted, self._clock()), min(granted, 1))

    async def _limits(self) -> dict[str, SlotLimit]:
        return {limit.provider: limit for limit in await self._store.slot_limits()}


def open_slots(limit: SlotLimit | None, granted: int, now: datetime) -> int:
    """How many jobs may run at once now, of `granted`. When it is time to, that is one more than ran."""
    if limit is None:
        return granted
    return min(granted, limit.jobs + (1 if now >= limit.probe_at else 0))


def lowered(
    limit: SlotLimit | None,
    provider: str,
    running: int,
    *,
    began: datetime,
    now: datetime,
    retry_after_s: float | None = None,
) -> SlotLimit:
    """One job more than the `running` ones was refused; that call began at `began`.

    Calls that were under way when the limit was lowered make one refusal together. One below what is known to
    work begins anew: at a slot that is given back late nobody should wait for minutes.
    """
    if limit is None or running < limit.jobs:
        refusals = 1
    else:
        refusals = limit.refusals + (0 if began < limit.refused_at else 1)
    probe_at = schedule.retry_at(max(refusals - 1, 0), now, retry_after_s)
    return SlotLimit(provider, max(running, 0), refusals, refused_at=now, probe_at=probe_at)


def raised(limit: SlotLimit | None, running: int, granted: int, now: datetime) -> SlotLimit | None:
    """A job was accepted: `running` are under way with it. None once nothing is left to find out."""
    if limit is None or running >= granted:
        return None
    if running <= limit.jobs:
        return limit
    return replace(limit, jobs=running, refusals=0, probe_at=schedule.retry_at(0, now))
