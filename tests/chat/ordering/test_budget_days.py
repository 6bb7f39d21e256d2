"""Days and budgets: when they begin again, and when admins hear of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from fakes import A_MODEL, NOW, Clock, a_task

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat.access import Access
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.ordering.budgets import Budgets
from bot.local_time import day_of, renewal_of
from bot.settings import IsolatedSettings
from bot.store import Notice
from bot.stores.sqlite import SQLiteStore


class BudgetHarness:
    """Budgets on a store, with what the admins were told."""

    def __init__(self, store: SQLiteStore, clock: Clock, **settings: str) -> None:
        values = {"model_prices": "jimeng-pro=1", "admin_users": "501", **settings}
        self.rules = LiveSettings(IsolatedSettings.model_validate(values), store.audit, clock)
        self.told: list[str] = []
        self.store, self.clock = store, clock
        self.budgets = Budgets(
            live_settings=self.rules,
            store=store,
            access=Access(self.rules, Permissions(store.audit, clock), store, store.tasks, clock),
            price_labels=lambda: PriceLabels(
                self.rules.settings.model_prices, self.rules.settings.currency, {"jimeng-pro": A_MODEL}
            ),
            tell_admins=self.tell,
            clock=clock,
        )

    async def tell(self, notice: Notice) -> None:
        self.told.append(notice.key)

    async def order(self, user_id: int = 20) -> str | None:
        """The code of what stands against it; else it is queued."""
        refusal = await self.budgets.limit(user_id, "en", a_task().request)
        if refusal is None:
            number = await self.store.budget.spent_since(datetime(2000, 1, 1, tzinfo=UTC))
            task = a_task(f"{number}", price=Decimal(1), queued_at=self.clock(), user_id=user_id)
            await self.store.tasks.add(task)
            await self.budgets.watch()
        return refusal.key if refusal else None


@pytest.mark.parametrize(
    ("now", "zone", "began"),
    [
        ("2026-05-04T12:00:00+00:00", "UTC", "2026-05-04T00:00:00+00:00"),
        ("2026-05-04T20:00:00+00:00", "Asia/Shanghai", "2026-05-04T16:00:00+00:00"),
        ("2026-05-04T03:00:00+00:00", "America/New_York", "2026-05-03T04:00:00+00:00"),
        ("2026-03-29T12:00:00+00:00", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_where_the_settings_say(now: str, zone: str, began: str) -> None:
    moment = datetime.fromisoformat(now)
    assert day_of(moment, ZoneInfo(zone)) == datetime.fromisoformat(began)
    assert renewal_of(moment, ZoneInfo(zone)) == "00:00"


async def test_admins_hear_once_at_four_fifths_and_once_at_the_end_and_anew_the_next_day(
    store: SQLiteStore, clock: Clock
) -> None:
    ctx = BudgetHarness(store, clock, daily_budget="5")
    assert [await ctx.order() for _ in range(7)] == [*[None] * 5, "limit_budget_all", "limit_budget_all"]
    assert ctx.told == ["budget_nearly", "budget_spent"]
    clock.advance(24 * 3600)
    assert [await ctx.order() for _ in range(5)] == [None] * 5
    assert ctx.told == ["budget_nearly", "budget_spent"] * 2


async def test_two_orders_at_once_never_share_what_is_left(store: SQLiteStore, clock: Clock) -> None:
    ctx = BudgetHarness(store, clock, daily_budget="3")
    request = a_task().request
    tried = await asyncio.gather(*(ctx.budgets.limit(user_id, "en", request) for user_id in range(20, 30)))
    assert [refusal.key for refusal in tried if refusal] == ["limit_budget_all"] * 7
    winner = next(user_id for user_id, refusal in enumerate(tried, 20) if refusal is None)
    await ctx.budgets.release(winner)
    assert await ctx.budgets.limit(40, "en", request) is None


async def test_of_a_budget_that_is_raised_admins_hear_again(store: SQLiteStore, clock: Clock) -> None:
    ctx = BudgetHarness(store, clock, daily_budget="1")
    assert [await ctx.order() for _ in range(2)] == [None, "limit_budget_all"]
    await ctx.rules.change("DAILY_BUDGET", "2", 501)
    assert [await ctx.order() for _ in range(2)] == [None, "limit_budget_all"]
    assert ctx.told == ["budget_spent"] * 2


async def test_a_persons_budget_is_theirs_and_no_admins(store: SQLiteStore, clock: Clock) -> None:
    ctx = BudgetHarness(store, clock, daily_budget_per_user="1")
    assert [await ctx.order(20), await ctx.order(20), await ctx.order(21)] == [None, "limit_budget", None]
    assert [await ctx.order(501) for _ in range(3)] == [None] * 3
    assert await ctx.budgets.left(Decimal(1), 501) == -2
    assert ctx.told == []


async def test_a_budget_of_nothing_lets_nothing_through_that_costs(store: SQLiteStore, clock: Clock) -> None:
    ctx = BudgetHarness(store, clock, daily_budget="0")
    assert await ctx.order() == "limit_budget_all"
    assert clock() == NOW
