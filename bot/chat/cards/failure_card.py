"""The card of a task that failed: why, what it cost, and a button for each next step. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import (
    COPY_LIMIT,
    Card,
    button,
    copy_button,
    heading,
    join,
    keyboard,
    model_rows,
    task_button,
    units,
)
from bot.chat.cards.next_steps import NextStep, next_steps, other_models
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.codes import PERHAPS_CHARGED, RESULT_REFUSED, FailureCode
from bot.request import Mode, PhotoRules, VideoModel
from bot.task import Task
from bot.text import has_phrase, plain, say


def draw_failed(
    task: Task,
    models: Mapping[str, VideoModel],
    aside: str = "",
    price_labels: PriceLabels = NO_PRICE_LABELS,
    *,
    now: datetime | None = None,
    unusable: frozenset[str] = frozenset(),
) -> Card:
    """Draw the card of a failed task. `aside` stands between what was asked for and why there is none. `now`
    decides whether the video may be fetched again. `unusable`: the models that are no way out at present."""
    code = task.error_code or FailureCode.PROVIDER_FAULT
    model = models.get(task.request.model)
    free = model is not None and model.free
    sentences = [reason_of(task, code, model)]
    if not free and code not in (FailureCode.MODEL_GONE, FailureCode.SUBMIT_UNKNOWN):
        charged = task.remote_id or code in PERHAPS_CHARGED
        sentences.append(_charged(task, price_labels) if charged else say(task.language, "not_charged"))
    rows = [
        row
        for remedy in next_steps(code, task.request)
        if remedy is not NextStep.FETCH or (now is not None and task.may_be_fetched_again(now))
        for row in _rows(task, code, remedy, _offered(task, models, unusable), price_labels)
    ]
    text = join(heading(task, model), aside, "\n".join(sentences))
    return Card(text, keyboard(rows) if rows else None)


def _offered(
    task: Task, models: Mapping[str, VideoModel], unusable: frozenset[str]
) -> Mapping[str, VideoModel]:
    """Return the models that may be a way out, and the task's own."""
    return {name: model for name, model in models.items() if name not in unusable - {task.request.model}}


def _charged(task: Task, price_labels: PriceLabels) -> str:
    price = price_labels.price(task)
    if not price:
        return say(task.language, "charged")
    return say(task.language, "charged_cost", price=plain(price))


def reason_of(task: Task, code: str, model: VideoModel | None) -> str:
    """Return why there is no video, as HTML."""
    rules = model.photo_rules if model else PhotoRules()
    match code:
        case FailureCode.PHOTO_TOO_SMALL:
            return say(task.language, "photo_file_too_small", min_side=rules.min_side)
        case FailureCode.PHOTO_TOO_LONG:
            return say(task.language, "photo_file_too_long", times=f"{rules.max_long_to_short:g}")
        case _:
            return say(task.language, code if has_phrase(code) else FailureCode.PROVIDER_FAULT)


def _rows(
    task: Task, code: str, remedy: NextStep, models: Mapping[str, VideoModel], price_labels: PriceLabels
) -> list[list[InlineKeyboardButton]]:
    match remedy:
        case NextStep.FETCH:
            return [[task_button(task, "button_fetch_again", remedy)]]
        case NextStep.PHOTO:
            return [[task_button(task, "button_other_photo", remedy)]]
        case NextStep.WORDS:
            row = [task_button(task, "button_other_words", remedy)]
            if units(task.request.prompt) <= COPY_LIMIT:
                row.append(copy_button(task.language, "button_copy_words", task.request.prompt))
            return [row]
        case NextStep.PLAIN:
            model = models.get(task.request.model)
            can = model is not None and Mode.TEXT in model.modes
            return [[task_button(task, "button_without_photo", remedy)]] if can else []
        case NextStep.AGAIN:
            return [[_again(task, code, models, price_labels)]]
        case NextStep.MODEL:
            return model_rows(task, other_models(task.request, models, code), price_labels)


def _again(
    task: Task, code: str, models: Mapping[str, VideoModel], price_labels: PriceLabels
) -> InlineKeyboardButton:
    """Return the button that orders the same again; its label says if that costs once more."""
    model = models.get(task.request.model)
    if model is not None and model.free:
        return task_button(task, "button_try_again", NextStep.AGAIN)
    if code == FailureCode.SUBMIT_UNKNOWN:
        return task_button(task, "button_try_again_paid", NextStep.AGAIN)
    if not task.remote_id and code not in RESULT_REFUSED:
        return task_button(task, "button_try_again", NextStep.AGAIN)
    if not (cost := plain(price_labels.cost(task.language, task.request))):
        return task_button(task, "button_try_again_order", NextStep.AGAIN)
    label = plain(say(task.language, "button_try_again_cost", price=cost))
    return button(label, NextStep.AGAIN, task.id)
