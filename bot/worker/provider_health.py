"""Accounts at providers: when one refuses to work, its admins are told once, and once when that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.errors import AccountProblem, StoreError
from bot.log import get_log, level_of
from bot.request import VideoModel
from bot.store import AccountTrouble, Notice, ProviderStore
from bot.store.leases import SINGLE_PROCESS, LeaseStore, lease

_OF_ONE_MODEL = frozenset({"not_activated"})
"""Some providers have each model activated by itself: the others work on."""
_LEASE_S = 60.0


class Accounts:
    """`tell_admins` never raises: what an admin cannot be told now is kept for them."""

    def __init__(
        self,
        store: ProviderStore,
        tell_admins: Callable[[Notice], Awaitable[None]],
        clock: Callable[[], datetime],
        sharing: LeaseStore = SINGLE_PROCESS,
    ) -> None:
        self._store = store
        self._sharing = sharing
        self._tell_admins = tell_admins
        self._clock = clock
        self._telling = asyncio.Lock()
        self._log = get_log(__name__)

    async def refused(self, model: VideoModel, error: AccountProblem) -> None:
        """The account was refused. The first time in an outage its admins hear of it."""
        whose = model.name if error.trouble in _OF_ONE_MODEL else model.provider
        async with self._telling:
            try:
                async with lease(self._sharing, f"trouble of {whose}", _LEASE_S):
                    if whose in {trouble.provider for trouble in await self._store.troubles()}:
                        return
                    self._log.error("the account was refused", provider=model.provider, detail=error.detail)
                    # Told, then noted: a crash between the two tells it twice, and never not at all.
                    await self._tell_admins(Notice(f"trouble_{error.trouble}", {"provider": whose}))
                    await self._store.mark_trouble(AccountTrouble(whose, error.trouble, self._clock()))
            except StoreError as refusal:
                self._log.log(
                    level_of(refusal), "an outage could not be stored", provider=whose, reason=str(refusal)
                )

    async def worked(self, model: VideoModel) -> None:
        """A submit was accepted, so whatever was wrong is over."""
        for whose in (model.provider, model.name):
            try:
                over = await self._store.mark_well(whose)
            except StoreError:
                return
            if over is not None:
                self._log.info("the account works again", provider=whose)
                minutes = max(round((self._clock() - over.since).total_seconds() / 60), 1)
                notice = Notice("trouble_over", {"provider": whose, "minutes": str(minutes)})
                await self._tell_admins(notice)
