"""What drafts ask, and how: a card with buttons, or a question whose answer is a reply. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.chat.options import choice_rows, option_rows
from bot.chat.parts import Card, button, cut, heading, join, left_out, model_rows
from bot.request import Problem, VideoModel
from bot.task import Task, TaskState
from bot.text import say

STARTED_BY_ANSWER = frozenset({"card_ask_words", "card_ask_other_words", "card_ask_other_photo"})
"""Asked for a reply: whoever answers wants it, and it starts."""
_STARTED_BY_BUTTON = frozenset({"card_draft", "card_old", "card_crop", "card_ask_photo"})
CROP_ALWAYS = "crop-always"
"""The verb of the button that says yes, and asks for no crop to be shown again."""
_OLD_WORDS = 3000


@dataclass(frozen=True, slots=True)
class Question:
    """A message that opens the keyboard for a reply."""

    text: str
    placeholder: str


def draw_draft(
    task: Task, models: Mapping[str, VideoModel], now: datetime, opened: str | None = None
) -> Card:
    """The card of a draft. `opened` is the option whose choices its buttons show."""
    model = models.get(task.request.model)
    above = heading(task, model) if task.request.prompt else ""
    beside = left_out(task.request, model, task.language)
    text = join(above, beside, _crop(task), _sentence(task, now))
    if opened is not None and (choices := choice_rows(task, models, opened)):
        return Card(text, InlineKeyboardMarkup(choices))
    rows = option_rows(task, models) if has_options(task) else []
    last = [button(task, "button_dismiss", "dismiss")]
    if task.question in _STARTED_BY_BUTTON:
        last.insert(0, button(task, "button_generate", "generate", KeyboardButtonStyle.SUCCESS))
    rows.append(last)
    if task.question == "card_crop":
        rows.append([button(task, "button_crop_always", CROP_ALWAYS)])
    return Card(text, InlineKeyboardMarkup(rows))


def has_options(task: Task) -> bool:
    """Whether its buttons change what will be bought: in a group they would be in everybody's way."""
    return task.state is TaskState.DRAFT and task.question == "card_draft" and task.chat_id > 0


def draw_question(task: Task, now: datetime) -> Question:
    """What is said for a question in `STARTED_BY_ANSWER`."""
    photo = task.question == "card_ask_other_photo"
    key = "card_ask_photo_placeholder" if photo else "card_ask_words_placeholder"
    return Question(_sentence(task, now), say(task.language, key))


def draw_switch(task: Task, problem: Problem, names: Sequence[str]) -> Card:
    """The chosen model cannot make it, but these can."""
    text = join(say(task.language, problem.code, **problem.values), say(task.language, "card_switch"))
    rows = [*model_rows(task, names), [button(task, "button_dismiss", "dismiss")]]
    return Card(text, InlineKeyboardMarkup(rows))


def _crop(task: Task) -> str:
    """What the picture on the card shows."""
    request = task.request
    if request.crop is None or not request.photos:
        return ""
    return say(task.language, "card_crop_shown", model=request.model, ratio=request.crop)


def _sentence(task: Task, now: datetime) -> str:
    match task.question:
        case "card_old":
            return say(task.language, "card_old", age=_age(task.language, now - task.created_at))
        case "card_ask_other_words":
            words = cut(task.request.prompt, _OLD_WORDS)
            return say(task.language, "card_ask_other_words", words=words)
        case question:
            return say(task.language, question or "card_draft")


def _age(language: str, age: timedelta) -> str:
    minutes = max(round(age.total_seconds() / 60), 1)
    if minutes < 90:
        return say(language, "age_minutes", minutes=minutes)
    return say(language, "age_hours", hours=round(minutes / 60))
