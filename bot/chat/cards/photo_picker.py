"""Which of several photos: the one that begins the video, and perhaps one that ends it. Pure.

`which:<task>:2` asks what photo 2 should lead to, `which:<task>:2-4` takes both, `which:<task>:2-2` that one
alone, `which:<task>:` goes back. Photos are counted from 1, in the order in which they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import Card, button, join, keyboard, prompt_line, rows, task_button
from bot.draft import DraftQuestion
from bot.request import Mode, VideoModel, VideoRequest, fit_request, shown
from bot.task import Task
from bot.text import say

VERB = "which"
_COLUMNS = 5


def fit_two_photos(request: VideoRequest, models: Mapping[str, VideoModel]) -> VideoRequest | None:
    """The request for a model that leads one photo to another: the chosen one, else the first that can, of
    the same company if one of those can. None where no model here can."""
    chosen = models.get(request.model)
    if chosen is not None and _takes_two(chosen):
        return request
    company = chosen.company if chosen else ""
    able = [models[name] for name in shown(models) if _takes_two(models[name])]
    nearest = min(able, key=lambda model: model.company != company, default=None)
    return fit_request(request, nearest) if nearest else None


def may_add_last(request: VideoRequest, models: Mapping[str, VideoModel]) -> bool:
    """Whether the chosen model could lead the photo of this request to a second one."""
    model = models.get(request.model)
    return len(request.photos) == 1 and not request.camera and model is not None and _takes_two(model)


def draw_which(task: Task, models: Mapping[str, VideoModel], opened: str | None = None) -> Card:
    """The card that asks. `opened` is the photo that was chosen to be the first."""
    count = len(task.request.photos)
    above = prompt_line(task)
    last = [task_button(task, "button_dismiss", "dismiss")]
    if fit_two_photos(task.request, models) is None:
        numbers = [
            _button(task, _number_label(task, number), f"{number}-{number}") for number in range(1, count + 1)
        ]
        text = join(above, say(task.language, "card_which_one", count=count))
        return Card(text, keyboard([*rows(numbers, _COLUMNS), last]))
    if opened is None or (first := _number(opened, count)) is None:
        numbers = [_button(task, _number_label(task, number), str(number)) for number in range(1, count + 1)]
        text = join(above, say(task.language, DraftQuestion.WHICH_PHOTOS, count=count))
        return Card(text, keyboard([*rows(numbers, _COLUMNS), last]))
    others = [number for number in range(1, count + 1) if number != first]
    numbers = [_button(task, str(number), f"{first}-{number}") for number in others]
    text = join(above, say(task.language, "card_which_last", number=first))
    back = _button(task, say(task.language, "option_back"), "")
    button_rows = [*rows(numbers, _COLUMNS), [_only(task, first)], [back, *last]]
    return Card(text, keyboard(button_rows))


def only_rows(task: Task) -> list[list[InlineKeyboardButton]]:
    """For a card that offers other models for two photos: one of them is enough for the chosen one."""
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


def _takes_two(model: VideoModel) -> bool:
    return Mode.FIRST_LAST in model.modes and model.photo_reachable


def _number(text: str, count: int) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d?", text, re.ASCII) and int(text) <= count else None


def _number_label(task: Task, number: int) -> str:
    """Return what people call photo `number`: a word if there are two, else the number."""
    if len(task.request.photos) != 2:
        return str(number)
    return say(task.language, "button_first_photo" if number == 1 else "button_second_photo")


def _only(task: Task, number: int) -> InlineKeyboardButton:
    return _button(task, say(task.language, "button_only_photo", number=number), f"{number}-{number}")


def _button(task: Task, label: str, choice: str) -> InlineKeyboardButton:
    return button(label, VERB, task.id, choice)
