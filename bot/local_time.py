"""The day: when it began where the bot's people live, and when the next one begins. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(now: datetime, zone: ZoneInfo) -> datetime:
    """Its first moment."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def renewal_of(now: datetime, zone: ZoneInfo) -> str:
    """When limits begin anew: `00:00`, but where clocks jump over it."""
    return f"{day_of(now, zone) + timedelta(days=1):%H:%M}"
