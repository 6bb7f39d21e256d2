"""Check that prices match the models that are set up, and that budgets can be kept."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from bot.cli.doctor.finding import Finding
from bot.prices import Price
from bot.request import VideoModel, VideoRequest, shown
from bot.settings import Settings

_WHAT = "prices"


def judge_prices(settings: Settings, models: Mapping[str, VideoModel]) -> list[Finding]:
    """Check the prices of `models`, those that are set up. Without prices there are no findings."""
    prices = settings.model_prices
    if not prices:
        return []
    found = [finding for price in prices.entries if (finding := _judge(price, models))]
    unpriced = [
        name for name in shown(models) if not models[name].free and not _is_priced(settings, models[name])
    ]
    if unpriced and (settings.daily_budget is not None or settings.daily_budget_per_user is not None):
        seen = f"There is a budget, and some options of these models have no price: {', '.join(unpriced)}."
        mend = "Add them to MODEL_PRICES: with a budget, nothing without a price is ordered."
        found.append(Finding(_WHAT, "warning", seen, mend))
    priced = [name for name in models if prices.of_model(name)]
    seen = f"For {', '.join(priced)}, in {settings.currency}."
    if unpriced:
        seen += f" Missing for some or all options of {', '.join(unpriced)}: their cards show no price."
    return found or [Finding(_WHAT, "ok", seen)]


def _judge(price: Price, models: Mapping[str, VideoModel]) -> Finding | None:
    model = models.get(price.model)
    if model is None:
        near = difflib.get_close_matches(price.model, models, n=1)
        mend = f"Did you mean {near[0]}?" if near else f"These are set up: {', '.join(models)}."
        return Finding(_WHAT, "warning", f"MODEL_PRICES names {price.model}, which is not set up here.", mend)
    resolutions = [name.lower() for name in model.resolutions]
    if price.resolution is not None and price.resolution not in resolutions:
        seen = f"MODEL_PRICES has a price for {model.name} in {price.resolution}, which it does not make."
        return Finding(_WHAT, "warning", seen, f"It makes {', '.join(model.resolutions)}.")
    if price.sound and not (model.audio or model.audio_always):
        return Finding(
            _WHAT, "warning", f"MODEL_PRICES has a price for {model.name} with sound, which it does not make."
        )
    return None


def _is_priced(settings: Settings, model: VideoModel) -> bool:
    """Return True if every option that a price may depend on has one."""
    choices = [
        VideoRequest(model=model.name, resolution=resolution, audio=audio)
        for resolution in model.resolutions or (None,)
        for audio in ((False, True) if model.audio else (None,))
    ]
    return all(settings.model_prices.quote(choice, model) is not None for choice in choices)
