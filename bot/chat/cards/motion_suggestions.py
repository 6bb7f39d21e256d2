"""Motions: what may happen in a photo, in a few words, for those who have none. Pure.

A button sends a model the very phrase that stands on it.
"""

from __future__ import annotations

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import button
from bot.draft import OFFERS_MOTIONS
from bot.task import Task
from bot.text import say

VERB = "motion"
"""The verb of every button here; the motion's number follows the task's id."""

_IN_ONE = ("button_motion_closer", "button_motion_wind", "button_motion_alive", "button_motion_around")
_BETWEEN_TWO = ("button_change_flow", "button_change_travel", "button_change_time", "button_change_light")


def motion_rows(task: Task) -> list[list[InlineKeyboardButton]]:
    """Return a button for each motion, each in a row of its own because it reads as a sentence."""
    if task.question not in OFFERS_MOTIONS:
        return []
    return [
        [button(say(task.language, key), VERB, task.id, number)]
        for number, key in enumerate(_offered(task), 1)
    ]


def motion_words(task: Task, choice: str) -> str | None:
    """Return the words of a chosen motion, in the language of its button; None if it is not offered."""
    keys = {str(number): key for number, key in enumerate(_offered(task), 1)}
    return say(task.language, keys[choice]) if choice in keys and task.question in OFFERS_MOTIONS else None


def _offered(task: Task) -> tuple[str, ...]:
    return _IN_ONE if len(task.request.photos) == 1 else _BETWEEN_TWO
