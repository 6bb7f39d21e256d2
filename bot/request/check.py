"""The check of a request against a model, before anything is paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.request.model import (
    CAMERAS,
    STRENGTHS,
    Mode,
    VideoModel,
    is_excluded,
    listed_seconds,
    resolutions_for,
    seconds_for,
    shown,
)
from bot.request.video_request import (
    MOST_AT_ONCE,
    RANDOM_SEED,
    VideoRequest,
    is_one_frame,
    is_share,
    most_seed,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot work. `code` is a phrase key, `values` fill its placeholders."""

    code: str
    values: dict[str, object]


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
    if request.camera and not is_one_frame(request):
        return [Problem("camera_needs_photo", {})]
    if request.photos_as == "references" and not request.photos:
        return [Problem("references_need_photo", {})]
    if request.loop and (request.camera or not is_one_frame(request)):
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
        elif not 0 <= (request.seed or 0) <= most_seed(request, model.seed_max):
            problems.append(Problem("seed_out_of_range", {"max": most_seed(request, model.seed_max)}))
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
    if not problems and is_excluded(model, mode, seconds, resolution):
        add("no_seconds_at_resolution", seconds, listed_seconds(seconds_for(mode, model, resolution)))
    if request.audio and is_excluded(model, mode, seconds, resolution, sound=True):
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
    if request.guidance is not None and not (model.guidance and is_share(request.guidance)):
        problems.append(Problem("guidance_out_of_range" if model.guidance else "no_guidance", name))
    if request.count is not None and not 1 <= request.count <= MOST_AT_ONCE:
        problems.append(Problem("no_count", {"limit": MOST_AT_ONCE}))
    if request.off_peak and not model.off_peak:
        problems.append(Problem("no_off_peak", name))
    if request.several_shots and not model.several_shots:
        problems.append(Problem("no_several_shots", name))
    return problems


def _listed(choices: Sequence[object]) -> list[str]:
    return [str(choice) for choice in choices]
