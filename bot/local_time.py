"""The start of the local day, and of the next one. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of the local day of `now`."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def renewal_of(now: datetime, zone: ZoneInfo) -> str:
    """Return the local time at which daily limits are reset: `00:00`, unless the clocks jump over it."""
    return f"{day_of(now, zone) + timedelta(days=1):%H:%M}"
