"""The buttons under a draft that change what will be bought, and what each tap makes of the request. Pure.

`pick:<task>:ratio` opens an option, `pick:<task>:ratio=9:16` takes a choice, `pick:<task>` goes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from telegram import InlineKeyboardButton

from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.request import (
    CAMERAS,
    STRENGTHS,
    Mode,
    VideoModel,
    VideoRequest,
    check_request,
    closest_ratio,
    resolutions_for,
    settle,
    shown,
)
from bot.task import Task
from bot.text import has_phrase, plain, say

VERB = "pick"
"""Of every button here. After the task's id stands what is picked: nothing, an option, or `option=choice`."""

# Buttons in a row share its width: five with a model's name among them are cut off on a phone.
_ROWS = (("model",), ("ratio", "seconds", "resolution", "audio"), ("camera", "strength"))
_COLUMNS = {"model": 2, "camera": 2}
_SIGNS = {"model": "🎬 ", "camera": "🎥 "}
_OWN_SHAPE = "photo"
_NO_MOVE = "none"
_Figure = TypeVar("_Figure", int, str)


def option_rows(task: Task, models: Mapping[str, VideoModel]) -> list[list[InlineKeyboardButton]]:
    """A button for each option that can be changed, saying what is chosen.

    A tap opens the option's choices; where there is only one other, it is taken at once.
    """
    rows = [[_summary(task, models, option) for option in row] for row in _ROWS]
    return [buttons for row in rows if (buttons := [button for button in row if button is not None])]


def choice_rows(
    task: Task, models: Mapping[str, VideoModel], option: str, price_labels: PriceLabels = NO_PRICE_LABELS
) -> list[list[InlineKeyboardButton]]:
    """The keyboard of one opened option, the choice in force marked; empty where nothing can be chosen.

    Where the choice decides on the cost, each button says what comes of it.
    """
    now, choices = choices_of(task.request, models, option)
    amounts = price_labels.amounts(task.language, _outcomes(task.request, models, option))
    buttons = [
        InlineKeyboardButton(
            ("✓ " if choice == now else "")
            + label_of(task.language, option, choice)
            + (f" · {amounts[choice]}" if choice in amounts else ""),
            callback_data=f"{VERB}:{task.id}:{option}={choice}",
        )
        for choice in choices
    ]
    if not buttons:
        return []
    columns = _COLUMNS.get(option, 3)
    rows = [buttons[start : start + columns] for start in range(0, len(buttons), columns)]
    back = InlineKeyboardButton(_name(task.language, "option_back"), callback_data=f"{VERB}:{task.id}")
    return [*rows, [back]]


def choices_of(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> tuple[str, list[str]]:
    """The choice of an option in force and all there are: none where nothing else can be chosen."""
    choices = list(_outcomes(request, models, option))
    now = _chosen(request, models, option) if choices else ""
    return now, ([] if choices == [now] else choices)


def label_of(language: str, option: str, choice: str) -> str:
    """What a button says for a choice; not HTML."""
    match option:
        case "ratio" if choice == _OWN_SHAPE:
            return _name(language, "option_own_shape")
        case "seconds":
            return _name(language, "seconds", seconds=choice)
        case "audio":
            return _name(language, f"option_audio_{choice}")
        case "camera":
            return name_camera(language, choice)
        case "strength":
            return _name(language, f"option_strength_{choice}") or choice
        case _:
            return choice


def changed(
    request: VideoRequest, models: Mapping[str, VideoModel], option: str, choice: str
) -> VideoRequest | None:
    """The request with another choice, and whatever that choice rules out adapted to it.

    None where the option or the choice is not offered for this request.
    """
    return _outcomes(request, models, option).get(choice)


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


def name_camera(language: str, camera: str) -> str:
    """What people call a camera move; not HTML."""
    return _name(language, f"camera_move_{camera}") or camera


def _outcomes(
    request: VideoRequest, models: Mapping[str, VideoModel], option: str
) -> dict[str, VideoRequest]:
    """What each choice would make of the request. What would bring a new problem is no choice."""
    before = _problem_codes(request, models)
    changes = _changes(request, models, option)
    return {choice: after for choice, after in changes.items() if _problem_codes(after, models) <= before}


def _problem_codes(request: VideoRequest, models: Mapping[str, VideoModel]) -> set[str]:
    model = models.get(request.model)
    return {problem.code for problem in check_request(request, model)} if model else set()


def _changes(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> dict[str, VideoRequest]:
    if option == "model":
        offered = {*shown(models), request.model}
        return {name: fit_request(request, model) for name, model in models.items() if name in offered}
    model = models.get(request.model)
    if model is None:
        return {}
    match option:
        case "ratio" if request.photos and not model.ratio_with_photo:
            return {}
        case "ratio":
            own = {_OWN_SHAPE: _with(request, ratio=None)} if request.photos else {}
            return own | {ratio: _with(request, ratio=ratio) for ratio in model.ratios}
        case "seconds":
            return {str(seconds): _with(request, seconds=seconds) for seconds in sorted(model.seconds)}
        case "resolution":
            return {name: _at_resolution(request, model, name) for name in model.resolutions}
        case "audio" if model.audio:
            return {"off": _with(request, audio=False), "on": _with(request, audio=True)}
        case "camera" if len(request.photos) == 1 and Mode.CAMERA in model.modes:
            moves = {camera: fit_request(_with(request, camera=camera), model) for camera in CAMERAS}
            return {_NO_MOVE: _with(request, camera=None, strength=None)} | moves
        case "strength" if request.camera:
            return {strength: _with(request, strength=strength) for strength in STRENGTHS}
        case _:
            return {}


def _with(request: VideoRequest, **wishes: object) -> VideoRequest:
    return request.model_copy(update=wishes)


def _at_resolution(request: VideoRequest, model: VideoModel, resolution: str) -> VideoRequest:
    if request.camera and (Mode.CAMERA, resolution) in model.exceptions:
        return _with(request, resolution=resolution, camera=None, strength=None)
    return _with(request, resolution=resolution)


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


def _summary(task: Task, models: Mapping[str, VideoModel], option: str) -> InlineKeyboardButton | None:
    now, choices = choices_of(task.request, models, option)
    others = [choice for choice in choices if choice != now]
    if not others:
        return None
    taken = f"={others[0]}" if len(others) == 1 else ""
    return InlineKeyboardButton(
        _SIGNS.get(option, "") + label_of(task.language, option, now),
        callback_data=f"{VERB}:{task.id}:{option}{taken}",
    )


def _chosen(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> str:
    """The choice in force, whether made or the model's default."""
    if option == "model":
        return request.model
    bought = settle(request, models[request.model])
    match option:
        case "ratio":
            return bought.ratio or _OWN_SHAPE
        case "seconds":
            return str(bought.seconds)
        case "resolution":
            return bought.resolution or ""
        case "audio":
            return "on" if bought.audio else "off"
        case "camera":
            return bought.camera or _NO_MOVE
        case _:
            return bought.strength or ""


def _name(language: str, key: str, **values: object) -> str:
    """A phrase for a place that knows no HTML; empty where there is none."""
    return plain(say(language, key, **values)) if has_phrase(key) else ""
