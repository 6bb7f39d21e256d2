"""Accounts at providers, and what admins have to read of them; the contracts of a store that knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


class AccountStore(Protocol):
    async def mark_trouble(self, trouble: AccountTrouble) -> bool:
        """Note it; True when the account was well until then. One already noted keeps its `since`."""

    async def mark_well(self, provider: str) -> AccountTrouble | None:
        """It works; returns the trouble that is over by that, if there was one."""

    async def troubles(self) -> list[AccountTrouble]:
        """Those that are not over, oldest first."""


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """How many jobs an account takes at once, as its provider made known by refusing one more."""

    provider: str
    jobs: int
    """So many ran then; none where others use the account."""
    refusals: int
    """In a row, with nothing accepted in between that was one more."""
    refused_at: datetime
    probe_at: datetime
    """From then on one more is tried."""


class SlotStore(Protocol):
    async def slot_limits(self) -> list[SlotLimit]: ...

    async def change_limit(
        self, provider: str, now: datetime, change: Callable[[SlotLimit | None, int], SlotLimit | None]
    ) -> SlotLimit | None:
        """Write what `change` makes of the limit in use and of how many slots are taken (as in `claim`); None
        is no limit. One transaction; `change` may be called again and anywhere, so it must be pure."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an admin has to read: a phrase and the values for its placeholders."""

    key: str
    values: Mapping[str, str]


class NoticeStore(Protocol):
    async def keep_notice(self, user_id: int, notice: Notice) -> None:
        """For somebody who cannot be written to yet."""

    async def take_notices(self, user_id: int) -> list[Notice]:
        """What was kept for them, oldest first; it is kept no longer."""
