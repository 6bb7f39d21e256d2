"""How many jobs an account takes at once, if that is fewer than its operator set. Pure figures.

A provider that refuses a job for want of a slot, or for too many calls, has shown how many it takes: as many
as ran. That is the limit until one more is accepted, which is tried after a pause that grows with each
refusal in a row. None of this is a failure, and people are not told: a task that waits keeps its turn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.store import SlotLimit
from bot.worker import schedule


def open_slots(limit: SlotLimit | None, granted: int, now: datetime) -> int:
    """Return how many jobs may run at once now, of `granted`: one more than ran, if it is time to try."""
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
    """Return the limit after a refusal of one job more than the `running` ones, in a call begun at `began`.

    Calls that were under way when the limit was lowered make one refusal together. A refusal below what is
    known to work counts from one again: nobody should wait for minutes because a slot was given back late.
    """
    if limit is None or running < limit.jobs:
        refusals = 1
    else:
        refusals = limit.refusals + (0 if began < limit.refused_at else 1)
    probe_at = schedule.retry_at(max(refusals - 1, 0), now, retry_after_s)
    return SlotLimit(provider, max(running, 0), refusals, refused_at=now, probe_at=probe_at)


def raised(limit: SlotLimit | None, running: int, granted: int, now: datetime) -> SlotLimit | None:
    """Return the limit after a job was accepted, with which `running` are under way; None if all may run."""
    if limit is None or running >= granted:
        return None
    if running <= limit.jobs:
        return limit
    return replace(limit, jobs=running, refusals=0, probe_at=schedule.retry_at(0, now))
