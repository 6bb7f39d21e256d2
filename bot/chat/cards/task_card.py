"""What a card says: text, caption and buttons of a task in each state. Pure."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.chat.cards.draft_card import draw_draft
from bot.chat.cards.eta import UNKNOWN, Estimate, about
from bot.chat.cards.failure_card import draw_failed
from bot.chat.cards.layout import (
    KEYS,
    Card,
    button,
    continued,
    cut,
    facts,
    folded,
    heading,
    join,
    keyboard,
    prompt_line,
    start_link,
    task_button,
    units,
    unlinked,
    with_place,
)
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.chat.cards.result_buttons import result_buttons
from bot.codes import UNANSWERED
from bot.errors import IllegalMove
from bot.media.scripts import undrawn_words
from bot.request import VideoModel, check_request
from bot.task import Task, TaskState
from bot.text import plain, say, say_duration
from bot.worker.queue_watch import Blockage
from bot.worker.schedule import clock_of

CAPTION_LIMIT = 1024
MAKE_ANYWAY = "anyway"
"""The verb of the button that makes the video of a dismissed request after all."""
_BAR = 12

_BLOCKED: Mapping[Blockage, str] = {
    Blockage.PAUSED: "card_paused",
    Blockage.HOURLY_LIMIT: "card_brake",
    Blockage.DISK: "card_disk",
    Blockage.DOWN: "card_provider_trouble",
    Blockage.LOST_ANSWERS: "card_lost_answers",
    Blockage.LATE_JOBS: "card_late_jobs",
}
_UNDRAWN_SHOWN = 60  # characters


def draw_card(
    task: Task,
    models: Mapping[str, VideoModel],
    now: datetime,
    estimate: Estimate = UNKNOWN,
    aside: str = "",
    *,
    quiet: bool = False,
    price_labels: PriceLabels = NO_PRICE_LABELS,
    unusable: frozenset[str] = frozenset(),
) -> Card:
    """Draw the card of a task that has no video to show: a draft, a task in progress, or one that ended
    without.

    `aside` is a line that the task itself does not know. `quiet`: one line while it is in progress, unless
    another company gets the photo than was said. So it is for all but the first of several videos that were
    ordered at once: their cards stand below that one's.
    """
    model = models.get(task.request.model)
    free = model is not None and model.free
    brief = quiet or task.batch_place > 1
    match task.state:
        case TaskState.DRAFT:
            return draw_draft(
                task, models, now, usual_s=estimate.usual_s, price_labels=price_labels, left=aside
            )
        case TaskState.CANCELLED:
            return _draw_cancelled(task, model, price_labels, quiet=quiet)
        case TaskState.FAILED:
            return draw_failed(
                task, models, _rerouted(task, models), price_labels, now=now, unusable=unusable
            )
        case _ if task.detached:
            stopped = say(task.language, stopped_phrase(task, model))
            is_below = task.batch_place > 1
            return Card(with_place(task, stopped) if is_below else join(heading(task, model), stopped), None)
        case TaskState.SUCCEEDED:
            # Nothing is left to be stopped.
            above = heading(task, model, price_labels.price(task))
            line = state_line(task, model, now, estimate)
            if brief:
                return Card(with_place(task, line), None)
            return Card(join(above, _rerouted(task, models), aside, line), None)
        case TaskState.QUEUED:
            key = "button_cancel"
        case TaskState.SUBMITTING:
            key = "button_cancel" if free else "button_stop_unclear"
        case _:
            key = "button_cancel" if free else "button_stop_paid"
    line = state_line(task, model, now, estimate)
    buttons = InlineKeyboardMarkup([[task_button(task, key, "cancel")]])
    if brief:
        return Card(join(_rerouted(task, models), with_place(task, line.partition("\n")[0])), buttons)
    above = heading(task, model, price_labels.price(task))
    return Card(join(above, _rerouted(task, models), aside, continued(task), line), buttons)


def state_line(task: Task, model: VideoModel | None, now: datetime, estimate: Estimate) -> str:
    """Return the line that says how far a task in progress is, and since when."""
    match task.state:
        case TaskState.QUEUED:
            return _queue_line(task, now, estimate)
        case TaskState.SUBMITTING:
            return say(task.language, "card_submitting", elapsed=_clock(_elapsed_s(task, now)))
        case TaskState.SUCCEEDED:
            return say(task.language, "card_sending")
        case TaskState.RUNNING:
            return _progress_line(task, model, now, estimate)
        case _:
            raise IllegalMove(f"{task.id}: {task.state} is not on its way")


def stopped_phrase(task: Task, model: VideoModel | None) -> str:
    """Return the phrase for a stopped task: free, paid for, or unknown while it is being submitted."""
    if task.state in (TaskState.QUEUED, TaskState.CANCELLED) or (model is not None and model.free):
        return "cancelled"
    return "card_stopped_unclear" if task.state is TaskState.SUBMITTING else "card_stopped"


def draw_caption(
    task: Task,
    models: Mapping[str, VideoModel],
    price_labels: PriceLabels = NO_PRICE_LABELS,
    *,
    is_shrunk: bool = False,
    username: str = "",
) -> Card:
    """Draw the caption of the finished video. `is_shrunk`: it was too large for Telegram. `username`: the
    bot's, to which a link leads that says how to get real models."""
    model = models.get(task.request.model)
    below = joined_line(task) if task.is_joined else facts(task, model)
    if model is not None and model.provider == "preview" and not task.is_joined:
        below = f"{below}\n{say(task.language, 'caption_preview', link=start_link(username, KEYS))}"
        # Over a photo no words are drawn.
        if (words := undrawn_words(task.request.prompt)) and not task.request.photos:
            shown = html.escape(cut(unlinked(words), _UNDRAWN_SHOWN), quote=False)
            below = f"{below}\n{say(task.language, 'caption_undrawn', words=shown)}"
    if is_shrunk:
        below = f"{below} · {say(task.language, 'caption_shrunk')}"
    if task.tried_models:
        below = f"{below}\n{_instead(task)}"
    # Telegram counts a caption after its HTML is read, in UTF-16 units.
    room = CAPTION_LIMIT - units(plain(below)) - 2
    prompt = folded(html.escape(cut(unlinked(task.request.prompt), room), quote=False))
    return Card(f"{prompt}\n\n{below}".strip(), result_buttons(task, models, price_labels))


def _draw_cancelled(task: Task, model: VideoModel | None, price_labels: PriceLabels, *, quiet: bool) -> Card:
    """Draw the prompt of a cancelled task, with a button that makes the video after all if nothing is missing
    for it."""
    ended = with_place(task, say(task.language, task.error_code or "cancelled"))
    text = join("" if quiet or task.batch_place > 1 else prompt_line(task), ended)
    if model is None or check_request(task.request, model):
        return Card(text, None)
    label = price_labels.label(say(task.language, "button_make_anyway"), task.language, task.request)
    return Card(text, keyboard([[button(label, MAKE_ANYWAY, task.id)]]))


def joined_line(task: Task) -> str:
    """Say that a film was joined of two videos or of its shots, and how long it is."""
    key = "caption_film" if task.film_id else "caption_joined"
    return say(task.language, key, time=say_duration(task.language, task.request.seconds or 0))


def draw_offer(task: Task) -> Card:
    """Draw the card of a video that was sent again and perhaps did not arrive."""
    buttons = InlineKeyboardMarkup([[task_button(task, "button_send", "send")]])
    return Card(say(task.language, "card_offer"), buttons)


def _rerouted(task: Task, models: Mapping[str, VideoModel]) -> str:
    """Say that failover chose another model, and who gets the photo because of that."""
    if not task.tried_models:
        return ""
    model, chosen = models.get(task.request.model), models.get(task.tried_models[0])
    company = model.company if model else ""
    if not task.request.photos or not company or (chosen is not None and chosen.company == company):
        return _instead(task)
    return f"{_instead(task)}\n{say(task.language, 'card_photo_elsewhere', company=company)}"


def _instead(task: Task) -> str:
    return say(task.language, "card_rerouted", chosen=task.tried_models[0], model=task.request.model)


def _queue_line(task: Task, now: datetime, estimate: Estimate) -> str:
    elapsed = _clock(_elapsed_s(task, now))
    if estimate.blockage is not None:
        free_in_s = max((estimate.free_at - now).total_seconds(), 60.0) if estimate.free_at else 0.0
        # Few say how long it has waited: the card would change all through a night.
        values = {"elapsed": elapsed, "time": about(task.language, 60 * math.ceil(free_in_s / 60))}
        return say(task.language, _BLOCKED[estimate.blockage], **values)
    if task.error_code in UNANSWERED:
        return say(task.language, "card_provider_trouble", elapsed=elapsed)
    if not estimate.ahead:
        return say(task.language, "card_queued", elapsed=elapsed)
    line = say(task.language, "card_queued_behind", ahead=estimate.ahead, elapsed=elapsed)
    if estimate.turn_s is None:
        return line
    # In whole minutes: it is no more exact, and a figure that jumps about worries people.
    turn_s = estimate.turn_s if estimate.turn_s < 60 else 60 * round(estimate.turn_s / 60)
    return f"{line}\n{say(task.language, 'card_turn', time=about(task.language, turn_s))}"


def _progress_line(task: Task, model: VideoModel | None, now: datetime, estimate: Estimate) -> str:
    elapsed_s = _elapsed_s(task, now)
    elapsed = _clock(elapsed_s)
    if task.late_at is not None:
        return say(task.language, "card_late", elapsed=elapsed)
    if task.request.off_peak and model is not None:
        return say(task.language, "card_running_later", elapsed=elapsed, hours=model.off_peak_hours)
    if clock_of(task)[0] == "queued":
        return say(task.language, "card_queued_there", elapsed=elapsed)
    usual_s = task.expected_s or estimate.usual_s or (model.typical_s if model else 60.0)
    full = task.bar(now, usual_s)
    values = {"bar": _bar(full), "elapsed": elapsed, "usual": about(task.language, usual_s)}
    if task.progress is not None:
        return say(task.language, "card_running_percent", percent=round(100 * full), **values)
    return say(task.language, "card_running_long" if elapsed_s > 1.5 * usual_s else "card_running", **values)


def _bar(fraction: float) -> str:
    full = round(_BAR * min(max(fraction, 0.0), 1.0))
    return "▰" * full + "▱" * (_BAR - full)


def _elapsed_s(task: Task, now: datetime) -> float:
    """Return how long the task has waited, has been in the provider's queue, or has been made: each from its
    own beginning."""
    _, since = clock_of(task)
    return max((now - (since or task.queued_at or task.created_at)).total_seconds(), 0.0)


def _clock(duration_s: float) -> str:
    """Return a duration as `0:07`, `12:30`, `1:02:05`."""
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
