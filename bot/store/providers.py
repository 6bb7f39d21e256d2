"""What is known of providers: accounts in trouble, limits in use, learned durations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import Trouble


@dataclass(frozen=True, slots=True)
class AccountTrouble:
    """An account at a provider that refuses to work until its operator does something."""

    provider: str
    trouble: Trouble
    since: datetime


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """How many jobs an account takes at once, as its provider showed by refusing one more."""

    provider: str
    jobs: int
    """How many ran then; 0 if others use the account."""
    refusals: int
    """Refusals in a row, without one more job accepted in between."""
    refused_at: datetime
    probe_at: datetime
    """When one more job is tried."""


class ProviderStore(Protocol):
    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        """Store it; return True if the account was well until then. A trouble already stored keeps its
        `since`."""

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        """Delete the trouble of an account that works again, and return it if there was one."""

    async def troubles(self) -> list[AccountTrouble]:
        """Return those that are not over, oldest first."""

    async def slot_limits(self) -> list[SlotLimit]: ...

    async def change_limit(
        self, provider: str, now: datetime, change: Callable[[SlotLimit | None, int], SlotLimit | None]
    ) -> SlotLimit | None:
        """Write what `change` makes of the limit in use and of how many slots are taken (as in `claim`); None
        is no limit. One transaction; `change` may be called again and anywhere, so it must be pure."""

    async def durations(self) -> dict[str, str]:
        """Return what was learned of how long jobs take: texts by key, which stores do not read."""

    async def learn(self, keys: Sequence[str], change: Callable[[str, str | None], str]) -> dict[str, str]:
        """Write `change(key, text)` for each key and return what was written. `text` is what is stored, None
        if nothing is. One transaction: what another process has learned meanwhile is not lost.

        `change` may be called again and anywhere, so it must be pure.
        """
