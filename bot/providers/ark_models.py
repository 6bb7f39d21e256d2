"""The models of Ark, and their names there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.errors import SettingsError
from bot.providers.wire.jimeng import RATIOS
from bot.request import Mode, PhotoRules, VideoModel

MOST_REFERENCES = 9
"""2.5 takes 30, but a call may have 64 MB: as text nine photos of the largest size that is sent."""
_SEEDANCE_2_0 = VideoModel(
    name="ark-seedance-2.0",
    title="Seedance 2.0 (Ark)",
    provider="ark",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.REFERENCES}),
    references=MOST_REFERENCES,
    ratios=RATIOS,
    seconds=(5, 4, *range(6, 16)),
    resolutions=("720p", "480p", "1080p", "4k"),
    prompt_limit=None,
    prompt_advice=500,
    photo_rules=PhotoRules(min_side=300, max_side=6000, max_long_to_short=2.5),
    takes_people=False,
    seed_max=2**32 - 1,
    audio=True,
    typical_s=300.0,
    keeps_s=7 * 86400.0,
)
_SEEDANCE_2_0_FAST = replace(
    _SEEDANCE_2_0,
    name="ark-seedance-2.0-fast",
    title="Seedance 2.0 Fast (Ark)",
    resolutions=("720p", "480p"),
    typical_s=150.0,
)
MODELS = (
    replace(
        _SEEDANCE_2_0,
        name="ark-seedance-2.5",
        title="Seedance 2.5 (Ark)",
        seconds=(5, 4, *range(6, 31)),
        resolutions=("720p", "480p", "1080p"),
    ),
    _SEEDANCE_2_0,
    _SEEDANCE_2_0_FAST,
    replace(_SEEDANCE_2_0_FAST, name="ark-seedance-2.0-mini", title="Seedance 2.0 Mini (Ark)"),
)
IDS: Mapping[str, str] = {
    "ark-seedance-2.5": "doubao-seedance-2-5-260628",
    "ark-seedance-2.0": "doubao-seedance-2-0-260128",
    "ark-seedance-2.0-fast": "doubao-seedance-2-0-fast-260128",
    "ark-seedance-2.0-mini": "doubao-seedance-2-0-mini-260615",
}
"""What Volcengine calls each model. BytePlus, and endpoints of one's own, have other ids."""


def read_ids(offers: Sequence[str]) -> Mapping[str, str]:
    """Read `name` or `name=id` of each model that is offered."""
    pairs = [tuple(part.strip() for part in offer.partition("=")[::2]) for offer in offers]
    for name, _ in pairs:
        if name not in IDS:
            raise SettingsError(f"ARK_MODELS: there is no {name}. There are: {', '.join(IDS)}.")
    return {name: wire_id or IDS[name] for name, wire_id in pairs}
