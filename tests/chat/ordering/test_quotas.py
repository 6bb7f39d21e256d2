"""What is left of the day: a line where it is little, for the person, their group and their budget."""

from __future__ import annotations

from decimal import Decimal

from fakes import A_MODEL, Clock, a_task, changed_task

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat.access import Access
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.quotas import Quotas
from bot.settings import IsolatedSettings
from bot.store import Notice
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.text import say

DRAFT = a_task("draft", state=TaskState.DRAFT, question="card_draft", queued_at=None)
GROUP = -100


def allowance(store: SQLiteStore, clock: Clock, **settings: str) -> Quotas:
    async def nobody(_: Notice) -> None:
        pass

    values = {"model_prices": "jimeng-pro=1", "admin_users": "501", **settings}
    rules = LiveSettings(IsolatedSettings.model_validate(values), store.audit, clock)
    access = Access(rules, Permissions(store.audit, clock), store, store.tasks, clock)

    def price_labels() -> PriceLabels:
        return PriceLabels(rules.settings.model_prices, rules.settings.currency, {"jimeng-pro": A_MODEL})

    budgets = Budgets(
        live_settings=rules,
        store=store,
        access=access,
        price_labels=price_labels,
        tell_admins=nobody,
        clock=clock,
    )
    return Quotas(live_settings=rules, access=access, budgets=budgets, price_labels=price_labels, clock=clock)


async def ordered(store: SQLiteStore, times: int, **changes: object) -> None:
    for number in range(times):
        await store.tasks.add(a_task(f"{changes}{number}", price=Decimal(1), **changes))


def left(key: str, left: object, most: object) -> str:
    return say("en", key, left=left, most=most, time="00:00")


async def test_a_line_comes_where_three_videos_are_left_and_not_before(
    store: SQLiteStore, clock: Clock
) -> None:
    asked = allowance(store, clock, daily_videos_per_user="5")
    await ordered(store, 1)
    assert await asked.before(DRAFT) == ""
    assert await asked.after(DRAFT, DRAFT.request) == left("left_videos", 3, 5)
    await ordered(store, 1, language="zh")
    assert await asked.before(DRAFT) == left("left_videos", 3, 5)
    assert await asked.before(a_task()) == ""


async def test_in_a_group_what_the_group_has_left_counts_too(store: SQLiteStore, clock: Clock) -> None:
    asked = allowance(store, clock, daily_videos_per_chat="4", daily_videos_per_user="9")
    await ordered(store, 3, chat_id=GROUP, user_id=21)
    live_bot: Task = changed_task(DRAFT, chat_id=GROUP)
    assert await asked.before(live_bot) == left("left_videos_chat", 1, 4)
    assert await asked.before(DRAFT) == ""
    assert (await asked.all(20, GROUP, "en")).split("\n") == [
        left("left_videos", 9, 9),
        left("left_videos_chat", 1, 4),
    ]


async def test_of_a_budget_the_last_fifth_is_told(store: SQLiteStore, clock: Clock) -> None:
    unlimited = {"daily_videos_per_user": "unlimited", "daily_budget_per_user": "5"}
    asked = allowance(store, clock, **unlimited)
    await ordered(store, 3)
    assert await asked.before(DRAFT) == ""
    assert await asked.after(DRAFT, DRAFT.request) == left("left_money", "1\u00a0USD", "5\u00a0USD")
    await ordered(store, 3, language="zh")
    assert await asked.all(20, 10, "en") == left("left_money", "0\u00a0USD", "5\u00a0USD")


async def test_who_has_no_bounds_reads_of_none(store: SQLiteStore, clock: Clock) -> None:
    asked = allowance(store, clock, daily_videos_per_user="1", daily_budget_per_user="1")
    assert await asked.all(501, 501, "en") == ""
    boundless = allowance(store, clock, daily_videos_per_user="unlimited", daily_videos_per_chat="unlimited")
    assert await boundless.all(20, GROUP, "en") == ""
