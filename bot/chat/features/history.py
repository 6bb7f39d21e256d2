"""/history: what a person made in a chat, page by page, with a button that sends each video again."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from telegram import InlineKeyboardButton
from telegram.constants import ParseMode

from bot.chat.cards.layout import Card, button, cut, facts, keyboard, unlinked
from bot.chat.cards.result_buttons import DELETE
from bot.chat.cards.task_card import draw_caption, joined_line
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused, CardGone, ChatForbids
from bot.integers import read_integer
from bot.request import VideoModel
from bot.task import Task
from bot.text import plain, say

TURN = "history"
"""The verb of the buttons that turn the page: `history:<person>:<how many are newer>`."""
SHOW = "show"
"""The verb of the buttons that send a video again."""
PAGE = 5
_PROMPT_SHOWN = 120


async def history(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    card = await _page(ctx, sender, sender.user_id, 0)
    await ctx.messenger.answer(sender, card.text, card.buttons)


async def turn_page(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Show another page in place of this one, to the person whose history it is."""
    sender = press.sender
    whose, _, newer = press.choice.partition(":")
    # What follows the verb may have been made up.
    user_id, place = read_integer(whose), read_integer(newer)
    if user_id is None or place is None or place < 0:
        return Reply("press_gone")
    if not await _is_theirs(ctx, sender, user_id):
        return Reply("press_not_yours")
    await ctx.messenger.redraw(sender, await _page(ctx, sender, user_id, place))
    return None


async def send_again(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Send the video again by its file id; the worker delivers one that nobody has seen yet."""
    if ctx.duplicate_guard.is_repeated(press.sender.update_id, press.person_id, press.task.id, press.verb):
        return None
    if press.task.file_id is None:
        await ctx.store.tasks.save(press.task.resend(press.sender.thread_id, ctx.clock()))
        ctx.wake()
        return Reply("press_fetching")
    card = draw_caption(press.task, ctx.models, ctx.price_labels(), username=ctx.bot.username)
    try:
        with translated():
            message = await ctx.bot.send_video(
                press.sender.chat_id,
                press.task.file_id,
                caption=card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=press.sender.thread_id,
            )
    except CallRefused:
        return Reply("press_video_gone")
    if press.task.deleted_at is not None:
        thread_id = press.sender.thread_id
        await ctx.store.tasks.update(
            press.task.id, lambda row: row.shown_again(message.message_id, thread_id)
        )
    return None


async def delete_message(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Delete the message with the video. The video stays in the history, from which it can be sent again."""
    press.task.message_deleted(ctx.clock())  # raises if there is no video
    try:
        with translated():
            await ctx.bot.delete_message(press.sender.chat_id, press.sender.message_id or 0)
    except CardGone:
        pass  # the same press, handled twice
    except (CallRefused, ChatForbids):
        # Telegram lets bots delete what is not older than 48 hours: core.telegram.org/bots/api#deletemessage
        return Reply("press_cannot_delete")
    await ctx.store.tasks.update(press.task.id, lambda row: row.message_deleted(ctx.clock()))
    return Reply("press_deleted")


async def _is_theirs(ctx: ChatContext, sender: Sender, user_id: int) -> bool:
    """Return True for the person themselves, and for an admin of the group that asked as the group."""
    if user_id == sender.user_id:
        return True
    return user_id == sender.chat_id and await ctx.group_admins.may_manage(sender.chat_id, sender.user_id)


async def _page(ctx: ChatContext, sender: Sender, user_id: int, newer: int) -> Card:
    found = await ctx.store.tasks.history(sender.chat_id, user_id, PAGE + 1, newer)
    if not found and newer:
        return await _page(ctx, sender, user_id, 0)
    if not found:
        command = ctx.names.command("video", sender.chat_id)
        return Card(say(sender.language, "history_empty", command=command), None)
    return draw_history(sender.language, found, ctx.models, ctx.settings.zone, user_id=user_id, newer=newer)


def draw_history(
    language: str,
    found: Sequence[Task],
    models: Mapping[str, VideoModel],
    zone: ZoneInfo,
    *,
    user_id: int,
    newer: int,
) -> Card:
    """Draw the page after so many `newer` videos; `found` has one more than fits if there are older ones."""
    page = found[:PAGE]
    entries = [
        _entry(language, number, task, models.get(task.request.model), zone)
        for number, task in enumerate(page, newer + 1)
    ]
    shows = [button(f"▶ {number}", SHOW, task.id) for number, task in enumerate(page, newer + 1)]
    turns = []
    if newer:
        turns.append(_turn(language, "button_newer", user_id, max(newer - PAGE, 0)))
    if len(found) > PAGE:
        turns.append(_turn(language, "button_older", user_id, newer + PAGE))
    rows = [shows, turns] if turns else [shows]
    return Card("\n\n".join([say(language, "history_heading"), *entries]), keyboard(rows))


def _entry(language: str, number: int, task: Task, model: VideoModel | None, zone: ZoneInfo) -> str:
    """Return `3. a paper boat` and its facts below; a video that nobody has seen is marked."""
    words = html.escape(" ".join(cut(unlinked(task.request.prompt), _PROMPT_SHOWN).split()), quote=False)
    made_at = (task.finished_at or task.created_at).astimezone(zone)
    unseen = "" if task.file_id else say(language, "history_unseen")
    deleted = say(language, "history_deleted") if task.deleted_at else ""
    what = joined_line(task) if task.is_joined else facts(task, model)
    about = " · ".join(part for part in (what, f"{made_at:%Y-%m-%d}", unseen, deleted) if part)
    return f"<b>{number}.</b> {words}\n{about}" if words else f"<b>{number}.</b> {about}"


def _turn(language: str, key: str, user_id: int, newer: int) -> InlineKeyboardButton:
    return button(plain(say(language, key)), TURN, user_id, newer)


COMMANDS: Commands = (Command(name="history", handle=history, menu="private"),)
BUTTONS: Buttons = (
    Button(verb=SHOW, handle=send_again),
    Button(verb=DELETE, handle=delete_message, refusal="press_only_owner"),
    ChatButton(verb=TURN, handle=turn_page, used_by="allowed"),
)
