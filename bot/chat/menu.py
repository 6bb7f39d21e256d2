"""The command menus: for private chats and for groups, in each language, and in the one a chat has chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from bot.chat.client import translated
from bot.errors import ChatError
from bot.log import get_log
from bot.text import menu_languages, plain, say

_PRIVATE_ONLY = frozenset({"history", "privacy", "forget"})
"""What is a person's own business; a group is still answered when it asks."""


class Menu:
    """`commands` in the order of the list. Nothing here raises: with old menus all works too."""

    def __init__(self, bot: Bot, commands: Sequence[str], default_language: str) -> None:
        self._bot = bot
        self._commands = commands
        self._default_language = default_language
        self._log = get_log(__name__)

    async def publish(self) -> None:
        """For everybody, each in the language of their Telegram."""
        lists = [
            self._set(commands, scope, language, code)
            for scope, commands in (
                (BotCommandScopeAllPrivateChats(), self._commands),
                (BotCommandScopeAllGroupChats(), self._for_groups()),
            )
            for code, language in menu_languages(self._default_language).items()
        ]
        await asyncio.gather(*lists)

    async def publish_for(self, chat_id: int, language: str | None) -> None:
        """In the language that this chat has chosen; None: as for everybody again."""
        scope = BotCommandScopeChat(chat_id)
        if language is not None:
            await self._set(self._commands if chat_id > 0 else self._for_groups(), scope, language)
            return
        try:
            with translated():
                await self._bot.delete_my_commands(scope)
        except ChatError as error:
            self._log.info("a command list could not be taken back", chat=chat_id, reason=str(error))

    async def _set(
        self, commands: Sequence[str], scope: BotCommandScope, language: str, code: str | None = None
    ) -> None:
        shown = [BotCommand(name, plain(say(language, f"command_{name}"))) for name in commands]
        try:
            with translated():
                await self._bot.set_my_commands(shown, scope, code)
        except ChatError as error:
            self._log.warning("a command list could not be published", scope=scope.type, reason=str(error))

    def _for_groups(self) -> list[str]:
        return [name for name in self._commands if name not in _PRIVATE_ONLY]
