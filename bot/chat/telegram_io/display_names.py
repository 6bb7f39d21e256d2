"""Display names: what a person or a group is called, if only the id is known."""

from __future__ import annotations

import html

from telegram import Bot

from bot.chat.cards.layout import cut
from bot.chat.sender import tidy_name
from bot.chat.telegram_io.client import translated
from bot.errors import ChatError

_SHOWN = 60


class DisplayNames:
    """Asks Telegram each time: admins see few names, and people change them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def command(self, name: str, chat_id: int, *words: object) -> str:
        """Return a command as it works in a chat: in a group with the bot's name behind it."""
        return " ".join([f"/{name}{self.suffix(chat_id)}", *map(str, words)])

    def suffix(self, chat_id: int) -> str:
        return f"@{self._bot.username}" if chat_id < 0 else ""

    async def plain(self, subject: int) -> str:
        """Return the name of a person or group; the id if Telegram does not know more, as of a person who
        never wrote to the bot."""
        try:
            with translated():
                chat = await self._bot.get_chat(subject)
        except ChatError:
            return str(subject)
        return cut(tidy_name(chat.title or chat.full_name or "") or str(subject), _SHOWN)

    async def link(self, subject: int) -> str:
        """Return the name as HTML, with a link for a person, and the id to copy."""
        name = html.escape(await self.plain(subject), quote=False)
        shown = f'<a href="tg://user?id={subject}">{name}</a>' if subject > 0 else name
        return f"<code>{subject}</code>" if name == str(subject) else f"{shown} (<code>{subject}</code>)"
