"""The last days as charts: requests by outcome, waiting times, money, and the same by model and by person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from bot.store.statistics import NO_MONEY, Outcome, TaskCount, Wait, day_edges, outcome_of
from bot.task import TaskState
from bot.text import say_amount
from bot.web.admin import charts, labels
from bot.web.admin.context import AdminContext
from bot.web.admin.labels import OUTCOMES

CHOICES: Final = (7, 14, 30, 90)
_USUAL = 14
_COLOURS = 5
"""How many models have a colour of their own; the others share one."""
_PEOPLE = 15


@dataclass(frozen=True, slots=True)
class ModelDays:
    """One model over all days."""

    name: str
    outcomes: Counter[Outcome]
    codes: Counter[str]
    """Why there was no video."""
    spent: Decimal


async def days_page(sources: AdminContext, query: Mapping[str, str]) -> dict[str, Any]:
    asked = query.get("days", "")
    days = int(asked) if asked in map(str, CHOICES) else _USUAL
    edges = day_edges(sources.clock(), sources.zone, days)
    tallies = await sources.store.statistics.task_counts(edges)
    waits = await sources.store.statistics.waits(edges)
    names = [f"{edge.day} {edge:%b}" for edge in edges[:-1]]
    models = by_model(tallies)
    return {
        "days": days,
        "since": f"{edges[0]:%Y-%m-%d}",
        "choices": CHOICES,
        "count": sum(tally.count for tally in tallies),
        "requests": _requests(names, tallies),
        "waits": _waits(names, waits),
        "money": _money(names, tallies, models),
        "models": models,
        "colours": _colours(models),
        "most": max((model.outcomes.total() for model in models), default=0),
        "most_spent": max((model.spent for model in models), default=NO_MONEY),
        "codes": sum((model.codes for model in models), Counter[str]()).most_common(8),
        "people": await sources.store.statistics.user_usage(edges[0], edges[-1], _PEOPLE),
        "table": _table(edges, names, tallies, waits),
        "months": _months(sources.clock(), sources.zone),
    }


def _months(now: datetime, zone: ZoneInfo) -> list[str]:
    """Return this month and the two before, newest first."""
    first = now.astimezone(zone).date().replace(day=1)
    months = []
    for _ in range(3):
        months.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    return months


def by_model(tallies: Sequence[TaskCount]) -> list[ModelDays]:
    """Return the models, the most used first."""
    outcomes: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for tally in tallies:
        outcomes[tally.model][outcome_of(tally.state)] += tally.count
        spent[tally.model] += tally.spent
        if tally.state is TaskState.FAILED and tally.error_code:
            codes[tally.model][tally.error_code] += tally.count
    found = [ModelDays(name, outcomes[name], codes[name], spent[name]) for name in outcomes]
    return sorted(found, key=lambda model: (-model.outcomes.total(), model.name))


def _requests(names: Sequence[str], tallies: Sequence[TaskCount]) -> Markup:
    counts: defaultdict[Outcome, Counter[int]] = defaultdict(Counter)
    for tally in tallies:
        counts[outcome_of(tally.state)][tally.span] += tally.count
    series = [
        charts.Series(words, outcome, [counts[outcome][day] for day in range(len(names))])
        for outcome, words in OUTCOMES.items()
    ]
    return charts.stacked(names, series, _whole, "Requests a day, by outcome")


def _waits(names: Sequence[str], waits: Sequence[Wait]) -> Markup | None:
    found = {wait.span: wait for wait in waits}
    if not found:
        return None
    places = range(len(names))
    series = [
        charts.Series(
            "9 of 10 within", "most", [found[day].p90_s if day in found else None for day in places]
        ),
        charts.Series("half within", "half", [found[day].p50_s if day in found else None for day in places]),
    ]
    return charts.lines(names, series, labels.duration, "Waits from the request to the video, a day")


def _money(names: Sequence[str], tallies: Sequence[TaskCount], models: Sequence[ModelDays]) -> Markup | None:
    if not any(tally.spent for tally in tallies):
        return None
    colours = _colours(models)
    spent: defaultdict[str, defaultdict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for tally in tallies:
        spent[tally.model][tally.span] += tally.spent
    series = [
        charts.Series(
            model.name, colours[model.name], [float(spent[model.name][day]) for day in range(len(names))]
        )
        for model in models
        if model.spent
    ]
    return charts.stacked(
        names, series, lambda amount: say_amount("en", Decimal(f"{amount:.6g}")), "Money a day, by model"
    )


def _colours(models: Sequence[ModelDays]) -> dict[str, str]:
    """Return a CSS class for each, so that a model has the same colour in every chart."""
    spenders = sorted((model for model in models if model.spent), key=lambda model: -model.spent)
    return {model.name: f"model-{min(place, _COLOURS)}" for place, model in enumerate(spenders)}


def _table(
    edges: Sequence[datetime], names: Sequence[str], tallies: Sequence[TaskCount], waits: Sequence[Wait]
) -> list[dict[str, Any]]:
    """Return the same as numbers, for people who cannot see charts or want to copy them; newest first."""
    waited = {wait.span: wait for wait in waits}
    rows = []
    for day, (edge, name) in enumerate(zip(edges, names, strict=False)):
        of_day = [tally for tally in tallies if tally.span == day]
        outcomes: Counter[Outcome] = Counter()
        for tally in of_day:
            outcomes[outcome_of(tally.state)] += tally.count
        spent = sum((tally.spent for tally in of_day), NO_MONEY)
        which = {"day": f"{edge:%Y-%m-%d}", "name": name}
        rows.append({**which, "outcomes": outcomes, "wait": waited.get(day), "spent": spent})
    return rows[::-1]


def _whole(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else ""
