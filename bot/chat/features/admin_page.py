"""/admin: the way to the operator's page, for an admin alone, in their private chat."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatGone
from bot.text import say


@dataclass(frozen=True, slots=True)
class PageLink:
    url: str
    """Opens the page once."""
    minutes: int
    """How long it does."""
    tunnel: str
    """The command that leads there from another machine; empty where none is needed."""


OpenPage = Callable[[int], Awaitable[PageLink | None]]
"""A link for one admin; None where there is no page."""


class AdminPage:
    def __init__(self, messenger: Messenger, open_page: OpenPage) -> None:
        self._messenger = messenger
        self._open_page = open_page

    async def command(self, sender: Sender, _: Intent) -> None:
        """From a group the link goes to the private chat: whoever opens it first is in."""
        link = await self._open_page(sender.user_id)
        if link is None:
            await self._messenger.answer(sender, say(sender.language, "admin_page_off"))
            return
        try:
            await self._messenger.write(sender.user_id, draw_link(sender.language, link))
        except ChatGone:
            await self._messenger.answer(sender, say(sender.language, "admin_page_closed"))
            return
        if sender.chat_id != sender.user_id:
            await self._messenger.answer(sender, say(sender.language, "admin_page_sent"))


def draw_link(language: str, link: PageLink) -> str:
    url = html.escape(link.url)
    text = say(language, "admin_page", minutes=link.minutes, url="\0").replace(
        "\0", f'<a href="{url}">{url}</a>'
    )
    return f"{text}\n\n{say(language, 'admin_page_tunnel', command=link.tunnel)}" if link.tunnel else text
