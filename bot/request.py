"""A request, a model with its limits, and the check of one against the other."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

CAMERAS = (
    "hitchcock_dolly_in",
    "hitchcock_dolly_out",
    "robo_arm",
    "dynamic_orbit",
    "central_orbit",
    "crane_push",
    "quick_pull_back",
    "counterclockwise_swivel",
    "clockwise_swivel",
    "handheld",
    "rapid_push_pull",
)
STRENGTHS = ("weak", "medium", "strong")
_STRENGTH = "medium"
_Figure = TypeVar("_Figure", int, str)


class Mode(StrEnum):
    """What a model makes a video from."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FIRST_LAST = "first_last"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class PhotoRules:
    """What a provider accepts as a photo; sides are in pixels."""

    max_bytes: int = 4_700_000
    formats: tuple[str, ...] = ("JPEG", "PNG")
    min_side: int = 320
    enlarged_from: float = 0.75
    """A shorter side of at least this share of `min_side` is enlarged; a smaller photo is refused."""
    max_side: int = 4096
    max_long_to_short: float = 3.0


@dataclass(frozen=True, slots=True)
class VideoModel:
    """One thing a provider offers. Of `ratios`, `seconds` and `resolutions` the first is the default."""

    name: str
    title: str
    provider: str
    modes: frozenset[Mode]
    ratios: tuple[str, ...]
    seconds: tuple[int, ...]
    resolutions: tuple[str, ...]
    typical_s: float
    """How long a video usually takes, until `Schedule` has learned it."""
    company: str = ""
    """The company that receives a photo, as people know it; empty if the photo stays on this machine."""
    exceptions: frozenset[tuple[Mode, str]] = frozenset()
    """Modes that it cannot do at a resolution, although it supports both."""
    prompt_limit: int | None = 800
    """Characters; more is refused. None if the provider documents no limit."""
    prompt_advice: int | None = 400
    """Characters that the provider advises to stay under."""
    prompt_with_photo: Literal["required", "optional"] = "required"
    ratio_with_photo: bool = False
    """Whether the ratio can be chosen although there is a photo; else the photo's own is used."""
    crops_photo: bool = False
    """Whether a photo is cropped around its centre to the closest of `ratios`."""
    photo_rules: PhotoRules = PhotoRules()
    takes_people: bool = True
    """False if it refuses photos of real people."""
    photo_as: Literal["bytes", "link"] = "bytes"
    photo_reachable: bool = True
    """False if it takes photos by link, and this bot has no public address to serve one at."""
    seed_max: int | None = None
    audio: bool = False
    """Whether it can make sound. The default is silent, because sound costs more."""
    negative_prompt: bool = False
    people: tuple[str, ...] = ()
    """The choices for which people may be shown; the first is the default."""
    enhance: tuple[bool, ...] = ()
    """The choices for whether the provider rewrites the prompt; the first is the default."""
    keeps_s: float = 12 * 3600
    """How long the provider knows a job: a late one is polled until then."""
    free: bool = False
    """Made on this machine, at no cost."""


class VideoRequest(BaseModel):
    """What the user asked for, in our own terms. None means the model's default."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    model: str
    prompt: str = ""
    photos: tuple[str, ...] = ()
    """Telegram file ids: none, the first frame, or the first and the last."""
    crop: str | None = None
    """The ratio to which the photos are cropped around their centre before they are sent."""
    extends: str | None = None
    """Telegram's file id of the video whose last frame is the first of `photos`."""
    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    seed: int | None = None
    camera: str | None = None
    strength: str | None = None
    negative_prompt: str | None = None
    audio: bool | None = None
    people: str | None = None
    enhance: bool | None = None

    @property
    def mode(self) -> Mode:
        if self.camera:
            return Mode.CAMERA
        match len(self.photos):
            case 0:
                return Mode.TEXT
            case 1:
                return Mode.FIRST_FRAME
            case _:
                return Mode.FIRST_LAST


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot work. `code` is a phrase key, `values` fill its placeholders."""

    code: str
    values: dict[str, object]


def shown(models: Mapping[str, VideoModel]) -> list[str]:
    """Return the names to offer: free models only if there are no others. Any can be asked for by name."""
    paid = [name for name, model in models.items() if not model.free]
    return paid or list(models)


def check_request(request: VideoRequest, model: VideoModel) -> list[Problem]:
    """Return every reason why `model` cannot make `request`, before anything is paid for.

    An empty list means that the request may be sent once `settle` has filled in the defaults.
    """
    return [*_check_prompt(request, model), *_check_mode(request, model), *_check_options(request, model)]


def check_photo(
    model: VideoModel, width: int | None, height: int | None, max_bytes: int, size_bytes: int | None
) -> list[Problem]:
    """Check a photo by the facts that Telegram gives; None is unknown.

    A photo that is too long is not refused: it can be cropped. One that is slightly too small is enlarged.
    """
    if size_bytes is not None and size_bytes > max_bytes:
        return [Problem("photo_too_many_bytes", {"max_mb": max_bytes // 1_000_000})]
    rules = model.photo_rules
    if not width or not height:
        return []
    if min(width, height) < rules.enlarged_from * rules.min_side:
        return [Problem("photo_too_small", {"width": width, "height": height, "min_side": rules.min_side})]
    return []


def settle(request: VideoRequest, model: VideoModel) -> VideoRequest:
    """Return the request with every default of the model filled in: what will be bought."""
    chosen = request.ratio if model.ratio_with_photo else None
    resolutions = resolutions_for(request.mode, model)
    return request.model_copy(
        update={
            "ratio": chosen if request.photos else request.ratio or model.ratios[0],
            "seconds": request.seconds or model.seconds[0],
            "resolution": request.resolution or next(iter(resolutions), None),
            "strength": (request.strength or _STRENGTH) if request.camera else None,
            "audio": bool(request.audio) if model.audio else None,
            "people": request.people or next(iter(model.people), None),
            "enhance": next(iter(model.enhance), None) if request.enhance is None else request.enhance,
        }
    )


def closest_ratio(width: int, height: int, ratios: Sequence[str]) -> str:
    """Return the one of `ratios` that is closest to a photo of these sides.

    Volcengine says "closest" without defining it. As quotients, 2:1 is as far from 1:1 as 1:2.
    """

    def distance(ratio: str) -> float:
        across, _, down = ratio.partition(":")
        return abs(math.log(width / height) - math.log(int(across) / int(down)))

    return min(ratios, key=distance)


def resolutions_for(mode: Mode, model: VideoModel) -> tuple[str, ...]:
    """Return the resolutions in which `model` can do `mode`."""
    return tuple(name for name in model.resolutions if (mode, name) not in model.exceptions)


def fit_request(request: VideoRequest, model: VideoModel) -> VideoRequest:
    """The request for `model`: wishes that it can fulfil stay, figures become its nearest, the rest goes.

    Words and photos are never touched, so the outcome may still be impossible. Of a camera move and a
    resolution that exclude each other the move stays.
    """
    can_move = Mode.CAMERA in model.modes and len(request.photos) == 1 and request.camera in CAMERAS
    camera = request.camera if can_move else None
    most = -1 if model.seed_max is None else model.seed_max
    fitted = request.model_copy(
        update={
            "model": model.name,
            # What another model would cut off is another question.
            "crop": request.crop if model.name == request.model else None,
            "ratio": _nearest_ratio(request.ratio, model.ratios),
            "seconds": _nearest(request.seconds, model.seconds, float),
            "seed": request.seed if request.seed is not None and 0 <= request.seed <= most else None,
            "camera": camera,
            "strength": request.strength if camera and request.strength in STRENGTHS else None,
            "negative_prompt": request.negative_prompt if model.negative_prompt else None,
            "audio": request.audio if model.audio else None,
            "people": request.people if request.people in model.people else None,
            "enhance": request.enhance if request.enhance in (model.enhance or (False,)) else None,
        }
    )
    resolutions = resolutions_for(fitted.mode, model)
    return fitted.model_copy(update={"resolution": _nearest(request.resolution, resolutions, _lines)})


def alternatives(request: VideoRequest, models: Mapping[str, VideoModel]) -> list[str]:
    """Return the other models that can make the same request, in the order of `models`."""
    return [
        name
        for name in shown(models)
        if name != request.model
        and not check_request(request.model_copy(update={"model": name}), models[name])
    ]


def _check_prompt(request: VideoRequest, model: VideoModel) -> list[Problem]:
    length = len(request.prompt)
    if model.prompt_limit is not None and length > model.prompt_limit:
        return [Problem("prompt_too_long", {"length": length, "limit": model.prompt_limit})]
    if request.prompt.strip() or (request.photos and model.prompt_with_photo == "optional"):
        return []
    return [Problem("prompt_missing_with_photo" if request.photos else "prompt_missing", {})]


def _check_mode(request: VideoRequest, model: VideoModel) -> list[Problem]:
    if request.camera and request.camera not in CAMERAS:
        return [Problem("camera_unknown", {"camera": request.camera, "choices": _listed(CAMERAS)})]
    if request.strength and request.strength not in STRENGTHS:
        return [Problem("strength_unknown", {"choices": _listed(STRENGTHS)})]
    if request.strength and not request.camera:
        return [Problem("strength_needs_camera", {})]
    if request.camera and len(request.photos) != 1:
        return [Problem("camera_needs_photo", {})]
    if request.mode not in model.modes:
        return [Problem(f"no_{request.mode.value}", {"model": model.name})]
    if request.photos and not model.photo_reachable:
        return [Problem("no_public_address", {"model": model.name})]
    return []


def _check_options(request: VideoRequest, model: VideoModel) -> list[Problem]:
    problems = []
    resolutions = resolutions_for(request.mode, model)
    choices: tuple[tuple[str, object, tuple[object, ...]], ...] = (
        ("ratio", request.ratio, model.ratios),
        ("seconds", request.seconds, model.seconds),
        ("resolution", request.resolution, model.resolutions),
    )
    for name, asked, offered in choices:
        if asked is not None and asked not in offered:
            listed = _listed(offered, sort=name == "seconds")
            values = {"model": model.name, "asked": asked, "choices": listed}
            problems.append(Problem(f"no_{name}", values))
    if request.seed is not None:
        if model.seed_max is None:
            problems.append(Problem("no_seed", {"model": model.name}))
        elif not 0 <= request.seed <= model.seed_max:
            problems.append(Problem("seed_out_of_range", {"max": model.seed_max}))
    if request.resolution in model.resolutions and request.resolution not in resolutions:
        values = {"model": model.name, "asked": request.resolution, "choices": _listed(resolutions)}
        problems.append(Problem(f"no_{request.mode.value}_at_resolution", values))
    return [*problems, *_check_extras(request, model)]


def _check_extras(request: VideoRequest, model: VideoModel) -> list[Problem]:
    """Check the options that only some models have. Asking for a model's fixed behaviour is no problem."""
    problems = []
    name: dict[str, object] = {"model": model.name}
    if request.audio and not model.audio:
        problems.append(Problem("no_audio", name))
    if request.negative_prompt and not model.negative_prompt:
        problems.append(Problem("no_negative_prompt", name))
    if request.people is not None and request.people not in model.people:
        values = name | {"choices": _listed(model.people)}
        problems.append(Problem("people_unknown" if model.people else "no_people", values))
    if request.enhance is not None and request.enhance not in (model.enhance or (False,)):
        problems.append(Problem("enhance_always" if model.enhance else "no_enhance", name))
    return problems


def _listed(choices: tuple[Any, ...], *, sort: bool = False) -> list[str]:
    return [str(choice) for choice in (sorted(choices) if sort else choices)]


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


def _lines(resolution: str) -> float:
    """`1080p`, `720P` and `1280x720` by what they are named after: the shorter side."""
    return min((float(number) for number in re.findall(r"\d+", resolution)), default=0.0)
