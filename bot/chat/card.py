"""What a card says: text, caption and buttons of a task in each state. Pure."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.errors import IllegalMove
from bot.request import PhotoRules, VideoModel, VideoRequest
from bot.task import SUBMIT_UNKNOWN, Task, TaskState
from bot.text import has_phrase, say

CAPTION_LIMIT = 1024
_PROMPT_SHOWN = 300
_BAR = 12
# Once more with the same input ends the same way, so no button invites to it.
_HOPELESS = frozenset(
    {
        "photo_refused",
        "prompt_refused",
        "prompt_sensitive",
        "video_text_refused",
        "photo_copyright",
        "input_refused",
        "photo_gone",
        "not_a_photo",
        "photo_too_small",
        "photo_too_large",
        "photo_too_long",
        "media_timeout",
        "media_crashed",
        "model_gone",
        "too_large",
    }
)


@dataclass(frozen=True, slots=True)
class Card:
    """A message's text (or caption) in Telegram's HTML, and its buttons."""

    text: str
    buttons: InlineKeyboardMarkup | None


def draw_card(task: Task, model: VideoModel | None, now: datetime, ahead: int = 0) -> Card:
    """The card of a task that has no video to show: a draft, on its way, or ended without one."""
    free = model is not None and model.free
    match task.state:
        case TaskState.DRAFT:
            return _draft(task, model, now)
        case TaskState.CANCELLED:
            return Card(say(task.language, task.error_code or "cancelled"), None)
        case TaskState.FAILED:
            return _failed(task, model)
        case _ if task.hidden:
            not_paid = free or task.state is TaskState.QUEUED
            stopped = say(task.language, "cancelled" if not_paid else "card_stopped")
            return Card(_join(_heading(task, model), stopped), None)
        case TaskState.QUEUED:
            return _waiting(task, model, _queue_line(task, now, ahead), "button_cancel")
        case TaskState.SUBMITTING:
            line = say(task.language, "card_submitting", elapsed=_clock(_elapsed(task, now)))
            return _waiting(task, model, line, "button_cancel" if free else "button_stop_paid")
        case TaskState.RUNNING | TaskState.SUCCEEDED:
            line = _progress_line(task, model, now)
            return _waiting(task, model, line, "button_cancel" if free else "button_stop_paid")
        case _:
            raise IllegalMove(f"no card for {task.state}")


def draw_caption(task: Task, model: VideoModel | None) -> Card:
    """Under the finished video."""
    facts = _facts(task, model)
    if model is not None and model.provider == "preview":
        facts = f"{facts} · {say(task.language, 'caption_preview')}"
    # Telegram counts a caption after its HTML is read, in UTF-16 units.
    room = CAPTION_LIMIT - _units(facts) - 2
    prompt = html.escape(_cut(task.request.prompt, room), quote=False)
    again = _button(task, "button_again", f"again:{task.id}")
    return Card(f"{prompt}\n\n{facts}".strip(), InlineKeyboardMarkup([[again]]))


def draw_offer(task: Task) -> Card:
    """A video that was sent anew and perhaps did not arrive."""
    button = _button(task, "button_send", f"send:{task.id}")
    return Card(say(task.language, "card_offer"), InlineKeyboardMarkup([[button]]))


def _draft(task: Task, model: VideoModel | None, now: datetime) -> Card:
    if task.question == "card_old":
        question = say(task.language, "card_old", age=_age(task.language, now - task.created_at))
    else:
        question = say(task.language, task.question or "card_draft")
    rows = [[_button(task, "button_dismiss", f"dismiss:{task.id}")]]
    if task.question in ("card_draft", "card_old", "card_ask_photo"):
        rows[0].insert(
            0, _button(task, "button_generate", f"generate:{task.id}", KeyboardButtonStyle.SUCCESS)
        )
    text = _join(_heading(task, model), question) if task.request.prompt else question
    return Card(text, InlineKeyboardMarkup(rows))


def _failed(task: Task, model: VideoModel | None) -> Card:
    code = task.error_code or "provider_fault"
    lines = [_reason(task, code, model)]
    unknown = code == SUBMIT_UNKNOWN
    if not (model is not None and model.free) and code != "model_gone" and not unknown:
        lines.append(say(task.language, "charged" if task.remote_id else "not_charged"))
    buttons = None
    if code not in _HOPELESS:
        paid_twice = unknown and not (model is not None and model.free)
        label = "button_try_again_paid" if paid_twice else "button_try_again"
        buttons = InlineKeyboardMarkup([[_button(task, label, f"again:{task.id}")]])
    return Card(_join(_heading(task, model), " ".join(lines)), buttons)


def _reason(task: Task, code: str, model: VideoModel | None) -> str:
    rules = model.photo_rules if model else PhotoRules()
    match code:
        case "photo_too_small":
            return say(task.language, "photo_file_too_small", min_side=rules.min_side)
        case "photo_too_long":
            return say(task.language, "photo_file_too_long", times=f"{rules.max_long_to_short:g}")
        case _:
            return say(task.language, code if has_phrase(code) else "provider_fault")


def _waiting(task: Task, model: VideoModel | None, line: str, button: str) -> Card:
    buttons = InlineKeyboardMarkup([[_button(task, button, f"cancel:{task.id}")]])
    return Card(_join(_heading(task, model), line), buttons)


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


def _heading(task: Task, model: VideoModel | None) -> str:
    prompt = html.escape(_cut(task.request.prompt, _PROMPT_SHOWN), quote=False)
    facts = _facts(task, model)
    return f"<b>{prompt}</b>\n{facts}" if prompt else facts


def _facts(task: Task, model: VideoModel | None) -> str:
    """`preview · 16:9 · 5 s`: what is bought, with the model's defaults where nothing was chosen."""
    request: VideoRequest = task.request
    parts = [html.escape(request.model, quote=False)]
    if request.photos and not (model is not None and model.ratio_with_photo and request.ratio):
        parts.append(say(task.language, "card_photo_ratio"))
    elif ratio := request.ratio or (model.ratios[0] if model else None):
        parts.append(html.escape(ratio, quote=False))
    if seconds := request.seconds or (model.seconds[0] if model else None):
        parts.append(say(task.language, "seconds", seconds=seconds))
    if request.camera:
        parts.append(html.escape(request.camera, quote=False))
    return " · ".join(parts)


def _button(
    task: Task, key: str, data: str, style: KeyboardButtonStyle | None = None
) -> InlineKeyboardButton:
    return InlineKeyboardButton(say(task.language, key), callback_data=data, style=style)


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


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


def _age(language: str, age: timedelta) -> str:
    minutes = max(round(age.total_seconds() / 60), 1)
    if minutes < 90:
        return say(language, "age_minutes", minutes=minutes)
    return say(language, "age_hours", hours=round(minutes / 60))


def _units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    """At most `units`, cut at a word where one is near, ended by an ellipsis."""
    if _units(text) <= units:
        return text
    kept = text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore")
    space = kept.rfind(" ", len(kept) - 30)
    return (kept[:space] if space > 0 else kept).rstrip() + "…"
