"""`python -m bot prices`: print what each choice of each model costs, and which have no price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from bot.errors import SettingsError
from bot.prices import Prices, priced_choices
from bot.providers import build_models, build_providers
from bot.request import MOST_AT_ONCE, Mode, VideoModel, VideoRequest, shown
from bot.settings import load_settings

_NO_PRICE = "no price"


@click.command(short_help="Print what each choice of each model costs.")
def prices() -> None:
    """Print what each choice of each model costs with MODEL_PRICES, and which have no price.

    A line for each length, resolution and sound; references and off-peak stand beside it if they cost
    something else.
    """

    try:
        settings = load_settings()
        models = build_models(settings, build_providers(settings, lambda: datetime.now(UTC)))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    unpriced = []
    for name in shown(models):
        lines = list(price_lines(models[name], settings.model_prices, settings.currency))
        click.echo("\n".join(lines))
        if any(line.endswith(_NO_PRICE) for line in lines):
            unpriced.append(name)
    click.echo(f"Two to {MOST_AT_ONCE} at once (--count) cost as many times as much.")
    if unpriced:
        click.echo(f"MODEL_PRICES lacks some or all choices of {', '.join(unpriced)}.", err=True)


def price_lines(model: VideoModel, prices: Prices, currency: str) -> Iterator[str]:
    """Yield `kling-3.0 · 5 s · 720p · sound: 0.63 USD` for all choices; `no price` if there is none."""
    told: dict[str, set[str]] = {}
    for request in priced_choices(model):
        price = prices.quote(request, model)
        parts = [model.name, f"{request.seconds} s", request.resolution or "", _sound(model, request)]
        kind = [
            "with references" if request.mode is Mode.REFERENCES else "",
            "off-peak" if request.off_peak else "",
        ]
        amount = _NO_PRICE if price is None else f"{price:f} {currency}"
        base = " · ".join(filter(None, parts))
        # References and off-peak only if they cost something else.
        if amount not in told.setdefault(base, set()):
            told[base].add(amount)
            yield f"{' · '.join(filter(None, [*parts, *kind]))}: {amount}"


def _sound(model: VideoModel, request: VideoRequest) -> str:
    return "sound" if request.audio or model.audio_always else "silent" if model.audio else ""
