"""The card of /models: a choice of them, and what each can do, in a few short lines. Pure.

`models:NAME` shows a model, `models:use=NAME` makes it the default of the chat, `models:` goes back.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from bot.chat.cards.layout import Card, button, join, keyboard, rows
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.prices import Price
from bot.request import Mode, VideoModel, listed_seconds, resolutions_for, seconds_for, shown
from bot.text import plain, say

VERB = "models"
USE = "use="
_COLUMNS = 2
_SEPARATOR = " · "
_CHOICES = " / "


def draw_models(language: str, models: Mapping[str, VideoModel], default: str) -> Card:
    """Draw the models that are offered here, a line and a button for each. `default` is the model for
    requests that name none."""
    names = shown(models)
    if not names:
        return Card(say(language, "no_model"), None)
    lines = [
        say(language, "models_heading", name=name, title=models[name].title)
        + (f" · {say(language, 'models_default')}" if name == default else "")
        for name in names
    ]
    text = join(say(language, "models_title"), "\n".join(lines), *_advice(language, names, default))
    buttons = [button(f"✓ {name}" if name == default else name, VERB, name) for name in names]
    return Card(text, keyboard(rows(buttons, _COLUMNS)))


def draw_model(
    language: str,
    model: VideoModel,
    default: str,
    usual_s: Mapping[str, float] | None = None,
    price_labels: PriceLabels = NO_PRICE_LABELS,
    *,
    may_choose: bool = True,
) -> Card:
    """Draw what one model can do. With `may_choose` a button makes it the default; another one goes back.
    `usual_s` is how long each model takes here; if a model is missing there, its own figure counts."""
    usual = (usual_s or {}).get(model.name, model.typical_s)
    text = _block(language, model, model.name == default, usual, price_labels)
    use = button(say(language, "button_use_model"), VERB, f"{USE}{model.name}")
    back = button(plain(say(language, "option_back")), VERB, "")
    return Card(text, keyboard([[use] if may_choose and model.name != default else [], [back]]))


def _advice(language: str, names: list[str], default: str) -> list[str]:
    """Say how to choose a model for one video, and which is the default if no line says it."""
    others = [name for name in names if name != default]
    lines = [say(language, "models_choose", model=others[0])] if others else []
    return lines if default in names else [*lines, say(language, "models_unnamed", model=default)]


def _block(
    language: str, model: VideoModel, is_default: bool, usual_s: float, price_labels: PriceLabels
) -> str:
    lines = [
        say(language, "models_heading", name=model.name, title=model.title),
        say(language, "models_default") if is_default else "",
        _sources(language, model),
        _sizes(language, model),
        " ".join(model.ratios),
        _extras(language, model),
        say(language, "models_usual", time=_time(language, usual_s)),
        *_prices(language, model, price_labels),
        _photos(language, model),
    ]
    return "\n".join(line for line in lines if line)


def _sources(language: str, model: VideoModel) -> str:
    """Say what the model makes videos from here."""
    usable = model.modes if model.photo_reachable else model.modes & {Mode.TEXT}
    return _SEPARATOR.join(_source(language, model, mode) for mode in Mode if mode in usable)


def _source(language: str, model: VideoModel, mode: Mode) -> str:
    name = say(language, f"models_{mode.value}", count=model.references)
    resolutions, lengths = resolutions_for(mode, model), seconds_for(mode, model)
    limits = [] if resolutions == model.resolutions else [_CHOICES.join(resolutions)]
    if lengths != model.seconds:
        limits.append(plain(_lengths(language, lengths)))
    return say(language, "models_only_at", mode=name, resolutions=", ".join(limits)) if limits else name


def _sizes(language: str, model: VideoModel) -> str:
    resolutions = html.escape(_CHOICES.join(model.resolutions), quote=False)
    lengths = _lengths(language, model.seconds)
    left = {name: _possible(model, name) for name in model.resolutions}
    together = (
        say(language, "models_only_at", mode=name, resolutions=plain(_lengths(language, possible)))
        for name, possible in left.items()
        if possible != model.seconds
    )
    return _SEPARATOR.join(part for part in (lengths, resolutions, *together) if part)


def _possible(model: VideoModel, resolution: str) -> tuple[int, ...]:
    """Return the lengths that it makes in this resolution in any mode."""
    lengths = {one for mode in model.modes for one in seconds_for(mode, model, resolution)}
    return tuple(one for one in model.seconds if one in lengths)


def _lengths(language: str, lengths: Sequence[int]) -> str:
    return say(language, "seconds", seconds=_CHOICES.join(listed_seconds(lengths)))


def _extras(language: str, model: VideoModel) -> str:
    """Return the options that are chosen by a flag or on the card only."""
    offered = {
        "audio": model.audio,
        "audio_always": model.audio_always,
        "negative_prompt": model.negative_prompt,
        "seed": model.seed_max is not None,
        "people": len(model.people) > 1,
        "enhance": len(model.enhance) > 1,
        "guidance": model.guidance,
        "off_peak": model.off_peak,
        "several_shots": model.several_shots,
    }
    names = (say(language, f"models_{name}") for name, can in offered.items() if can)
    extras = _SEPARATOR.join(names)
    return say(language, "models_extras", extras=extras) if extras else ""


def _prices(language: str, model: VideoModel, price_labels: PriceLabels) -> list[str]:
    """Return a line for each price that is set, with the choice that it is for."""
    return [_price(language, price, price_labels) for price in price_labels.prices.of_model(model.name)]


def _price(language: str, price: Price, price_labels: PriceLabels) -> str:
    key = "models_price_second" if price.per_second else "models_price_video"
    amount = say(language, key, price=plain(price_labels.words(language, price.amount)))
    sounds = {True: say(language, "models_audio"), False: say(language, "models_silent"), None: ""}
    seconds = plain(say(language, "seconds", seconds=price.seconds)) if price.seconds else ""
    words = {"references": price.references, "off_peak": price.off_peak}
    named = [plain(say(language, f"models_price_{name}")) for name, is_named in words.items() if is_named]
    choice = ", ".join(filter(None, (price.resolution, seconds, plain(sounds[price.sound]), *named)))
    return say(language, "models_price_for", choice=choice, price=plain(amount)) if choice else amount


def _photos(language: str, model: VideoModel) -> str:
    """Say who receives a photo, or why the model takes none."""
    if model.modes <= {Mode.TEXT}:
        return ""
    if not model.photo_reachable:
        return say(language, "models_no_photos")
    return say(language, "models_photos_to", company=model.company) if model.company else ""


def _time(language: str, duration_s: float) -> str:
    """Round a duration as people would: `10 s`, `2 min`."""
    if duration_s < 90:
        return say(language, "seconds", seconds=max(5 * round(duration_s / 5), 5))
    return say(language, "age_minutes", minutes=round(duration_s / 60))
