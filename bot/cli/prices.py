"""`python -m bot prices`: print what each choice of each model costs, and which have no price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import click

from bot.errors import SettingsError
from bot.prices import Prices
from bot.providers import build_models, build_providers
from bot.request import Mode, VideoModel, VideoRequest, can_sound, check_request, seconds_for, shown
from bot.settings import load_settings

_NO_PRICE = "no price"
_PHOTOS = {Mode.TEXT: 0, Mode.FIRST_LAST: 2}


@click.command(short_help="Print what each choice of each model costs.")
def prices() -> None:
    """Print what each choice of each model costs with MODEL_PRICES, and which have no price.

    A line for each length, resolution and sound; references and off-peak stand beside it where they cost
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
    if unpriced:
        click.echo(f"MODEL_PRICES lacks some or all choices of {', '.join(unpriced)}.", err=True)


def price_lines(model: VideoModel, prices: Prices, currency: str) -> Iterator[str]:
    """Yield `kling-3.0 · 5 s · 720p · sound: 0.63 USD` for all choices; `no price` where there is none."""
    told: dict[str, set[str]] = {}
    modes = [mode for mode in Mode if mode in model.modes and mode is not Mode.CAMERA]
    for mode, off_peak in product(modes, (False, True) if model.off_peak else (False,)):
        for request in _choices(model, mode, off_peak=off_peak):
            price = prices.quote(request, model)
            parts = [model.name, f"{request.seconds} s", request.resolution or "", _sound(model, request)]
            kind = ["with references" if mode is Mode.REFERENCES else "", "off-peak" if off_peak else ""]
            amount = _NO_PRICE if price is None else f"{price:f} {currency}"
            base = " · ".join(filter(None, parts))
            # References and off-peak only where they cost something else.
            if amount not in told.setdefault(base, set()):
                told[base].add(amount)
                yield f"{' · '.join(filter(None, [*parts, *kind]))}: {amount}"


def _choices(model: VideoModel, mode: Mode, *, off_peak: bool) -> Iterator[VideoRequest]:
    sounds = (False, True) if can_sound(mode, model) else (None,)
    resolutions = model.resolutions or (None,)
    for seconds, resolution, audio in product(sorted(seconds_for(mode, model)), resolutions, sounds):
        request = VideoRequest(
            model=model.name,
            prompt="x",
            photos=("photo",) * _PHOTOS.get(mode, 1),
            photos_as="references" if mode is Mode.REFERENCES else "frames",
            seconds=seconds,
            resolution=resolution,
            audio=audio,
            off_peak=off_peak or None,
        )
        if not check_request(request, model):
            yield request


def _sound(model: VideoModel, request: VideoRequest) -> str:
    return "sound" if request.audio or model.audio_always else "silent" if model.audio else ""
