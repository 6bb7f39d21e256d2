"""The buttons under a draft that change what will be bought, and what each press makes of the request. Pure.

`pick:<task>:ratio` opens an option, `pick:<task>:ratio=9:16` takes a choice, `pick:<task>` goes back.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import button, name_camera, rows
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.request import (
    CAMERAS,
    MOST_AT_ONCE,
    STRENGTHS,
    Mode,
    VideoModel,
    VideoRequest,
    check_request,
    fit_request,
    keeps_photo_shape,
    newest,
    resolutions_for,
    seconds_for,
    settle,
    shown,
    style_options,
)
from bot.styles import Style, styles
from bot.task import Task
from bot.text import has_phrase, plain, say

VERB = "pick"
"""The verb of every button here. The choice follows the task's id: nothing, an option, or `option=choice`."""

# Buttons in a row share its width: five with a model's name among them are cut off on a phone.
_ROWS = (
    ("model",),
    ("photos",),
    ("ratio", "seconds", "resolution", "audio"),
    ("camera", "strength"),
    ("style", "loop", "shots", "count"),
    ("later",),
)
ALL_OPTIONS = frozenset({*(option for row in _ROWS for option in row), "models"})
PHOTO_OPTIONS = frozenset({"style", "loop"})
"""The options on a card that asks what happens in a photo."""
_ALL_MODELS = "models"
"""Opens the keyboard of all models; that of "model" has the newest of each family."""
_COLUMNS = {"model": 2, _ALL_MODELS: 2, "photos": 1, "camera": 2, "count": 2}
_SIGNS = {"model": "🎬 ", "photos": "🖼 ", "camera": "🎥 ", "style": "🎨 "}
_FIELDS = {"audio": "audio", "shots": "several_shots", "later": "off_peak", "loop": "loop"}
"""The fields of the switches in requests and, except for the loop, in models."""
_OWN_SHAPE = "photo"
_NO_MOVE = "none"


def option_rows(
    task: Task,
    models: Mapping[str, VideoModel],
    options: Container[str] = ALL_OPTIONS,
    price_labels: PriceLabels = NO_PRICE_LABELS,
) -> list[list[InlineKeyboardButton]]:
    """Return a button for each of `options` that can be changed, with the current choice on it.

    A press opens the option's choices; if there is only one other, it is taken at once.
    """
    summaries = [
        [_summary(task, models, option, price_labels) for option in row if option in options] for row in _ROWS
    ]
    return [present for row in summaries if (present := [one for one in row if one is not None])]


def choice_rows(
    task: Task, models: Mapping[str, VideoModel], option: str, price_labels: PriceLabels = NO_PRICE_LABELS
) -> list[list[InlineKeyboardButton]]:
    """Return the choices of one opened option, the current one marked; empty if nothing can be chosen.

    If the choice changes the cost, each button says the price.
    """
    now, choices = choices_of(task.request, models, option)
    is_folded = option == "model" and 1 < len({*newest(choices), now}) < len(choices)
    if is_folded:
        choices = [name for name in choices if name in {*newest(choices), now}]
    amounts = price_labels.amounts(task.language, _outcomes(task.request, models, option))
    buttons = [
        button(
            ("✓ " if choice == now else "")
            + label_of(task.language, option, choice)
            + (f" · {amounts[choice]}" if choice in amounts else ""),
            VERB,
            task.id,
            f"{option}={choice}",
        )
        for choice in choices
    ]
    if not buttons:
        return []
    last = [button(_name(task.language, "option_back"), VERB, task.id)]
    if is_folded:
        last.append(button(_name(task.language, "option_all_models"), VERB, task.id, _ALL_MODELS))
    return [*rows(buttons, _COLUMNS.get(option, 3)), last]


def choices_of(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> tuple[str, list[str]]:
    """Return the current choice of an option, and all choices: none if nothing else can be chosen."""
    choices = list(_outcomes(request, models, option))
    now = _chosen(request, models, option) if choices else ""
    return now, ([] if choices == [now] else choices)


def label_of(language: str, option: str, choice: str) -> str:
    """Return the label of a choice; not HTML."""
    match option:
        case "ratio" if choice == _OWN_SHAPE:
            return _name(language, "option_own_shape")
        case "seconds":
            return _name(language, "seconds", seconds=choice)
        case "audio" | "loop" | "shots" | "photos":
            return _name(language, f"option_{option}_{choice}")
        case "camera":
            return name_camera(language, choice)
        case "style":
            return (
                styles()[choice].title(language) if choice in styles() else _name(language, "option_no_style")
            )
        case "strength":
            return _name(language, f"option_strength_{choice}") or choice
        case "count":
            return _name(language, "card_several", count=int(choice))
        case _:
            return choice


def changed(
    request: VideoRequest, models: Mapping[str, VideoModel], option: str, choice: str
) -> VideoRequest | None:
    """Return the request with another choice; what that choice rules out is adapted to it.

    None if the option or the choice is not offered for this request.
    """
    return _outcomes(request, models, option).get(choice)


def _outcomes(
    request: VideoRequest, models: Mapping[str, VideoModel], option: str
) -> dict[str, VideoRequest]:
    """Return the request that each choice would make. What would cause a new problem is no choice."""
    before = _problem_codes(request, models)
    changes = _changes(request, models, option)
    return {choice: after for choice, after in changes.items() if _problem_codes(after, models) <= before}


def _problem_codes(request: VideoRequest, models: Mapping[str, VideoModel]) -> set[str]:
    model = models.get(request.model)
    return {problem.code for problem in check_request(request, model)} if model else set()


def _models(request: VideoRequest, models: Mapping[str, VideoModel]) -> dict[str, VideoRequest]:
    names = dict.fromkeys([*shown(models), request.model])
    return {name: fit_request(request, models[name]) for name in names if name in models}


def _counts(request: VideoRequest, models: Mapping[str, VideoModel]) -> dict[str, VideoRequest]:
    counts = range(1, MOST_AT_ONCE + 1) if request.model in models else ()
    return {str(count): _with(request, count=count if count > 1 else None) for count in counts}


_OF_EVERY_MODEL = {"model": _models, _ALL_MODELS: _models, "count": _counts}


def _changes(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> dict[str, VideoRequest]:
    if option in _OF_EVERY_MODEL:
        return _OF_EVERY_MODEL[option](request, models)
    model = models.get(request.model)
    if model is None:
        return {}
    match option:
        case "photos" if request.photos and not request.extends:
            ways = [_with(request, photos_as=way, crop=None) for way in ("frames", "references")]
            fits = len(request.photos) <= 2
            return {one.photos_as: fit_request(one, model) for one in ways[0 if fits else 1 :]}
        case "ratio":
            is_framed = request.mode not in {Mode.TEXT, Mode.REFERENCES}
            own = {_OWN_SHAPE: _with(request, ratio=None)} if is_framed else {}
            ratios = () if keeps_photo_shape(request, model) else model.ratios
            return (own if ratios else {}) | {ratio: _with(request, ratio=ratio) for ratio in ratios}
        case "seconds":
            lengths = sorted(seconds_for(request.mode, model))
            return {str(seconds): _of_seconds(request, model, seconds) for seconds in lengths}
        case "resolution":
            return {name: _at_resolution(request, model, name) for name in model.resolutions}
        case "camera" if (
            len(request.photos) == 1 and request.photos_as == "frames"
        ) and Mode.CAMERA in model.modes:
            moves = {
                camera: fit_request(_with(request, camera=camera, loop=None), model) for camera in CAMERAS
            }
            return {_NO_MOVE: _with(request, camera=None, strength=None)} | moves
        case "loop" if Mode.FIRST_LAST in model.modes and request.mode is not Mode.REFERENCES:
            looped = _with(request, loop=True, camera=None, strength=None)
            whole = {"on": fit_request(looped, model)} if len(request.photos) == 1 else {}
            return {"off": _with(request, loop=None)} | whole
        case "audio" | "shots" | "later" if getattr(model, _FIELDS[option]):
            return {
                "off": _with(request, **{_FIELDS[option]: False}),
                "on": _with(request, **{_FIELDS[option]: True}),
            }
        case "style":
            none = {_NO_MOVE: _with(request, style=None)}
            return none | {name: _styled(request, model, style) for name, style in styles().items()}
        case "strength" if request.camera:
            return {strength: _with(request, strength=strength) for strength in STRENGTHS}
        case _:
            return {}


def _with(request: VideoRequest, **wishes: object) -> VideoRequest:
    return request.model_copy(update=wishes)


def _styled(request: VideoRequest, model: VideoModel, style: Style) -> VideoRequest:
    return fit_request(_with(request, style=style, **style_options(style, model)), model)


def _of_seconds(request: VideoRequest, model: VideoModel, seconds: int) -> VideoRequest:
    if request.resolution in resolutions_for(request.mode, model, seconds):
        return _with(request, seconds=seconds)
    return _with(request, seconds=seconds, resolution=None)


def _at_resolution(request: VideoRequest, model: VideoModel, resolution: str) -> VideoRequest:
    asked = _with(request, resolution=resolution)
    if request.camera and resolution not in resolutions_for(request.mode, model):
        asked = _with(asked, camera=None, strength=None)
    fits = request.seconds in {None, *seconds_for(asked.mode, model, resolution)}
    return asked if fits else _with(asked, seconds=None)


def _summary(
    task: Task, models: Mapping[str, VideoModel], option: str, price_labels: PriceLabels
) -> InlineKeyboardButton | None:
    now, choices = choices_of(task.request, models, option)
    others = [choice for choice in choices if choice != now]
    if not others:
        return None
    taken = f"={others[0]}" if len(others) == 1 else ""
    if option == "later":
        # The other choice with its price: nobody waits longer for an unknown saving.
        hours = models[task.request.model].off_peak_hours
        instead = _name(task.language, f"button_later_{others[0]}", hours=hours)
        outcome = _outcomes(task.request, models, option)[others[0]]
        label = price_labels.label(instead, task.language, outcome)
    else:
        label = _SIGNS.get(option, "") + label_of(task.language, option, now)
    return button(label, VERB, task.id, f"{option}{taken}")


def _chosen(request: VideoRequest, models: Mapping[str, VideoModel], option: str) -> str:
    """Return the current choice: the request's, else the model's default."""
    if option in ("model", _ALL_MODELS):
        return request.model
    bought = settle(request, models[request.model])
    match option:
        case "photos":
            return request.photos_as
        case "ratio":
            return bought.ratio or _OWN_SHAPE
        case "seconds":
            return str(bought.seconds)
        case "resolution":
            return bought.resolution or ""
        case switch if switch in _FIELDS:
            return "on" if getattr(bought, _FIELDS[switch]) else "off"
        case "camera":
            return bought.camera or _NO_MOVE
        case "style":
            return bought.style.name if bought.style else _NO_MOVE
        case "count":
            return str(request.count or 1)
        case _:
            return bought.strength or ""


def _name(language: str, key: str, **values: object) -> str:
    """Return a phrase without HTML; empty if there is none."""
    return plain(say(language, key, **values)) if has_phrase(key) else ""
