"""The buttons under a finished video. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from telegram import InlineKeyboardMarkup

from bot.chat.cards.layout import button, keyboard, rows, task_button
from bot.chat.cards.next_steps import NextStep
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.request import Mode, VideoModel, shown
from bot.task import Task
from bot.text import plain, say

EXTEND = "extend"
JOIN = "join"
DETAILS = "details"
SHARE = "share"
DELETE = "delete"
ORIGINAL = "original"
FILM = "film"
"""Verbs of the buttons that no other card has."""
_COLUMNS = 3


def result_buttons(
    task: Task, models: Mapping[str, VideoModel], price_labels: PriceLabels = NO_PRICE_LABELS
) -> InlineKeyboardMarkup:
    """Return the buttons under a finished video, in rows that fit on a phone. Again buys at once, so it says
    the price. A joined film was not ordered: it can only be continued or deleted."""
    extend = [task_button(task, "button_extend", EXTEND)] if _can_extend(models) else []
    delete = task_button(task, "button_delete", DELETE)
    if task.is_joined and task.film_id:
        shots = button(plain(say(task.language, "button_film_shots")), FILM, task.film_id, "shots")
        return keyboard([[shots, task_button(task, "button_original", ORIGINAL)], [*extend, delete]])
    if task.is_joined:
        return keyboard([[*extend, delete]])
    below = [
        *extend,
        task_button(task, "button_details", DETAILS),
        task_button(task, "button_share", SHARE),
    ]
    label = price_labels.label(say(task.language, "button_again"), task.language, task.request)
    again = [
        button(label, NextStep.AGAIN, task.id),
        task_button(task, "button_other_words", NextStep.WORDS),
    ]
    more = [task_button(task, "button_join", JOIN)] if task.request.extends else []
    more.append(task_button(task, "button_original", ORIGINAL))
    first, *left = rows(again, len(again))
    others = [*(one for row in left for one in row), *below, *more, delete]
    return keyboard([first, *rows(others, _COLUMNS)])


def _can_extend(models: Mapping[str, VideoModel]) -> bool:
    """Return True if any model here can continue from a picture."""
    offered = [models[name] for name in shown(models)]
    return any(Mode.FIRST_FRAME in model.modes and model.photo_reachable for model in offered)
