"""What a card says: text, caption and buttons of a task in each state. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.chat.parts import Card, button, cut, facts, heading, join, units
from bot.chat.questions import draw_draft
from bot.chat.refusal import draw_failed
from bot.errors import IllegalMove
from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.text import say

CAPTION_LIMIT = 1024
_BAR = 12


def draw_card(
    task: Task, models: Mapping[str, VideoModel], now: datetime, ahead: int = 0, aside: str = ""
) -> Card:
    """The card of a task that has no video to show: a draft, on its way, or ended without one.

    `ahead`: how many are served before it. `aside`: a line about what the task itself does not say any more.
    """
    model = models.get(task.request.model)
    free = model is not None and model.free
    match task.state:
        case TaskState.DRAFT:
            return draw_draft(task, models, now)
        case TaskState.CANCELLED:
            return Card(say(task.language, task.error_code or "cancelled"), None)
        case TaskState.FAILED:
            return draw_failed(task, models, _rerouted(task, models))
        case _ if task.hidden:
            not_paid = free or task.state is TaskState.QUEUED
            stopped = say(task.language, "cancelled" if not_paid else "card_stopped")
            return Card(join(heading(task, model), stopped), None)
        case TaskState.QUEUED:
            line, key = _queue_line(task, now, ahead), "button_cancel"
        case TaskState.SUBMITTING:
            line = say(task.language, "card_submitting", elapsed=_clock(_elapsed(task, now)))
            key = "button_cancel" if free else "button_stop_paid"
        case TaskState.RUNNING | TaskState.SUCCEEDED:
            line = _progress_line(task, model, now)
            key = "button_cancel" if free else "button_stop_paid"
        case _:
            raise IllegalMove(f"no card for {task.state}")
    buttons = InlineKeyboardMarkup([[button(task, key, "cancel")]])
    return Card(join(heading(task, model), _rerouted(task, models), aside, line), buttons)


def draw_caption(task: Task, models: Mapping[str, VideoModel]) -> Card:
    """Under the finished video."""
    model = models.get(task.request.model)
    below = facts(task, model)
    if model is not None and model.provider == "preview":
        below = f"{below} · {say(task.language, 'caption_preview')}"
    if task.passed_over:
        below = f"{below}\n{_instead(task)}"
    # Telegram counts a caption after its HTML is read, in UTF-16 units.
    room = CAPTION_LIMIT - units(below) - 2
    prompt = html.escape(cut(task.request.prompt, room), quote=False)
    buttons = InlineKeyboardMarkup([[button(task, "button_again", "again")]])
    return Card(f"{prompt}\n\n{below}".strip(), buttons)


def draw_offer(task: Task) -> Card:
    """A video that was sent anew and perhaps did not arrive."""
    buttons = InlineKeyboardMarkup([[button(task, "button_send", "send")]])
    return Card(say(task.language, "card_offer"), buttons)


def _rerouted(task: Task, models: Mapping[str, VideoModel]) -> str:
    """That another model stepped in by itself, and who gets the photo by that."""
    if not task.passed_over:
        return ""
    model, chosen = models.get(task.request.model), models.get(task.passed_over[0])
    company = model.company if model else ""
    if not task.request.photos or not company or (chosen is not None and chosen.company == company):
        return _instead(task)
    return f"{_instead(task)}\n{say(task.language, 'card_photo_elsewhere', company=company)}"


def _instead(task: Task) -> str:
    return say(task.language, "card_rerouted", chosen=task.passed_over[0], model=task.request.model)


def _queue_line(task: Task, now: datetime, ahead: int) -> str:
    elapsed = _clock(_elapsed(task, now))
    if ahead:
        return say(task.language, "card_queued_behind", ahead=ahead, elapsed=elapsed)
    return say(task.language, "card_queued", elapsed=elapsed)


def _progress_line(task: Task, model: VideoModel | None, now: datetime) -> str:
    elapsed_s = _elapsed(task, now)
    if task.late_at is not None:
        return say(task.language, "card_late", elapsed=_clock(elapsed_s))
    expected_s = model.typical_s if model else 60.0
    values = {"elapsed": _clock(elapsed_s), "expected": _clock(expected_s)}
    if task.progress is not None:
        percent = round(100 * task.progress)
        return say(task.language, "card_running_percent", bar=_bar(task.progress), percent=percent, **values)
    if elapsed_s > 1.5 * expected_s:
        return say(task.language, "card_running_long", bar=_bar(0.95), **values)
    return say(task.language, "card_running", bar=_bar(min(elapsed_s / expected_s, 0.95)), **values)


def _bar(fraction: float) -> str:
    full = round(_BAR * min(max(fraction, 0.0), 1.0))
    return "▰" * full + "▱" * (_BAR - full)


def _elapsed(task: Task, now: datetime) -> float:
    return max((now - (task.queued_at or task.created_at)).total_seconds(), 0.0)


def _clock(duration_s: float) -> str:
    """`0:07`, `12:30`, `1:02:05`."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
