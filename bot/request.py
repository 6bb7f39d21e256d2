"""A request, a model with its limits, and the check of one against the other."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from bot.styles import Style

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
MOST_AT_ONCE = 4
"""Videos that one order asks for."""
RANDOM_SEED = -1
"""What people write for no seed of their own."""
_VERSION = re.compile(r"-?(\d{1,2}(?:\.\d{1,2})?)(?=-|$)")
_Figure = TypeVar("_Figure", int, str)


class Mode(StrEnum):
    """What a model makes a video from."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FIRST_LAST = "first_last"
    CAMERA = "camera"
    REFERENCES = "references"
    """Photos that show who, what or where, and not how the video begins."""


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
class Exclusion:
    """Choices that a model cannot combine, although it offers each of them; an empty field means any."""

    modes: frozenset[Mode] = frozenset()
    seconds: frozenset[int] = frozenset()
    resolutions: frozenset[str] = frozenset()
    sound: bool = False
    """Whether only videos with sound are meant."""

    def applies(self, mode: Mode, seconds: int | None, resolution: str | None, sound: bool) -> bool:
        """Return True if these choices are excluded; None is not chosen yet."""
        return (
            (not self.modes or mode in self.modes)
            and (not self.seconds or seconds in self.seconds)
            and (not self.resolutions or resolution in self.resolutions)
            and (sound or not self.sound)
        )


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
    exceptions: tuple[Exclusion, ...] = ()
    references: int = 0
    """How many photos it takes as references at most."""
    prompt_limit: int | None = 800
    """Characters; more is refused. None if the provider documents no limit."""
    prompt_advice: int | None = 400
    """Characters that the provider advises to stay under."""
    prompt_with_photo: Literal["required", "optional"] = "required"
    ratio_with_photo: bool = False
    """Whether the ratio can be chosen although the video begins with a photo; else it has the photo's."""
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
    """Whether sound can be chosen."""
    audio_default: bool = False
    """The default is silent where sound costs more."""
    audio_always: bool = False
    """Whether every video has sound, which cannot be switched off."""
    negative_prompt: bool = False
    negative_limit: int | None = None
    """Characters of it; more is refused."""
    people: tuple[str, ...] = ()
    """The choices for which people may be shown; the first is the default."""
    enhance: tuple[bool, ...] = ()
    """The choices for whether the provider rewrites the prompt; the first is the default."""
    guidance: bool = False
    """Whether it can be told how closely to follow the prompt."""
    count: int = 1
    """How many videos one job makes at most."""
    off_peak: bool = False
    """Whether it can make a video later at a lower price."""
    off_peak_hours: int = 48
    """Within how many hours such a video is made."""
    several_shots: bool = False
    """Whether a video can have several shots, which the words describe; the default is one."""
    keeps_s: float = 12 * 3600
    """How long the provider knows a job: a late one is polled until then."""
    free: bool = False
    """Made on this machine, at no cost."""
    gone: bool = False
    """The provider said that it sells it no more. That is forgotten when the bot starts again."""


@dataclass(frozen=True, slots=True)
class Crop:
    """What is kept of a photo: a part of this ratio, and where it lies along each side that is cut."""

    ratio: str
    x: float | None = None
    """0 is at the left, 1 at the right; None if the width stays whole, or for the centre."""
    y: float | None = None
    """0 is at the top, 1 at the bottom."""


def _read_crop(stored: object) -> object:
    """Read a crop around the centre, which requests stored as its ratio alone until there was a choice."""
    return {"ratio": stored} if isinstance(stored, str) else stored


class VideoRequest(BaseModel):
    """What the user asked for, in our own terms. None means the model's default."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    model: str
    prompt: str = ""
    photos: tuple[str, ...] = ()
    """Telegram file ids: none; the first frame, or the first and the last; or references in their order."""
    photos_as: Literal["frames", "references"] = "frames"
    crop: Annotated[Crop | None, BeforeValidator(_read_crop)] = None
    """How the photos are cropped before they are sent."""
    extends: str | None = None
    """Telegram's file id of the video whose last frame is the first of `photos`."""
    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    seed: int | None = None
    """-1 asks for a random one."""
    camera: str | None = None
    strength: str | None = None
    negative_prompt: str | None = None
    audio: bool | None = None
    people: str | None = None
    enhance: bool | None = None
    guidance: float | None = None
    """0 to 1: how closely to follow the prompt."""
    count: int | None = None
    """How many videos are wanted at once. Each becomes a task, whose own request says nothing here."""
    off_peak: bool | None = None
    """Whether it may be made later at a lower price."""
    several_shots: bool | None = None
    style: Style | None = None
    loop: bool | None = None
    """Whether it ends with the photo with which it begins."""

    @model_serializer(mode="wrap")
    def _leave_out_frames(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what nearly every request says: rows and what reads them keep their form."""
        fields: dict[str, Any] = handler(self)
        if self.photos_as == "frames":
            fields.pop("photos_as", None)
        for name in ("loop", "style"):
            if getattr(self, name) is None:
                fields.pop(name, None)
        return fields

    @property
    def words(self) -> str:
        """What the model gets: the prompt in its style."""
        return self.prompt if self.style is None else self.style.words(self.prompt)

    @property
    def mode(self) -> Mode:
        if self.photos and self.photos_as == "references":
            return Mode.REFERENCES
        if self.camera:
            return Mode.CAMERA
        match len(self.photos):
            case 0:
                return Mode.TEXT
            case 1 if not self.loop:
                return Mode.FIRST_FRAME
            case _:
                return Mode.FIRST_LAST


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot work. `code` is a phrase key, `values` fill its placeholders."""

    code: str
    values: dict[str, object]


def shown(models: Mapping[str, VideoModel]) -> list[str]:
    """Return the names to offer, the newest of a family first: free models only if there are no others. Any
    can be asked for by name."""
    sold = [name for name, model in models.items() if not model.gone]
    names = [name for name in sold if not models[name].free] or sold
    families = list(dict.fromkeys(family_of(name)[0] for name in names))
    return sorted(names, key=lambda name: (families.index(family_of(name)[0]), -family_of(name)[1]))


def newest(names: Sequence[str]) -> list[str]:
    """Return those of `names` that no newer model of their family is among."""
    latest: dict[str, float] = {}
    for family, version in map(family_of, names):
        latest[family] = max(version, latest.get(family, version))
    return [name for name in names if family_of(name)[1] == latest[family_of(name)[0]]]


def family_of(name: str) -> tuple[str, float]:
    """Return a name up to its version, and the version: `veo` and 3.1 of `veo-3.1-fast`."""
    found = _VERSION.search(name)
    return (name[: found.start()], float(found[1])) if found else (name, 0.0)


def check_request(request: VideoRequest, model: VideoModel) -> list[Problem]:
    """Return every reason why `model` cannot make `request`, before anything is paid for.

    An empty list means that the request may be sent once `settle` has filled in the defaults.
    """
    if model.gone:
        return [Problem("model_not_sold", {"model": model.name})]
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


def resolutions_for(mode: Mode, model: VideoModel, seconds: int | None = None) -> tuple[str, ...]:
    """Return the resolutions in which `model` can do `mode`, at this length if one is given."""
    return tuple(name for name in model.resolutions if not _is_excluded(model, mode, seconds, name))


def seconds_for(mode: Mode, model: VideoModel, resolution: str | None = None) -> tuple[int, ...]:
    """Return the lengths in which `model` can do `mode`, in this resolution if one is given."""
    return tuple(one for one in model.seconds if not _is_excluded(model, mode, one, resolution))


def can_sound(mode: Mode, model: VideoModel) -> bool:
    """Return True if `model` can be asked for sound in `mode`."""
    return model.audio and not _is_excluded(model, mode, None, None, sound=True)


def listed_seconds(lengths: Sequence[int]) -> list[str]:
    """Return the lengths in order as texts, three or more in a row as one: `4–8`."""
    runs: list[list[int]] = []
    for length in sorted(lengths):
        if runs and length == runs[-1][-1] + 1:
            runs[-1].append(length)
        else:
            runs.append([length])
    return [text for run in runs for text in ([f"{run[0]}–{run[-1]}"] if len(run) > 2 else map(str, run))]


def fit_request(request: VideoRequest, model: VideoModel) -> VideoRequest:
    """The request for `model`: wishes that it can fulfil stay, figures become its nearest, the rest goes.

    Words and photos are never touched, so the outcome may still be impossible. Of choices that exclude each
    other the camera move stays before the seconds, and these before the resolution and the sound.
    """
    can_move = Mode.CAMERA in model.modes and _is_one_frame(request) and request.camera in CAMERAS
    camera = request.camera if can_move else None
    can_loop = Mode.FIRST_LAST in model.modes and _is_one_frame(request) and not camera
    count = min(max(request.count or 1, 1), MOST_AT_ONCE)
    most = -1 if model.seed_max is None else _most_seed(request, model.seed_max)
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
            "guidance": request.guidance if model.guidance and _is_share(request.guidance) else None,
            "count": count if count > 1 else None,
            "off_peak": request.off_peak if model.off_peak else None,
            "several_shots": request.several_shots if model.several_shots else None,
            "loop": request.loop if can_loop else None,
        }
    )
    mode = fitted.mode
    seconds = _nearest(request.seconds, seconds_for(mode, model), float)
    resolution = _nearest(request.resolution, resolutions_for(mode, model, seconds), lines_of)
    silent = _is_excluded(model, mode, seconds, resolution, sound=True)
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


def alternatives(request: VideoRequest, models: Mapping[str, VideoModel]) -> list[str]:
    """Return the other models that can make the same request, in the order of `models`."""
    return [
        name
        for name in shown(models)
        if name != request.model
        and not check_request(request.model_copy(update={"model": name}), models[name])
    ]


def _check_prompt(request: VideoRequest, model: VideoModel) -> list[Problem]:
    length = len(request.words)
    if model.prompt_limit is not None and length > model.prompt_limit:
        return [Problem("prompt_too_long", {"length": length, "limit": model.prompt_limit})]
    is_told_by_photo = model.prompt_with_photo == "optional" and request.mode is not Mode.REFERENCES
    if request.words.strip() or (request.photos and is_told_by_photo):
        return []
    return [Problem("prompt_missing_with_photo" if request.photos else "prompt_missing", {})]


def _check_mode(request: VideoRequest, model: VideoModel) -> list[Problem]:
    if request.camera and request.camera not in CAMERAS:
        return [Problem("camera_unknown", {"camera": request.camera, "choices": _listed(CAMERAS)})]
    if request.strength and request.strength not in STRENGTHS:
        return [Problem("strength_unknown", {"choices": _listed(STRENGTHS)})]
    if request.strength and not request.camera:
        return [Problem("strength_needs_camera", {})]
    if request.camera and not _is_one_frame(request):
        return [Problem("camera_needs_photo", {})]
    if request.photos_as == "references" and not request.photos:
        return [Problem("references_need_photo", {})]
    if request.loop and (request.camera or not _is_one_frame(request)):
        return [Problem("loop_needs_photo", {})]
    if request.mode not in model.modes:
        return [Problem(f"no_{request.mode.value}", {"model": model.name})]
    if request.mode is Mode.REFERENCES and len(request.photos) > model.references:
        values = {"model": model.name, "limit": model.references, "count": len(request.photos)}
        return [Problem("too_many_references", values)]
    if request.photos and not model.photo_reachable:
        return [Problem("no_public_address", {"model": model.name})]
    return []


def _check_options(request: VideoRequest, model: VideoModel) -> list[Problem]:
    problems = []
    choices: tuple[tuple[str, object, tuple[object, ...]], ...] = (
        ("ratio", request.ratio, model.ratios),
        ("seconds", request.seconds, model.seconds),
        ("resolution", request.resolution, model.resolutions),
    )
    for name, asked, offered in choices:
        if asked is not None and asked not in offered:
            listed = listed_seconds(model.seconds) if name == "seconds" else _listed(offered)
            # Some leave the shape to the photo or to the provider.
            code = f"no_{name}" if offered else f"no_{name}_choice"
            problems.append(Problem(code, {"model": model.name, "asked": asked, "choices": listed}))
    if request.seed not in {None, RANDOM_SEED}:
        if model.seed_max is None:
            problems.append(Problem("no_seed", {"model": model.name}))
        elif not 0 <= (request.seed or 0) <= _most_seed(request, model.seed_max):
            problems.append(Problem("seed_out_of_range", {"max": _most_seed(request, model.seed_max)}))
    return [*problems, *_check_exceptions(request, model), *_check_extras(request, model)]


def _check_exceptions(request: VideoRequest, model: VideoModel) -> list[Problem]:
    """Check the choices that the model offers, but not together."""
    mode, seconds, resolution = request.mode, request.seconds, request.resolution
    problems = []

    def add(code: str, asked: object, choices: list[str]) -> None:
        values = {"model": model.name, "asked": asked, "choices": choices, "resolution": resolution}
        problems.append(Problem(code, values))

    lengths, resolutions = seconds_for(mode, model), resolutions_for(mode, model)
    if seconds in model.seconds and seconds not in lengths:
        add(f"no_{mode.value}_of_seconds", seconds, listed_seconds(lengths))
    if resolution in model.resolutions and resolution not in resolutions:
        add(f"no_{mode.value}_at_resolution", resolution, _listed(resolutions))
    if not problems and _is_excluded(model, mode, seconds, resolution):
        add("no_seconds_at_resolution", seconds, listed_seconds(seconds_for(mode, model, resolution)))
    if request.audio and _is_excluded(model, mode, seconds, resolution, sound=True):
        problems.append(Problem("no_audio_here", {"model": model.name}))
    return problems


def _check_extras(request: VideoRequest, model: VideoModel) -> list[Problem]:
    """Check the options that only some models have. Asking for a model's fixed behaviour is no problem."""
    problems = []
    name: dict[str, object] = {"model": model.name}
    if request.audio and not (model.audio or model.audio_always):
        problems.append(Problem("no_audio", name))
    if request.audio is False and model.audio_always:
        problems.append(Problem("audio_always", name))
    if request.negative_prompt and not model.negative_prompt:
        problems.append(Problem("no_negative_prompt", name))
    elif model.negative_limit is not None and len(request.negative_prompt or "") > model.negative_limit:
        problems.append(Problem("negative_too_long", {"limit": model.negative_limit}))
    if request.people is not None and request.people not in model.people:
        values = name | {"choices": _listed(model.people)}
        problems.append(Problem("people_unknown" if model.people else "no_people", values))
    if request.enhance is not None and request.enhance not in (model.enhance or (False,)):
        problems.append(Problem("enhance_always" if model.enhance else "no_enhance", name))
    if request.guidance is not None and not (model.guidance and _is_share(request.guidance)):
        problems.append(Problem("guidance_out_of_range" if model.guidance else "no_guidance", name))
    if request.count is not None and not 1 <= request.count <= MOST_AT_ONCE:
        problems.append(Problem("no_count", {"limit": MOST_AT_ONCE}))
    if request.off_peak and not model.off_peak:
        problems.append(Problem("no_off_peak", name))
    if request.several_shots and not model.several_shots:
        problems.append(Problem("no_several_shots", name))
    return problems


def _is_excluded(
    model: VideoModel, mode: Mode, seconds: int | None, resolution: str | None, *, sound: bool = False
) -> bool:
    return any(one.applies(mode, seconds, resolution, sound) for one in model.exceptions)


def _most_seed(request: VideoRequest, seed_max: int) -> int:
    """Return the largest seed that can be asked for: each of several videos has the next one."""
    return seed_max + 1 - min(max(request.count or 1, 1), MOST_AT_ONCE)


def _is_one_frame(request: VideoRequest) -> bool:
    return len(request.photos) == 1 and request.photos_as == "frames"


def _is_share(guidance: float | None) -> bool:
    return guidance is not None and 0 <= guidance <= 1


def _listed(choices: Sequence[object]) -> list[str]:
    return [str(choice) for choice in choices]


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


def lines_of(resolution: str) -> float:
    """`1080p`, `720P` and `1280x720` by what they are named after: the shorter side; `4k` has 2160 lines."""
    sides = re.findall(r"(\d+)(k?)", resolution.lower())
    return min((float(number) * (540 if kilo else 1) for number, kilo in sides), default=0.0)
