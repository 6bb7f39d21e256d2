"""`python -m bot models`: print `docs/models.md`, what each model can do, from the records in the code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import click

from bot.providers import build_providers
from bot.providers.jiekou_products import PRODUCTS
from bot.request import Mode, VideoModel, listed_seconds, resolutions_for, seconds_for
from bot.settings import IsolatedSettings

_HEAD = """# Models

What each model can do. The tables are printed by `python -m bot models` from the records that the bot itself
uses; the first of several ratios or resolutions is the default.

**Untried**: no model but `preview` was called with a real key yet. Each is built from its seller's
documentation and tested against local servers that answer as it says. Sellers also take models off sale. An
order for such a model is refused, costs nothing, and the model is hidden until the bot starts again.

"from" names what a video is made from: words, a photo, two photos (the first and the last frame), a camera
move, or references (photos of who, what or where).
"""
_TABLE = """| model | from | seconds | ratios | resolutions | sound | also |
|---|---|---|---|---|---|---|
"""
_MODES = {
    Mode.TEXT: "words",
    Mode.FIRST_FRAME: "a photo",
    Mode.FIRST_LAST: "two photos",
    Mode.CAMERA: "camera moves",
}
_RELAYED = (
    *("jimeng-video-3.0", "grok-video-3", "veo3.1", "veo3.1-components", "veo3.1-fast"),
    *("veo3.1-fast-components", "veo3.1-pro", "veo3.1-4k", "veo3.1-components-4k"),
    *("veo3", "veo3-fast", "veo3-pro", "veo3-frames", "veo2", "veo2-fast", "veo2-fast-components"),
)
_AT_GEEKAI = ("kling-v1-6/words/photo/frames/16:9/9:16/1:1/5s/10s/negative", "cogvideox-flash/words/1280x960")
_SIX = frozenset({"16:9", "4:3", "1:1", "3:4", "9:16", "21:9"})


@click.command(short_help="Print what every model can do, as docs/models.md.")
def models() -> None:
    """Print what every model can do, as docs/models.md."""
    click.echo(draw_models_page(), nl=False)


def draw_models_page() -> str:
    """Return the whole page: a table for each provider."""
    providers = build_providers(_everything(), lambda: datetime.now(UTC))
    parts = [f"\n## `{one.name}`\n\n{_TABLE}{''.join(map(_row, one.models))}" for one in providers]
    return _HEAD + "".join(parts)


def _everything() -> IsolatedSettings:
    """Return settings with an account at each provider, and every model offered."""
    return IsolatedSettings.model_validate(
        {
            "volcengine_access_key_id": "-",
            "volcengine_secret_access_key": "-",
            "geekai_api_key": "-",
            "geekai_models": _AT_GEEKAI,
            "jimeng_relay_api_key": "-",
            "jimeng_relay_base_url": "https://relay.example",
            "unified_relay_api_key": "-",
            "unified_relay_base_url": "https://relay.example",
            "ark_api_key": "-",
            "unified_relay_models": _RELAYED,
            "jiekou_api_key": "-",
            "jiekou_models": tuple(PRODUCTS),
        }
    )


def _row(model: VideoModel) -> str:
    sounds = ("by choice", "always", "none")
    cells = (
        f"`{model.name}`",
        ", ".join(_source(model, mode) for mode in Mode if mode in model.modes),
        _listed(listed_seconds(model.seconds)),
        "six" if set(model.ratios) == _SIX else _listed(model.ratios) or "its own",
        ", ".join(_resolution(model, name) for name in model.resolutions) or "its own",
        sounds[0 if model.audio else 1 if model.audio_always or model.free else 2],
        ", ".join(_extras(model)),
    )
    return f"| {' | '.join(cells)} |\n"


def _source(model: VideoModel, mode: Mode) -> str:
    name = _MODES.get(mode, f"up to {model.references} references")
    limits = []
    lengths, resolutions = seconds_for(mode, model), resolutions_for(mode, model)
    if lengths != model.seconds:
        limits.append(f"{_listed(listed_seconds(lengths))} s")
    if resolutions != model.resolutions:
        limits.append(_listed(resolutions))
    return f"{name} ({', '.join(limits)})" if limits else name


def _resolution(model: VideoModel, name: str) -> str:
    lengths = {one for mode in model.modes for one in seconds_for(mode, model, name)}
    return name if lengths == set(model.seconds) else f"{name} ({_listed(listed_seconds(tuple(lengths)))} s)"


def _extras(model: VideoModel) -> list[str]:
    offered = {
        "ratio beside a photo": model.ratio_with_photo and bool(model.ratios),
        "photos by link": model.photo_as == "link",
        "what to leave out": model.negative_prompt,
        "seed": model.seed_max is not None,
        "people": bool(model.people),
        "rewriting": bool(model.enhance),
        "guidance": model.guidance,
        "off-peak": model.off_peak,
        "several shots": model.several_shots,
    }
    limit = [] if model.prompt_limit is None else [f"{model.prompt_limit} characters"]
    return [*(name for name, is_offered in offered.items() if is_offered), *limit]


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)
