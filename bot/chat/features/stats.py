"""/stats: a plot of two weeks with a few figures. Admins see everybody's in private, others their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.chat.cards.layout import cut
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.errors import MediaError
from bot.log import get_log
from bot.media.media_info import ChartSeries
from bot.media.process import run_in_process
from bot.media.work import draw_chart
from bot.store.statistics import (
    NO_MONEY,
    Outcome,
    TaskCount,
    UserUsage,
    Wait,
    day_edges,
    outcome_of,
)
from bot.text import plain, say, say_duration

_DAYS = 14
_NAMED = 5
_NAME_SHOWN = 24
_DRAW_LIMIT_S = 20.0
_OUTCOMES: Final[tuple[Outcome, ...]] = ("made", "failed", "cancelled", "open")
_log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of all people, with `users`, or of one person."""

    days: tuple[str, ...]
    counts: dict[Outcome, tuple[int, ...]]
    models: Counter[str]
    wait: Wait | None
    spent: Decimal
    users: Sequence[UserUsage] = ()


async def stats(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    """Send the person's own statistics, or to an admin in private those of everybody."""
    sees_all = sender.chat_id == sender.user_id and await ctx.access.is_admin(sender.user_id)
    figures = await _figures(ctx, None if sees_all else sender.user_id)
    text = draw_figures(sender.language, figures, ctx.price_labels())
    if not figures.models:
        await ctx.messenger.answer(sender, text)
        return
    try:
        parts = chart_parts(sender.language, figures)
        picture = await run_in_process(draw_chart, figures.days, parts, limit_s=_DRAW_LIMIT_S)
    except MediaError as error:
        _log.warning("a plot could not be drawn", reason=error.detail or error.code)
        await ctx.messenger.answer(sender, text)
        return
    await ctx.messenger.show(sender, picture, text)


async def _figures(ctx: ChatContext, user_id: int | None) -> Statistics:
    edges = day_edges(ctx.clock(), ctx.settings.zone, _DAYS)
    since, until = edges[0], edges[-1]
    tallies = await ctx.store.statistics.task_counts(edges, user_id)
    waits = await ctx.store.statistics.waits([since, until], user_id)
    users = await ctx.store.statistics.user_usage(since, until, _NAMED) if user_id is None else []
    days = tuple(f"{edge:%m-%d}" for edge in edges[:-1])
    return Statistics(
        days,
        {outcome: _by_day(tallies, outcome, len(days)) for outcome in _OUTCOMES},
        _by_model(tallies),
        waits[0] if waits else None,
        sum((tally.spent for tally in tallies), NO_MONEY),
        users,
    )


def draw_figures(language: str, figures: Statistics, price_labels: PriceLabels) -> str:
    """Draw the figures as a caption in HTML."""
    sees_all = bool(figures.users)
    if not figures.models:
        return say(language, "stats_none", days=len(figures.days))
    lines = [
        say(language, "stats_all" if sees_all else "stats_own", days=len(figures.days)),
        say(language, "stats_asked", count=figures.models.total(), made=sum(figures.counts["made"])),
    ]
    if figures.wait is not None:
        half = say_duration(language, figures.wait.p50_s)
        most = say_duration(language, figures.wait.p90_s)
        lines.append(say(language, "stats_waits", half=half, most=most))
    if figures.spent:
        lines.append(
            say(language, "stats_spent", amount="\0").replace(
                "\0", price_labels.words(language, figures.spent)
            )
        )
    if len(figures.models) > 1:
        models = [f"{name} {count}" for name, count in figures.models.most_common(_NAMED)]
        lines.append(say(language, "stats_models", models=models))
    if sees_all:
        people = [f"{cut(one.name, _NAME_SHOWN) or one.user_id} {one.count}" for one in figures.users]
        lines.append(say(language, "stats_people", people=people))
        lines.append(say(language, "stats_page"))
    return "\n".join(lines)


def chart_parts(language: str, figures: Statistics) -> tuple[ChartSeries, ...]:
    """Return the parts of the chart that are not empty."""
    return tuple(
        ChartSeries(plain(say(language, f"stats_{outcome}")), outcome, counts)
        for outcome, counts in figures.counts.items()
        if any(counts)
    )


def _by_day(tallies: Sequence[TaskCount], outcome: Outcome, days: int) -> tuple[int, ...]:
    counts = [0] * days
    for tally in tallies:
        if outcome_of(tally.state) == outcome:
            counts[tally.span] += tally.count
    return tuple(counts)


def _by_model(tallies: Sequence[TaskCount]) -> Counter[str]:
    models: Counter[str] = Counter()
    for tally in tallies:
        models[tally.model] += tally.count
    return models


COMMANDS: Commands = (Command(name="stats", handle=stats),)
BUTTONS: Buttons = ()
