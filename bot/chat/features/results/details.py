"""The button Details: everything that is known about a video, for its owner only."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.chat.cards.layout import (
    COPY_LIMIT,
    Card,
    copy_button,
    cut,
    facts,
    join,
    keyboard,
    units,
    unlinked,
    with_place,
)
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.chat.cards.result_buttons import DETAILS
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.parsing.prompt_options import FLAGS, REFS
from bot.chat.reply import Reply
from bot.errors import ChatGone
from bot.request import Mode, VideoModel, VideoRequest
from bot.store import Attempt
from bot.task import Task
from bot.text import plain, say, say_duration

_PROMPT_SHOWN = 2400
_OPTIONS_SHOWN = 1000
_MESSAGE = 4000
"""Telegram takes 4096: https://core.telegram.org/bots/api#sendmessage"""
_CALLS_SHOWN = 20


async def send_details(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Send the details below the video; from a group to the private chat of its owner."""
    if ctx.duplicate_guard.is_repeated(press.sender.update_id, press.person_id, press.task.id, press.verb):
        return None
    task, is_private = press.task, press.task.card.chat_id > 0
    calls = await ctx.store.tasks.attempts(task.id)
    model = ctx.models.get(task.request.model)
    card = draw_details(
        press.sender.language, task, calls, model, ctx.settings.zone, price_labels=ctx.price_labels()
    )
    try:
        await ctx.messenger.send(
            press.person_id,
            card.text,
            card.buttons,
            reply_to=press.sender.message_id if is_private else None,
        )
    except ChatGone:
        return Reply("press_details_closed", {"bot": ctx.bot.username})
    return None if is_private else Reply("press_details_sent")


def draw_details(
    language: str,
    task: Task,
    calls: Sequence[Attempt],
    model: VideoModel | None,
    zone: ZoneInfo,
    *,
    price_labels: PriceLabels = NO_PRICE_LABELS,
) -> Card:
    """Draw the details of a task, with its `calls`, oldest first. The details of calls stay in the log: they
    are a provider's words."""
    request = task.request
    options = html.escape(cut(options_of(request), _OPTIONS_SHOWN), quote=False)
    below = join(
        facts(replace(task, language=language), model),
        "\n".join(line for line in (f"<code>{options}</code>", _photos(language, request)) if line),
        "\n".join(_times(language, task, zone, price_labels)),
        "\n".join(_ids(language, task, model)),
        "\n".join(_calls(language, calls, zone)),
    )
    room = min(_PROMPT_SHOWN, _MESSAGE - units(plain(below)))
    words = html.escape(cut(unlinked(request.prompt), room), quote=False)
    text = join(f"<code>{words}</code>" if words else "", below)
    copies = []
    if 0 < units(request.prompt) <= COPY_LIMIT:
        copies.append(copy_button(language, "button_copy_words", request.prompt))
    if request.seed is not None:
        copies.append(copy_button(language, "button_copy_seed", str(request.seed)))
    return Card(text, keyboard([copies]) if copies else None)


def options_of(request: VideoRequest) -> str:
    """Return the options of a request as they can be typed after the prompt."""
    wishes = {flag: getattr(request, name) for flag, (name, _) in FLAGS.items()}
    return " ".join(
        f"--{flag} {_typed(wish)}" if flag != REFS else f"--{flag}"
        for flag, wish in wishes.items()
        if wish is not None and (flag != REFS or request.mode is Mode.REFERENCES)
    )


def _typed(wish: object) -> str:
    if isinstance(wish, bool):
        return "on" if wish else "off"
    text = str(wish)
    if not any(letter.isspace() for letter in text):
        return text
    return f"“{text}”" if '"' in text else f'"{text}"'


def _photos(language: str, request: VideoRequest) -> str:
    if not request.photos:
        return ""
    key = "details_references" if request.mode is Mode.REFERENCES else "details_photos"
    told = say(language, key, count=len(request.photos))
    return f"{told} · {html.escape(request.crop.ratio, quote=False)}" if request.crop else told


def _times(language: str, task: Task, zone: ZoneInfo, price_labels: PriceLabels) -> list[str]:
    """Say when the video was asked for, how long it waited and took, and what it cost."""
    asked_at = (task.queued_at or task.created_at).astimezone(zone)
    lines = [say(language, "details_asked", time=f"{asked_at:%Y-%m-%d %H:%M} {asked_at.tzname()}")]
    if task.submitted_at is not None:
        lines.append(_took(language, "details_waited", task.queued_at or task.created_at, task.submitted_at))
        if task.finished_at is not None:
            lines.append(_took(language, "details_made", task.submitted_at, task.finished_at))
    if price := plain(price_labels.price(replace(task, language=language))):
        lines.append(say(language, "details_cost", price=price))
    return lines


def _took(language: str, key: str, begun: datetime, ended: datetime) -> str:
    return say(language, key, time=say_duration(language, (ended - begun).total_seconds()))


def _ids(language: str, task: Task, model: VideoModel | None) -> list[str]:
    """Return the ids that identify the task here and at its provider."""
    lines = [with_place(replace(task, language=language), say(language, "details_id", id=task.id))]
    if task.remote_id is not None:
        maker = (model.company if model else "") or task.provider
        lines.append(say(language, "details_remote_id", company=maker, id=cut(task.remote_id, 200)))
    return lines


def _calls(language: str, calls: Sequence[Attempt], zone: ZoneInfo) -> list[str]:
    """Return a line for each call; equal calls in a row share one."""
    alike = [list(group) for _, group in groupby(calls, lambda one: (one.call, one.answer))]
    lines = [_line(language, group, zone) for group in alike]
    if len(lines) > _CALLS_SHOWN:
        half = _CALLS_SHOWN // 2
        lines = [*lines[:half], "…", *lines[-half:]]
    return [say(language, "details_calls"), *lines] if lines else []


def _line(language: str, group: Sequence[Attempt], zone: ZoneInfo) -> str:
    first, last = group[0].at.astimezone(zone), group[-1].at.astimezone(zone)
    when = f"{first:%H:%M:%S}" if len(group) == 1 else f"{first:%H:%M:%S}–{last:%H:%M:%S}"
    what = say(language, f"details_{group[0].call}")
    many = f" × {len(group)}" if len(group) > 1 else ""
    answer = "✓" if group[0].answer == "ok" else f"✗ {html.escape(group[0].answer, quote=False)}"
    line = f"{when} {what}{many} {answer}"
    if len(group) > 1:
        return line
    return f"{line} · {say(language, 'seconds', seconds=round(group[0].took_s, 1))}"


COMMANDS: Commands = ()
BUTTONS: Buttons = (Button(verb=DETAILS, handle=send_details, refusal="press_only_owner"),)
