"""Accounts at providers: when one refuses to work, its admins are told once, and once when that is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.errors import AccountProblem, StoreError
from bot.log import get_log
from bot.store import AccountStore, AccountTrouble, Notice


class Accounts:
    """`tell_admins` never raises: what an admin cannot be told now is kept for them."""

    def __init__(
        self,
        store: AccountStore,
        tell_admins: Callable[[Notice], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._tell_admins = tell_admins
        self._clock = clock
        self._log = get_log(__name__)

    async def refused(self, provider: str, error: AccountProblem) -> None:
        """The account was refused. The first time in an outage its admins hear of it."""
        trouble = AccountTrouble(provider, error.trouble, self._clock())
        try:
            first = await self._store.mark_trouble(trouble)
        except StoreError:
            first = False  # told at the next refusal
        if first:
            self._log.error("the account was refused", provider=provider, detail=error.detail)
            await self._tell_admins(Notice(f"trouble_{error.trouble}", {"provider": provider}))

    async def worked(self, provider: str) -> None:
        """A submit was accepted, so whatever was wrong is over."""
        try:
            over = await self._store.mark_well(provider)
        except StoreError:
            return
        if over is not None:
            self._log.info("the account works again", provider=provider)
            minutes = max(round((self._clock() - over.since).total_seconds() / 60), 1)
            await self._tell_admins(Notice("trouble_over", {"provider": provider, "minutes": str(minutes)}))
