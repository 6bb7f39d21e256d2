"""The models of GeekAI that an operator lists: which are on sale stands only on its own page of models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.request import Mode, VideoModel

_RATIO = re.compile(r"[1-9]\d?:[1-9]\d?")
_SECONDS = re.compile(r"([1-9]\d?)s")
_SIZE = re.compile(r"\d{3,4}x\d{3,4}")
_MODES = {"words": Mode.TEXT, "photo": Mode.FIRST_FRAME, "frames": Mode.FIRST_LAST}


@dataclass(frozen=True, slots=True)
class AccountModel:
    """A model that the general video call makes, and its name there."""

    model: VideoModel
    wire_name: str

    def fields(self, resolution: str | None) -> dict[str, object]:
        """Return how a resolution is asked for: some makers take it as a size."""
        if resolution is None:
            return {}
        return {"size" if _SIZE.fullmatch(resolution) else "resolution": resolution}


def read_models(entries: Iterable[str]) -> dict[str, AccountModel]:
    """Return the records by our names.

    An entry is a name, with parts after slashes: modes (`words`, `photo`, `frames`), ratios, lengths such as
    `5s`, `sound`, `negative`; anything else is a resolution or a size. Without parts it makes five seconds
    from words or a photo, in the shape and size that GeekAI takes by itself.
    """
    found = {}
    for entry in entries:
        wire_name, *parts = entry.split("/")
        own = re.sub(r"[^a-z0-9._-]+", "-", wire_name.lower())
        ratios = tuple(part for part in parts if _RATIO.fullmatch(part))
        seconds = tuple(int(one[1]) for part in parts if (one := _SECONDS.fullmatch(part)))
        words = {*_MODES, "sound", "negative", *ratios}
        sizes = tuple(part.lower() for part in parts if part not in words and not _SECONDS.fullmatch(part))
        model = VideoModel(
            name=f"geekai-{own}",
            title=f"{wire_name} (GeekAI)",
            provider="geekai",
            company="GeekAI",
            modes=frozenset(_MODES[part] for part in parts if part in _MODES)
            or frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
            ratios=ratios,
            seconds=seconds or (5,),
            resolutions=sizes,
            prompt_limit=None,
            prompt_advice=None,
            audio="sound" in parts,
            negative_prompt="negative" in parts,
            typical_s=180.0,
            keeps_s=12 * 3600.0,
        )
        found[model.name] = AccountModel(model, wire_name)
    return found
