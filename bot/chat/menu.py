"""The command menus: for private chats and for groups, in each language, and in the one a chat has chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from bot.chat.telegram_io.client import translated
from bot.errors import ChatError
from bot.log import get_log
from bot.text import choose_language, menu_languages, plain, say

_KEEP_UP_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """What the menus and /help show of a command. Its description is the phrase `command_<name>`."""

    name: str
    menu: Literal["everywhere", "private", "nowhere"] = "everywhere"
    """`private`: not listed in groups, although it is answered there."""
    admins_only: bool = False
    """Listed for the admins of the bot, in their private chats; for everybody else it does not exist."""
    help: str = ""
    """The phrase that /help adds for it; empty if its text names the command already."""


class Menu:
    """Publish the command lists. Nothing here raises: the bot works with old lists, too."""

    def __init__(
        self,
        bot: Bot,
        entries: Sequence[MenuEntry],
        *,
        default_language: Callable[[], str],
        is_admin: Callable[[int], Awaitable[bool]],
    ) -> None:
        """`entries` in the order of the lists."""
        self._bot = bot
        self.entries = entries
        self._default_language = default_language
        self._is_admin = is_admin
        self._published = ""
        self._log = get_log(__name__)

    async def publish(self) -> None:
        """Publish the command lists for everybody, each in the language of their Telegram."""
        self._published = self._default_language()
        lists = [
            self._set(commands, scope, language, code)
            for scope, commands in (
                (BotCommandScopeAllPrivateChats(), self._listed()),
                (BotCommandScopeAllGroupChats(), self._listed(in_groups=True)),
            )
            for code, language in menu_languages(self._default_language()).items()
        ]
        await asyncio.gather(*lists)

    async def keep_up(self, every_s: float = _KEEP_UP_S) -> None:
        """Publish the lists again when an admin changes the default language; until cancelled. It is for
        people whose language the bot does not speak."""
        while True:
            await asyncio.sleep(every_s)
            if self._published != self._default_language():
                await self.publish()

    async def publish_for(self, chat_id: int, chosen: str | None, code: str | None = None) -> None:
        """Publish the list of one chat in the language that it has chosen; None is that of the person's
        Telegram (`code`)."""
        scope = BotCommandScopeChat(chat_id)
        language = chosen or self._unlisted(code if chat_id > 0 else None)
        if chat_id > 0 and await self._is_admin(chat_id):
            # A list for the language of somebody's Telegram comes before the one for all: each has to be set.
            commands = [*self._listed(), *self._listed(for_admins=True)]
            menus = menu_languages(self._default_language()).items()
            await asyncio.gather(*(self._set(commands, scope, language or own, code) for code, own in menus))
        elif language is not None:
            await self._set(self._listed(in_groups=chat_id < 0), scope, language)
        else:
            try:
                with translated():
                    await self._bot.delete_my_commands(scope)
            except ChatError as error:
                self._log.info("a command list could not be removed", chat=chat_id, reason=str(error))

    async def welcome(self, chat_id: int, chosen: str | None, code: str | None) -> None:
        """Publish the list for a person who comes for the first time, if the lists for everybody do not fit
        them."""
        if await self._is_admin(chat_id) or (chosen is None and self._unlisted(code)):
            await self.publish_for(chat_id, chosen, code)

    def _unlisted(self, code: str | None) -> str | None:
        """Return the language of a Telegram that gets a list in another language: Telegram keeps one for both
        kinds of Chinese."""
        menus = menu_languages(self._default_language())
        spoken = choose_language(code, self._default_language())
        listed = menus.get((code or "").lower().partition("-")[0], menus[None])
        return spoken if spoken != listed else None

    async def _set(
        self, commands: Sequence[str], scope: BotCommandScope, language: str, code: str | None = None
    ) -> None:
        shown = [BotCommand(name, plain(say(language, f"command_{name}"))) for name in commands]
        try:
            with translated():
                await self._bot.set_my_commands(shown, scope, code)
        except ChatError as error:
            # An admin may never have opened the chat so far.
            log = self._log.info if isinstance(scope, BotCommandScopeChat) else self._log.warning
            log("a command list could not be published", scope=scope.type, reason=str(error))

    def _listed(self, *, in_groups: bool = False, for_admins: bool = False) -> list[str]:
        hidden = ("nowhere", "private") if in_groups else ("nowhere",)
        entries = [entry for entry in self.entries if entry.admins_only == for_admins]
        return [entry.name for entry in entries if entry.menu not in hidden]
