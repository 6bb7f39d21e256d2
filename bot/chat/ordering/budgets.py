"""Budgets: what a day may cost, for everybody and for one person. The admins hear when it is nearly spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from bot.admin.live_settings import LiveSettings
from bot.chat.access import Access
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.reply import Reply
from bot.errors import StoreError
from bot.local_time import day_of, renewal_of
from bot.request import VideoRequest, shown
from bot.store import Notice, Store
from bot.text import plain

_NEARLY = Decimal("0.8")


class Budgets:
    """`tell_admins` never raises."""

    def __init__(
        self,
        *,
        live_settings: LiveSettings,
        store: Store,
        access: Access,
        price_labels: Callable[[], PriceLabels],
        tell_admins: Callable[[Notice], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._live_settings = live_settings
        self._store = store
        self._access = access
        self._price_labels = price_labels
        self._tell_admins = tell_admins
        self._clock = clock
        self._set_aside: set[int] = set()
        """The people with money reserved until their order is stored: one order of a person at a time."""

    async def limit(self, user_id: int, language: str, *requests: VideoRequest) -> Reply | None:
        """Return the budget that refuses the orders; else reserve their price until they are stored, so that
        no two orders share what is left. The budget for everybody binds admins too; that for a person does
        not."""
        settings, price_labels = self._live_settings.settings, self._price_labels()
        own = None if await self._access.is_admin(user_id) else settings.daily_budget_per_user
        if settings.daily_budget is None and own is None:
            return None
        price = Decimal(0)
        for request in requests:
            quote = price_labels.quote(request)
            if quote is None:
                choices = [name for name in shown(price_labels.models) if price_labels.prices.of_model(name)]
                return Reply("limit_unpriced", {"model": request.model, "choices": choices or "–"})
            price += quote
        if not price:
            return None
        if own is not None and (left := await self.left(own, user_id)) < price:
            return self._refusal("limit_budget", language, price, left)
        if settings.daily_budget is None:
            return None
        now = self._clock()
        since = day_of(now, settings.zone)
        left = await self._store.budget.reserve(user_id, price, settings.daily_budget, since=since, now=now)
        if left >= price:
            self._set_aside.add(user_id)
            return None
        await self._tell(settings.daily_budget, left, is_full=True)
        return self._refusal("limit_budget_all", language, price, left)

    async def release(self, user_id: int) -> None:
        """Release the reservation: the order is stored, or was not made."""
        if user_id in self._set_aside:
            self._set_aside.discard(user_id)
            with suppress(StoreError):  # it runs out
                await self._store.budget.cancel_reservation(user_id)

    async def watch(self) -> None:
        """Tell the admins once when four fifths of today's budget are spent, and once when all of it is."""
        budget = self._live_settings.settings.daily_budget
        if budget is None or not budget:
            return
        left = await self.left(budget)
        if left <= budget * (1 - _NEARLY):
            await self._tell(budget, left, is_full=left <= 0)

    async def left(self, budget: Decimal, user_id: int | None = None) -> Decimal:
        """Return what is left of today's budget; below zero if it was lowered meanwhile."""
        since = day_of(self._clock(), self._live_settings.settings.zone)
        return budget - await self._store.budget.spent_since(since, user_id=user_id)

    def _refusal(self, code: str, language: str, price: Decimal, left: Decimal) -> Reply:
        price_labels = self._price_labels()
        values = {
            "price": plain(price_labels.words(language, price)),
            "left": plain(price_labels.words(language, max(left, Decimal(0)))),
            "time": self._renewal(),
        }
        return Reply(code, dict(values))

    async def _tell(self, budget: Decimal, left: Decimal, *, is_full: bool) -> None:
        """Tell the admins that a budget is used up, once a day and amount: a raised budget is a new one."""
        day = day_of(self._clock(), self._live_settings.settings.zone).date()
        key = "budget_spent" if is_full else "budget_nearly"
        if not await self._store.maintenance.set_flag(f"{key} {day} {budget}", self._clock()):
            return
        price_labels = self._price_labels()
        spent, most = (plain(price_labels.words("en", amount)) for amount in (budget - left, budget))
        await self._tell_admins(Notice(key, {"spent": spent, "budget": most, "time": self._renewal()}))

    def _renewal(self) -> str:
        return renewal_of(self._clock(), self._live_settings.settings.zone)
