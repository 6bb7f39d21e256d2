"""Check the prices: whether they fit what is set up, and whether budgets can be kept."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from bot.cli.doctor.finding import Finding
from bot.prices import Price
from bot.request import VideoModel, VideoRequest, shown
from bot.settings import Settings

_WHAT = "prices"


def judge_prices(settings: Settings, models: Mapping[str, VideoModel]) -> list[Finding]:
    """Judge the prices of `models`, those that are set up. Returns nothing if no price is set."""
    prices = settings.model_prices
    if not prices:
        return []
    found = [finding for price in prices.entries if (finding := _judge(price, models))]
    unpriced = [
        name for name in shown(models) if not models[name].free and not _is_priced(settings, models[name])
    ]
    if unpriced and (settings.daily_budget is not None or settings.daily_budget_per_user is not None):
        seen = f"There is a budget, and not all that these can do has a price: {', '.join(unpriced)}."
        mend = "Add them to MODEL_PRICES: within a budget nothing is ordered that has no price."
        found.append(Finding(_WHAT, "warning", seen, mend))
    priced = [name for name in models if prices.of_model(name)]
    seen = f"For {', '.join(priced)}, in {settings.currency}."
    if unpriced:
        seen += f" Missing for {', '.join(unpriced)}, in part or altogether: such cards name no cost."
    return found or [Finding(_WHAT, "ok", seen)]


def _judge(price: Price, models: Mapping[str, VideoModel]) -> Finding | None:
    model = models.get(price.model)
    if model is None:
        near = difflib.get_close_matches(price.model, models, n=1)
        mend = f"Is {near[0]} meant?" if near else f"Here are: {', '.join(models)}."
        return Finding(_WHAT, "warning", f"MODEL_PRICES names {price.model}, which is not set up here.", mend)
    resolutions = [name.lower() for name in model.resolutions]
    if price.resolution is not None and price.resolution not in resolutions:
        seen = f"MODEL_PRICES has a price for {model.name} in {price.resolution}, which it does not make."
        return Finding(_WHAT, "warning", seen, f"It makes {', '.join(model.resolutions)}.")
    if price.sound and not model.audio:
        return Finding(
            _WHAT, "warning", f"MODEL_PRICES has a price for {model.name} with sound, which it does not make."
        )
    return None


def _is_priced(settings: Settings, model: VideoModel) -> bool:
    """Return True if every choice on which a price may depend has a price."""
    choices = [
        VideoRequest(model=model.name, resolution=resolution, audio=audio)
        for resolution in model.resolutions or (None,)
        for audio in ((False, True) if model.audio else (None,))
    ]
    return all(settings.model_prices.quote(choice, model) is not None for choice in choices)
