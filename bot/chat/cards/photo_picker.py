"""What several photos are for: one begins the video and perhaps one ends it, or they are references. Pure.

`which:<task>:2` asks what photo 2 should lead to, `which:<task>:2-4` takes both, `which:<task>:2-2` that one
alone, `which:<task>:refs` all of them as references, `which:<task>:` goes back. Photos are counted from 1, in
the order in which they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import Card, button, join, keyboard, prompt_line, rows, task_button
from bot.draft import DraftQuestion
from bot.request import Mode, VideoModel, VideoRequest, fit_request, shown
from bot.task import Task
from bot.text import say

VERB = "which"
ALL = "refs"
MOST_PHOTOS = 10
"""How many photos a card lets people choose from: as many as an album has."""
_COLUMNS = 5


def fit_two_photos(request: VideoRequest, models: Mapping[str, VideoModel]) -> VideoRequest | None:
    """Return the request for a model that leads from one photo to another: the chosen one, else the first
    that can, of the same company if possible. None if no model here can."""
    return _fit(request, models, _takes_two)


def fit_references(request: VideoRequest, models: Mapping[str, VideoModel]) -> VideoRequest | None:
    """Return the request with its photos as references, for a model found as in `fit_two_photos`: with all of
    them, else with as many as the models here take. None if no model here takes any."""
    able = [model for model in models.values() if model.references and model.photo_reachable]
    offered = {*shown(models), request.model}
    most = max((model.references for model in able if model.name in offered), default=0)
    count = min(len(request.photos), most)
    changes = {"photos": request.photos[:count], "photos_as": "references", "crop": None}
    references = request.model_copy(update=changes)
    return (
        _fit(references, models, lambda model: model in able and model.references >= count) if most else None
    )


def _fit(
    request: VideoRequest, models: Mapping[str, VideoModel], can: Callable[[VideoModel], bool]
) -> VideoRequest | None:
    chosen = models.get(request.model)
    if chosen is not None and can(chosen):
        return fit_request(request, chosen) if request.photos_as == "references" else request
    company = chosen.company if chosen else ""
    able = [models[name] for name in shown(models) if can(models[name])]
    nearest = min(able, key=lambda model: model.company != company, default=None)
    return fit_request(request, nearest) if nearest else None


def words_question(request: VideoRequest, *, is_optional: bool = False) -> DraftQuestion:
    """Return what asks for the words to photos that have none."""
    if request.mode is Mode.REFERENCES:
        return DraftQuestion.REFERENCES_WORDS
    if len(request.photos) > 1:
        return DraftQuestion.TWO_PHOTOS_WORDS
    return DraftQuestion.PHOTO_MOTION if is_optional else DraftQuestion.PHOTO_WORDS


def may_add_last(request: VideoRequest, models: Mapping[str, VideoModel]) -> bool:
    """Return True if the chosen model could lead the photo of this request to a second one."""
    model = models.get(request.model)
    is_free = not (request.camera or request.loop or request.extends)
    return _is_one_frame(request) and is_free and model is not None and _takes_two(model)


def may_add_reference(request: VideoRequest, models: Mapping[str, VideoModel]) -> bool:
    """Return True if the chosen model could take one more reference."""
    model = models.get(request.model)
    is_mode = request.mode is Mode.REFERENCES
    return is_mode and model is not None and len(request.photos) < model.references


def draw_which(task: Task, models: Mapping[str, VideoModel], opened: str | None = None) -> Card:
    """Draw the card that asks which photos to use. `opened` is the photo that was chosen as the first."""
    count = len(task.request.photos)
    above, references = prompt_line(task), fit_references(task.request, models)
    last = [task_button(task, "button_dismiss", "dismiss")]
    if fit_two_photos(task.request, models) is None:
        numbers = [
            _button(task, _number_label(task, number, references), f"{number}-{number}")
            for number in range(1, count + 1)
        ]
        text = join(above, _ask(task, "card_which_one", references))
        return Card(text, keyboard([*rows(numbers, _COLUMNS), *_all(task, references), last]))
    if opened is None or (first := _number(opened, count)) is None:
        numbers = [
            _button(task, _number_label(task, number, references), str(number))
            for number in range(1, count + 1)
        ]
        text = join(above, _ask(task, DraftQuestion.WHICH_PHOTOS, references))
        return Card(text, keyboard([*rows(numbers, _COLUMNS), *_all(task, references), last]))
    others = [number for number in range(1, count + 1) if number != first]
    numbers = [_button(task, str(number), f"{first}-{number}") for number in others]
    text = join(above, say(task.language, "card_which_last", number=first))
    back = _button(task, say(task.language, "option_back"), "")
    button_rows = [*rows(numbers, _COLUMNS), [_only(task, first)], [back, *last]]
    return Card(text, keyboard(button_rows))


def only_rows(task: Task) -> list[list[InlineKeyboardButton]]:
    """Return buttons for one of the two photos, for a card that offers other models: one is enough for the
    chosen model."""
    if len(task.request.photos) != 2:
        return []
    return [[_only(task, number) for number in (1, 2)]]


def chosen_photos(photos: tuple[str, ...], choice: str) -> tuple[str, ...] | None:
    """Return the chosen photos, first and last; None if the choice names none, or some that do not exist."""
    first, _, last = choice.partition("-")
    numbers = _number(first, len(photos)), _number(last, len(photos))
    if numbers[0] is None or numbers[1] is None:
        return None
    taken = (photos[numbers[0] - 1], photos[numbers[1] - 1])
    return taken if numbers[0] != numbers[1] else taken[:1]


def _ask(task: Task, key: str, references: VideoRequest | None) -> str:
    key = key if references is None else "card_which_or_show"
    return say(task.language, key, count=len(task.request.photos))


def _all(task: Task, references: VideoRequest | None) -> list[list[InlineKeyboardButton]]:
    """Return the button that takes the photos as references, or as many of them as a model takes."""
    if references is None:
        return []
    count = len(references.photos)
    key = "button_show_all" if count == len(task.request.photos) else "button_show_some"
    return [[_button(task, say(task.language, key, last=count), ALL)]]


def _is_one_frame(request: VideoRequest) -> bool:
    return len(request.photos) == 1 and request.photos_as == "frames"


def _takes_two(model: VideoModel) -> bool:
    return Mode.FIRST_LAST in model.modes and model.photo_reachable


def _number(text: str, count: int) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d?", text, re.ASCII) and int(text) <= count else None


def _number_label(task: Task, number: int, references: VideoRequest | None) -> str:
    """Return what people call photo `number`: a word if there are two and nothing else to choose."""
    if len(task.request.photos) != 2 or references is not None:
        return str(number)
    return say(task.language, "button_first_photo" if number == 1 else "button_second_photo")


def _only(task: Task, number: int) -> InlineKeyboardButton:
    return _button(task, say(task.language, "button_only_photo", number=number), f"{number}-{number}")


def _button(task: Task, label: str, choice: str) -> InlineKeyboardButton:
    return button(label, VERB, task.id, choice)
