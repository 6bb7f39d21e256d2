"""The card of a draft: its question, with buttons, or a message that is answered by a reply. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardButton
from telegram.constants import KeyboardButtonStyle

from bot.chat.cards.continuation import continuation
from bot.chat.cards.crop_buttons import crop_rows
from bot.chat.cards.eta import about
from bot.chat.cards.layout import (
    Card,
    button,
    continued,
    cut,
    heading,
    join,
    keyboard,
    left_out,
    model_rows,
    prompt_line,
    task_button,
    unlinked,
)
from bot.chat.cards.motion_suggestions import motion_rows
from bot.chat.cards.option_buttons import ALL_OPTIONS, PHOTO_OPTIONS, choice_rows, option_rows
from bot.chat.cards.photo_picker import draw_which, may_add_last, may_add_reference, only_rows
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.draft import OFFERS_MOTIONS, STARTED_BY_BUTTON, TAKES_LAST_PHOTO, DraftQuestion
from bot.request import RANDOM_SEED, Problem, VideoModel
from bot.task import Task, TaskState
from bot.text import plain, say

CROP_ALWAYS = "crop-always"
"""The verb of the button that says yes, and that no crop need be shown again."""
GO_ON = "goon"
"""The verb of the button that continues the video to which the words of a draft replied."""
_WITH_OPTIONS = (DraftQuestion.START, DraftQuestion.START_REWORDED, DraftQuestion.START_GUESSED)
_OLD_WORDS = 3000


@dataclass(frozen=True, slots=True)
class Question:
    """A message that opens the keyboard for a reply."""

    text: str
    placeholder: str


def draw_draft(
    task: Task,
    models: Mapping[str, VideoModel],
    now: datetime,
    opened: str | None = None,
    usual_s: float | None = None,
    *,
    price_labels: PriceLabels = NO_PRICE_LABELS,
    left: str = "",
) -> Card:
    """Draw the card of a draft. `opened` is the option whose choices its buttons show, `usual_s` how long
    such a video usually takes, and `left` what the day still allows, if that is little."""
    if task.question == DraftQuestion.WHICH_PHOTOS:
        return draw_which(task, models, opened)
    model = models.get(task.request.model)
    is_for_sale = bool(task.request.prompt) or task.question in STARTED_BY_BUTTON
    above = heading(task, model) if is_for_sale else ""
    beside = left_out(task.request, model, task.language)
    asks = _sentence(task, now) + _terms(task, model, usual_s, price_labels)
    advice = join(_advice(task, model), _seeds(task))
    text = join(above, beside, continued(task), _crop(task), advice, asks, left, _add_last(task, models))
    if opened is not None and (choices := choice_rows(task, models, opened, price_labels)):
        return Card(text, keyboard(choices))
    rows = [*crop_rows(task), *motion_rows(task)]
    rows += option_rows(task, models, options_of(task), price_labels)
    last = [task_button(task, "button_dismiss", "dismiss")]
    if task.question == DraftQuestion.START_REWORDED:
        rows.append(_reworded_buttons(task, models, price_labels))
    elif task.question in STARTED_BY_BUTTON:
        last.insert(0, task_button(task, "button_generate", "generate", KeyboardButtonStyle.SUCCESS))
    rows.append(last)
    if task.question == DraftQuestion.START_CROPPED:
        rows.append([task_button(task, "button_crop_always", CROP_ALWAYS)])
    return Card(text, keyboard(rows))


def options_of(task: Task) -> frozenset[str]:
    """Return the options that the draft's buttons change: few in a group, where many would disturb others."""
    if task.state is not TaskState.DRAFT:
        return frozenset()
    if task.question in OFFERS_MOTIONS or (task.card.chat_id < 0 and task.question in _WITH_OPTIONS):
        return PHOTO_OPTIONS
    return ALL_OPTIONS if task.question in _WITH_OPTIONS else frozenset()


def draw_question(task: Task, now: datetime, price_labels: PriceLabels = NO_PRICE_LABELS) -> Question:
    """Return the text of a question in `STARTED_BY_ANSWER`."""
    keys: dict[str, str] = {
        DraftQuestion.OTHER_PHOTO: "card_ask_photo_placeholder",
        DraftQuestion.FIRST_PHOTO: "card_ask_photo_placeholder",
        DraftQuestion.EXTEND_WORDS: "card_ask_extend_placeholder",
    }
    key = keys.get(task.question or "", "card_ask_words_placeholder")
    return Question(_sentence(task, now) + _costs(task, price_labels), say(task.language, key))


def draw_switch(
    task: Task, problem: Problem, names: Sequence[str], price_labels: PriceLabels = NO_PRICE_LABELS
) -> Card:
    """Draw the card that offers other models, because the chosen one cannot make the request."""
    text = join(say(task.language, problem.code, **problem.values), say(task.language, "card_switch"))
    rows = [
        *model_rows(task, names, price_labels),
        *only_rows(task),
        [task_button(task, "button_dismiss", "dismiss")],
    ]
    return Card(text, keyboard(rows))


def _advice(task: Task, model: VideoModel | None) -> str:
    """Say that the prompt is longer than the model follows well; empty if it is not."""
    if model is None or model.prompt_advice is None or len(task.request.prompt) <= model.prompt_advice:
        return ""
    return say(task.language, "card_prompt_advice", model=model.name, letters=model.prompt_advice)


def _seeds(task: Task) -> str:
    """Return that each of several videos has a seed of its own, where one was named."""
    seed, count = task.request.seed, task.request.count or 1
    if seed is None or seed == RANDOM_SEED or count == 1:
        return ""
    return say(task.language, "card_seeds", seeds=", ".join(str(seed + place) for place in range(count)))


def _reworded_buttons(
    task: Task, models: Mapping[str, VideoModel], price_labels: PriceLabels
) -> list[InlineKeyboardButton]:
    """Return a button for each of the two things that the words may be meant for, with its cost."""
    generate = price_labels.label(say(task.language, "button_generate"), task.language, task.request)
    buttons = [button(generate, "generate", task.id, style=KeyboardButtonStyle.SUCCESS)]
    if onward := continuation(task.request, "", models, task.request.model):
        label = price_labels.label(say(task.language, "button_extend"), task.language, onward)
        buttons.append(button(label, GO_ON, task.id))
    return buttons


def _crop(task: Task) -> str:
    """Say what the picture on the card shows."""
    request = task.request
    if request.crop is None or not request.photos:
        return ""
    key = "card_crop_shown" if len(request.photos) == 1 else "card_crop_pair"
    return say(task.language, key, model=request.model, ratio=request.crop.ratio)


def _add_last(task: Task, models: Mapping[str, VideoModel]) -> str:
    """Say that one more photo may be sent; in a group, as a reply."""
    if task.question in TAKES_LAST_PHOTO and may_add_reference(task.request, models):
        return say(task.language, "card_add_reference")
    asks = task.question in TAKES_LAST_PHOTO and may_add_last(task.request, models)
    return say(task.language, "card_add_last") if asks else ""


def _sentence(task: Task, now: datetime) -> str:
    match task.question:
        case DraftQuestion.RECIPE_PHOTO if task.request.photos_as == "references":
            return say(task.language, "card_recipe_references")
        case DraftQuestion.TWO_PHOTOS_WORDS as question:
            return say(task.language, question, model=task.request.model)
        case DraftQuestion.PHOTO_MOTION if task.request.extends:
            return say(task.language, "card_ask_next")
        case DraftQuestion.PHOTO_WORDS if task.request.extends:
            return say(task.language, "card_ask_next_words")
        case DraftQuestion.START_OLD:
            return say(task.language, "card_old", age=_age(task.language, now - task.created_at))
        case DraftQuestion.OTHER_WORDS:
            words = cut(unlinked(task.request.prompt), _OLD_WORDS)
            return say(task.language, "card_ask_other_words", words=words)
        case DraftQuestion.FIRST_PHOTO as question:
            return "\n".join(filter(None, (prompt_line(task), say(task.language, question))))
        case DraftQuestion.START_GUESSED as question:
            command = "/animate" if task.request.photos else "/video"
            return say(task.language, question, command=command)
        case DraftQuestion.START_NAMED:
            return say(task.language, "card_draft_named", name=task.user_name)
        case question:
            return say(task.language, question or DraftQuestion.START)


def _terms(task: Task, model: VideoModel | None, usual_s: float | None, price_labels: PriceLabels) -> str:
    """Say how long the video takes, if only a yes is missing; and the price, if one press can order it."""
    if task.question not in STARTED_BY_BUTTON or task.question == DraftQuestion.START_REWORDED:
        return ""
    if usual_s is None or task.question != DraftQuestion.START:
        return _costs(task, price_labels)
    if task.request.off_peak and model is not None:
        later = say(task.language, "card_usual_later", hours=model.off_peak_hours)
        return f"\n{later}{_costs(task, price_labels)}"
    time = about(task.language, usual_s)
    if cost := plain(price_labels.cost(task.language, task.request)):
        return "\n" + say(task.language, "card_usual_costs", time=time, price=cost)
    return "\n" + say(task.language, "card_usual", time=time)


def _costs(task: Task, price_labels: PriceLabels) -> str:
    cost = plain(price_labels.cost(task.language, task.request))
    return "\n" + say(task.language, "card_costs", price=cost) if cost else ""


def _age(language: str, age: timedelta) -> str:
    minutes = max(round(age.total_seconds() / 60), 1)
    if minutes < 90:
        return say(language, "age_minutes", minutes=minutes)
    return say(language, "age_hours", hours=round(minutes / 60))
