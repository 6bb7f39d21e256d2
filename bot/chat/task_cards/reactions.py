"""Quiet mode: in a chat that wants it, reactions on a person's message take the place of words."""

from __future__ import annotations

from typing import Literal

from telegram import Bot

from bot.chat.chat_preferences import ChatPreferences
from bot.chat.telegram_io.client import translated
from bot.errors import ChatError, StoreError
from bot.log import get_log, level_of
from bot.task import Task


class Reactions:
    """Nothing here raises: a lost reaction does no harm."""

    def __init__(self, bot: Bot, preferences: ChatPreferences) -> None:
        self._bot = bot
        self._preferences = preferences
        self._log = get_log(__name__)

    async def is_quiet(self, chat_id: int) -> bool:
        try:
            return (await self._preferences.of(chat_id)).quiet
        except StoreError as error:
            self._log.log(
                level_of(error), "the settings of a chat cannot be read", chat=chat_id, reason=str(error)
            )
            return False

    async def taken(self, task: Task) -> None:
        """React to a request that was accepted."""
        await self._react(task, "👀")

    async def done(self, task: Task) -> None:
        """React to a request whose video is there."""
        await self._react(task, "👍")

    async def dropped(self, task: Task) -> None:
        """Remove the reaction: there will be no video."""
        await self._react(task, None)

    async def _react(self, task: Task, emoji: Literal["👀", "👍"] | None) -> None:
        if task.card.message_id is None or not await self.is_quiet(task.card.chat_id):
            return
        try:
            with translated():
                await self._bot.set_message_reaction(task.card.chat_id, task.card.message_id, emoji)
        except ChatError as error:
            self._log.debug("a reaction was not shown", task=task.id, reason=str(error))
