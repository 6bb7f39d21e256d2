"""History: what a person made in a chat, page by page, each sent again by a tap."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode

from bot.chat.cards.layout import Card, cut, facts
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.cards.task_card import draw_caption
from bot.chat.handlers import ButtonPress, ChatButtonPress
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import CallRefused
from bot.integers import read_integer
from bot.request import Problem, VideoModel
from bot.store import TaskStore
from bot.task import Task
from bot.text import plain, say

TURN = "history"
"""The verb of the buttons that turn the page: `history:<person>:<how many are newer>`."""
SHOW = "show"
"""The verb of the buttons that send a video again."""
PAGE = 5
_PROMPT_SHOWN = 120


class History:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        messenger: Messenger,
        access: Access,
        admins: GroupAdmins,
        models: Mapping[str, VideoModel],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        repeats: DuplicateGuard,
        price_labels: Callable[[], PriceLabels],
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._messenger = messenger
        self._access = access
        self._admins = admins
        self._models = models
        self._zone = zone
        self._clock = clock
        self._wake = wake
        self._repeats = repeats
        self._price_labels = price_labels

    async def tell(self, sender: Sender, _: Intent) -> None:
        card = await self._page(sender, sender.user_id, 0)
        await self._messenger.answer(sender, card.text, card.buttons)

    async def turn(self, tap: ChatButtonPress) -> Problem | None:
        """Another page in place of this one, for whose history it is."""
        sender = tap.sender
        whose, _, newer = tap.choice.partition(":")
        # What follows the verb may have been made up.
        user_id, place = read_integer(whose), read_integer(newer)
        if user_id is None or place is None or place < 0:
            return Problem("tap_gone", {})
        if not await self._access.may_ask(sender.user_id, sender.chat_id):
            return Problem("tap_private", {})
        if not await self._is_theirs(sender, user_id):
            return Problem("tap_not_yours", {})
        await self._messenger.redraw(sender, await self._page(sender, user_id, place))
        return None

    async def show(self, tap: ButtonPress) -> Problem | None:
        """The video once more, by its file id; one that nobody has seen yet comes from the worker."""
        if self._repeats.is_repeated(tap.sender.update_id, tap.person_id, tap.task.id, tap.verb):
            return None
        if tap.task.file_id is None:
            await self._tasks.save(tap.task.resend(tap.sender.thread_id, self._clock()))
            self._wake()
            return Problem("tap_fetching", {})
        card = draw_caption(tap.task, self._models, self._price_labels())
        try:
            with translated():
                await self._bot.send_video(
                    tap.sender.chat_id,
                    tap.task.file_id,
                    caption=card.text,
                    parse_mode=ParseMode.HTML,
                    reply_markup=card.buttons,
                    message_thread_id=tap.sender.thread_id,
                )
        except CallRefused:
            return Problem("tap_video_gone", {})
        return None

    async def _is_theirs(self, sender: Sender, user_id: int) -> bool:
        """An anonymous admin asks as the group, and taps under their own name."""
        if user_id == sender.user_id:
            return True
        return user_id == sender.chat_id and await self._admins.may_manage(sender.chat_id, sender.user_id)

    async def _page(self, sender: Sender, user_id: int, newer: int) -> Card:
        found = await self._tasks.history(sender.chat_id, user_id, PAGE + 1, newer)
        if not found and newer:
            return await self._page(sender, user_id, 0)
        if not found:
            bot = f"@{self._bot.username}" if sender.chat_id < 0 else ""
            return Card(say(sender.language, "history_empty", command=f"/video{bot}"), None)
        return draw_history(sender.language, found, self._models, self._zone, user_id=user_id, newer=newer)


def draw_history(
    language: str,
    found: Sequence[Task],
    models: Mapping[str, VideoModel],
    zone: ZoneInfo,
    *,
    user_id: int,
    newer: int,
) -> Card:
    """The page after so many `newer` ones; `found` has one more than fits where there are older ones."""
    page = found[:PAGE]
    entries = [
        _entry(language, number, task, models.get(task.request.model), zone)
        for number, task in enumerate(page, newer + 1)
    ]
    shows = [
        InlineKeyboardButton(f"▶ {number}", callback_data=f"{SHOW}:{task.id}")
        for number, task in enumerate(page, newer + 1)
    ]
    turns = []
    if newer:
        turns.append(_turn(language, "button_newer", user_id, max(newer - PAGE, 0)))
    if len(found) > PAGE:
        turns.append(_turn(language, "button_older", user_id, newer + PAGE))
    rows = [shows, turns] if turns else [shows]
    return Card("\n\n".join([say(language, "history_heading"), *entries]), InlineKeyboardMarkup(rows))


def _entry(language: str, number: int, task: Task, model: VideoModel | None, zone: ZoneInfo) -> str:
    """`3. a paper boat`, and below it what it is; one that nobody has seen is marked."""
    words = html.escape(" ".join(cut(task.request.prompt, _PROMPT_SHOWN).split()), quote=False)
    made_at = (task.finished_at or task.created_at).astimezone(zone)
    unseen = "" if task.file_id else say(language, "history_unseen")
    about = " · ".join(part for part in (facts(task, model), f"{made_at:%Y-%m-%d}", unseen) if part)
    return f"<b>{number}.</b> {words}\n{about}" if words else f"<b>{number}.</b> {about}"


def _turn(language: str, key: str, user_id: int, newer: int) -> InlineKeyboardButton:
    return InlineKeyboardButton(plain(say(language, key)), callback_data=f"{TURN}:{user_id}:{newer}")
