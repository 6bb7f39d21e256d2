"""A request made complete for its model, or fitted to another one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.request.model import (
    CAMERAS,
    STRENGTHS,
    Mode,
    VideoModel,
    is_excluded,
    lines_of,
    resolutions_for,
    seconds_for,
)
from bot.request.video_request import (
    MOST_AT_ONCE,
    RANDOM_SEED,
    VideoRequest,
    is_one_frame,
    is_share,
    most_seed,
)
from bot.styles import Style

_STRENGTH = "medium"


_Figure = TypeVar("_Figure", int, str)


def settle(request: VideoRequest, model: VideoModel) -> VideoRequest:
    """Return the request with every default of the model filled in: what will be bought."""
    is_framed = request.mode not in {Mode.TEXT, Mode.REFERENCES}
    ratio = request.ratio if is_framed else request.ratio or next(iter(model.ratios), None)
    lengths = seconds_for(request.mode, model, request.resolution) or model.seconds
    seconds = request.seconds or lengths[0]
    resolutions = resolutions_for(request.mode, model, seconds)
    return request.model_copy(
        update={
            "ratio": None if keeps_photo_shape(request, model) else ratio,
            "seconds": seconds,
            "resolution": request.resolution or next(iter(resolutions), None),
            "seed": None if request.seed == RANDOM_SEED else request.seed,
            "strength": (request.strength or _STRENGTH) if request.camera else None,
            "audio": _settled_audio(request, model),
            "people": request.people or next(iter(model.people), None),
            "enhance": next(iter(model.enhance), None) if request.enhance is None else request.enhance,
        }
    )


def _settled_audio(request: VideoRequest, model: VideoModel) -> bool | None:
    if not model.audio:
        return model.audio_always or None
    return model.audio_default if request.audio is None else request.audio


def closest_ratio(width: int, height: int, ratios: Sequence[str]) -> str:
    """Return the one of `ratios` that is closest to a photo of these sides.

    Volcengine says "closest" without defining it. As quotients, 2:1 is as far from 1:1 as 1:2.
    """

    def distance(ratio: str) -> float:
        across, _, down = ratio.partition(":")
        return abs(math.log(width / height) - math.log(int(across) / int(down)))

    return min(ratios, key=distance)


def keeps_photo_shape(request: VideoRequest, model: VideoModel) -> bool:
    """Return True if the video takes the shape of its first photo, so that no ratio can be chosen."""
    return request.mode not in {Mode.TEXT, Mode.REFERENCES} and not model.ratio_with_photo


def fit_request(request: VideoRequest, model: VideoModel) -> VideoRequest:
    """The request for `model`: wishes that it can fulfil stay, figures become its nearest, the rest goes.

    Words and photos are never touched, so the outcome may still be impossible. Of choices that exclude each
    other the camera move stays before the seconds, and these before the resolution and the sound.
    """
    can_move = Mode.CAMERA in model.modes and is_one_frame(request) and request.camera in CAMERAS
    camera = request.camera if can_move else None
    can_loop = Mode.FIRST_LAST in model.modes and is_one_frame(request) and not camera
    count = min(max(request.count or 1, 1), MOST_AT_ONCE)
    most = -1 if model.seed_max is None else most_seed(request, model.seed_max)
    fitted = request.model_copy(
        update={
            "model": model.name,
            # What another model would cut off is another question.
            "crop": request.crop if model.name == request.model else None,
            "ratio": _nearest_ratio(request.ratio, model.ratios),
            "seed": request.seed if request.seed is not None and 0 <= request.seed <= most else None,
            "camera": camera,
            "strength": request.strength if camera and request.strength in STRENGTHS else None,
            "negative_prompt": request.negative_prompt if model.negative_prompt else None,
            "audio": request.audio if model.audio else None,
            "people": request.people if request.people in model.people else None,
            "enhance": request.enhance if request.enhance in (model.enhance or (False,)) else None,
            "guidance": request.guidance if model.guidance and is_share(request.guidance) else None,
            "count": count if count > 1 else None,
            "off_peak": request.off_peak if model.off_peak else None,
            "several_shots": request.several_shots if model.several_shots else None,
            "loop": request.loop if can_loop else None,
        }
    )
    mode = fitted.mode
    seconds = _nearest(request.seconds, seconds_for(mode, model), float)
    resolution = _nearest(request.resolution, resolutions_for(mode, model, seconds), lines_of)
    silent = is_excluded(model, mode, seconds, resolution, sound=True)
    wishes = {"seconds": seconds, "resolution": resolution, "audio": None if silent else fitted.audio}
    return fitted.model_copy(update=wishes)


def style_options(style: Style, model: VideoModel) -> dict[str, object]:
    """Return the options that a style chooses, as far as `model` offers them."""
    offered = {
        "ratio": model.ratios,
        "seconds": model.seconds,
        "resolution": model.resolutions,
        "audio": (True, False) if model.audio else (),
    }
    wishes: dict[str, object] = style.options.model_dump(exclude_none=True)
    return {name: wish for name, wish in wishes.items() if wish in offered[name]}


def _nearest_ratio(wish: str | None, offered: Sequence[str]) -> str | None:
    if wish in offered:
        return wish
    sides = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", wish or "")
    return closest_ratio(int(sides[1]), int(sides[2]), offered) if sides and offered else None


def _nearest(
    wish: _Figure | None, offered: Sequence[_Figure], size: Callable[[_Figure], float]
) -> _Figure | None:
    """Of two that are as near the smaller: it never costs more."""
    if wish is None or wish in offered or not offered:
        return wish if wish in offered else None
    return min(offered, key=lambda figure: (abs(size(figure) - size(wish)), size(figure)))
