"""The parts that cards are made of: heading, facts, buttons, and lengths as Telegram counts them. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.chat.cards.label_width import fitting_columns
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.request import Mode, VideoModel, VideoRequest, keeps_photo_shape, settle
from bot.task import Task
from bot.text import has_phrase, plain, say

KEYS = "keys"
"""The payload of the link that says how to get real models."""
COPY_LIMIT = 256  # https://core.telegram.org/bots/api#copytextbutton
_PROMPT_SHOWN = 400
_FOLDED_FROM = 200
"""In units; about five lines on a phone."""
_WORD = 30
"""A longer word is cut in the middle."""
_JOINER = "\u200d"
_ADDED = frozenset({_JOINER, *(chr(code) for code in range(0x1F3FB, 0x1F400))})
"""Signs that join two emoji into one, and the colours of skin."""


@dataclass(frozen=True, slots=True)
class Card:
    """A message's text (or caption) in Telegram's HTML, and its buttons."""

    text: str
    buttons: InlineKeyboardMarkup | None


def heading(task: Task, model: VideoModel | None, cost: str = "") -> str:
    """Return the prompt and, below it, what is bought and for how much if that is known."""
    prompt, below = prompt_line(task), facts(task, model)
    below = f"{below} · {cost}" if cost else below
    return f"{prompt}\n{below}" if prompt else below


def prompt_line(task: Task) -> str:
    """Return the prompt alone, in bold, or folded if it is long; empty if there is none."""
    prompt = html.escape(cut(unlinked(task.request.prompt), _PROMPT_SHOWN), quote=False)
    if not prompt or units(task.request.prompt) > _FOLDED_FROM:
        return folded(prompt)
    return f"<b>{prompt}</b>"


def folded(text: str) -> str:
    """Return a long text as a quote of which a chat shows three lines until it is pressed; a short one as it
    is. The text is HTML."""
    return f"<blockquote expandable>{text}</blockquote>" if units(text) > _FOLDED_FROM else text


def start_link(username: str, payload: str) -> str:
    """Return the link that opens the bot's private chat with `/start payload`."""
    return f"https://t.me/{username}?start={payload}"


def unlinked(prompt: str) -> str:
    """Return the words so that Telegram makes no mention of what looks like one: a card calls nobody."""
    return re.sub(r"@(?=\w)", "@\u2060", prompt)  # a word joiner, which nobody sees


def facts(task: Task, model: VideoModel | None) -> str:
    """Return what is bought, with the model's defaults: `preview · 16:9 · 5 s · 720p · 🔊`."""
    request: VideoRequest = task.request
    parts = [html.escape(request.model, quote=False)]
    bought = request if model is None else settle(request, model)
    if request.photos and request.crop:
        parts.append(html.escape(request.crop.ratio, quote=False))
    elif bought.ratio and not (request.photos and model is None):
        parts.append(html.escape(bought.ratio, quote=False))
    elif request.photos:
        parts.append(say(task.language, "card_video_ratio" if request.extends else "card_photo_ratio"))
    if bought.seconds:
        parts.append(say(task.language, "seconds", seconds=bought.seconds))
    if bought.resolution:
        parts.append(html.escape(bought.resolution, quote=False))
    if model is not None or bought.audio is not None:
        parts.append("🔊" if bought.audio else "🔇")
    if request.camera:
        parts.append(html.escape(name_camera(task.language, request.camera), quote=False))
    if request.style is not None:
        parts.append(f"🎨 {html.escape(request.style.title(task.language), quote=False)}")
    wishes = {"loop": request.loop, "shots": request.several_shots, "later": request.off_peak}
    parts += [say(task.language, f"card_{name}") for name, is_wanted in wishes.items() if is_wanted]
    if (request.count or 1) > 1:
        parts.append(say(task.language, "card_several", count=request.count))
    return " · ".join(filter(None, [*parts, place_in_batch(task)]))


def place_in_batch(task: Task) -> str:
    """Return `2 of 3` for one of several videos that were ordered at once; else nothing."""
    if task.batch_size == 1:
        return ""
    return say(task.language, "card_of_several", place=task.batch_place, size=task.batch_size)


def with_place(task: Task, line: str) -> str:
    """Return a line that says of which of several videos it speaks."""
    return " · ".join(filter(None, (place_in_batch(task), line)))


def name_camera(language: str, camera: str) -> str:
    """Return what people call a camera move; not HTML."""
    key = f"camera_move_{camera}"
    return plain(say(language, key)) if has_phrase(key) else camera


def continued(task: Task) -> str:
    """Say what the photos are for; empty if the video begins with a photo that was sent."""
    if task.request.mode is Mode.REFERENCES:
        return say(task.language, "card_references", count=len(task.request.photos))
    return say(task.language, "card_extends") if task.request.extends else ""


def left_out(request: VideoRequest, model: VideoModel | None, language: str) -> str:
    """Say that the model ignores the chosen ratio because of the photo; empty if no ratio was chosen."""
    if model is None or request.ratio is None or not keeps_photo_shape(request, model):
        return ""
    return say(language, "card_ratio_left_out", model=model.name, ratio=request.ratio)


def button(
    label: str, verb: str, *values: object, style: KeyboardButtonStyle | None = None
) -> InlineKeyboardButton:
    """Return a button that sends `verb:value:value` when it is pressed. `label` is not HTML."""
    return InlineKeyboardButton(label, callback_data=":".join([verb, *map(str, values)]), style=style)


def task_button(
    task: Task, key: str, verb: str, style: KeyboardButtonStyle | None = None
) -> InlineKeyboardButton:
    """Return the button of phrase `key` that does `verb` with the task."""
    return button(say(task.language, key), verb, task.id, style=style)


def keyboard(lines: Sequence[Sequence[InlineKeyboardButton]]) -> InlineKeyboardMarkup:
    """Return a keyboard of these rows; a row whose labels a phone would cut becomes several."""
    return InlineKeyboardMarkup([row for line in lines for row in rows(line, len(line))])


def rows(buttons: Sequence[InlineKeyboardButton], columns: int) -> list[list[InlineKeyboardButton]]:
    """Return the buttons as the rows of a keyboard, `columns` to a row, or as many as a phone shows uncut."""
    if not buttons:
        return []
    count = fitting_columns([one.text for one in buttons[:columns]])
    return [list(buttons[:count]), *rows(buttons[count:], columns)]


def copy_button(language: str, key: str, text: str) -> InlineKeyboardButton:
    """Return the button of phrase `key` that copies the text, which is not empty: at most `COPY_LIMIT` units
    of it."""
    return InlineKeyboardButton(plain(say(language, key)), copy_text=CopyTextButton(text))


def model_rows(
    task: Task, names: Sequence[str], price_labels: PriceLabels = NO_PRICE_LABELS
) -> list[list[InlineKeyboardButton]]:
    """Return a button for each model that makes the video with it."""
    labels = {
        name: price_labels.label(
            plain(say(task.language, "button_other_model", model=name)),
            task.language,
            task.request.model_copy(update={"model": name}),
        )
        for name in names
    }
    return [[button(label, "with", task.id, name)] for name, label in labels.items()]


def join(*paragraphs: str) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def units(text: str) -> int:
    """Return the length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int) -> str:
    """Cut a text to so many units, at the end of a word if one is near, with an ellipsis."""
    if units(text) <= most:
        return text
    end = len(text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore"))
    spaces = [place for place in range(max(end - _WORD, 1), end + 1) if text[place].isspace()]
    if spaces:
        end = spaces[-1]
    while end > 0 and _is_one_sign(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip() + "…"


def _is_one_sign(before: str, after: str) -> bool:
    """Return True if a cut between the two would leave half of an accented letter or of an emoji."""
    is_added = unicodedata.category(after).startswith("M") or after in _ADDED
    return is_added or before == _JOINER
