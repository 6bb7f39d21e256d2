"""Check that prices match the models that are set up, and that budgets can be kept."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from bot.cli.doctor.finding import Finding
from bot.prices import Price, Prices, priced_choices
from bot.request import Mode, VideoModel, VideoRequest, listed_seconds, settle, shown
from bot.settings import Settings

_WHAT = "prices"


def judge_prices(settings: Settings, models: Mapping[str, VideoModel]) -> list[Finding]:
    """Check the prices of `models`, those that are set up. Without prices there are no findings."""
    prices = settings.model_prices
    if not prices:
        return []
    bought = {
        name: [settle(one, model) for one in priced_choices(model)]
        for name, model in models.items()
        if not model.free
    }
    found = [
        finding for price in prices.entries if (finding := _judge(price, prices, models, bought)) is not None
    ]
    unpriced = [
        name
        for name in shown(models)
        if name in bought and not all(prices.counting(one) for one in bought[name])
    ]
    if unpriced and (settings.daily_budget is not None or settings.daily_budget_per_user is not None):
        seen = f"There is a budget, and some options of these models have no price: {', '.join(unpriced)}."
        mend = (
            "Add them to MODEL_PRICES: with a budget, nothing without a price is ordered. "
            "`python -m bot prices` lists them."
        )
        found.append(Finding(_WHAT, "warning", seen, mend))
    priced = [name for name in models if prices.of_model(name)]
    seen = f"For {', '.join(priced)}, in {settings.currency}."
    if unpriced:
        seen += f" Missing for some or all options of {', '.join(unpriced)}: their cards show no price."
    return found or [Finding(_WHAT, "ok", seen)]


def _judge(
    price: Price,
    prices: Prices,
    models: Mapping[str, VideoModel],
    bought: Mapping[str, Sequence[VideoRequest]],
) -> Finding | None:
    model = models.get(price.model)
    if model is None:
        near = difflib.get_close_matches(price.model, models, n=1)
        mend = f"Did you mean {near[0]}?" if near else f"These are set up: {', '.join(models)}."
        return Finding(_WHAT, "warning", f"MODEL_PRICES names {price.model}, which is not set up here.", mend)
    choices, entry = bought.get(model.name, ()), ":".join((model.name, *price.choice))
    if model.free:  # a price for it does no harm
        return None
    if not any(price.fits(one) for one in choices):
        seen = f"MODEL_PRICES has a price for {entry}, which that model does not make."
        return Finding(_WHAT, "warning", seen, f"It makes {', '.join(_words(choices))}.")
    if not any(price in prices.counting(one) for one in choices):
        mend = (
            "For each of its videos another entry says more, or as much and costs more: remove one of them."
        )
        return Finding(_WHAT, "warning", f"The price for {entry} in MODEL_PRICES never counts.", mend)
    return None


def _words(choices: Sequence[VideoRequest]) -> list[str]:
    """Return what an entry for these can name, as MODEL_PRICES writes it."""
    lengths = listed_seconds(list({one.seconds for one in choices if one.seconds}))
    named = [
        *((one.resolution or "").lower() for one in choices),
        *(f"{length}s" for length in lengths),
        *("sound" if one.audio else "silent" for one in choices),
        *("references" for one in choices if one.mode is Mode.REFERENCES),
        *("off-peak" for one in choices if one.off_peak),
    ]
    return list(dict.fromkeys(filter(None, named)))
