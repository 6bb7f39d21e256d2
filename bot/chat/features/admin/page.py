"""/admin: a link to the operator's page, for an admin, in their private chat."""

from __future__ import annotations

import html

from bot.chat.context import ChatContext
from bot.chat.deps import PageLink
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.errors import ChatGone
from bot.text import say


async def admin(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    """Send the link to the private chat, from a group too: it works for the first who opens it."""
    link = await ctx.open_page(sender.user_id)
    if link is None:
        await ctx.messenger.say(sender, "admin_page_off")
        return
    try:
        await ctx.messenger.send(sender.user_id, draw_link(sender.language, link))
    except ChatGone:
        await ctx.messenger.say(sender, "admin_page_closed")
        return
    if sender.chat_id != sender.user_id:
        await ctx.messenger.say(sender, "admin_page_sent")


def draw_link(language: str, link: PageLink) -> str:
    url = html.escape(link.url)
    text = say(language, "admin_page", minutes=link.minutes, url="\0").replace(
        "\0", f'<a href="{url}">{url}</a>'
    )
    return f"{text}\n\n{say(language, 'admin_page_tunnel', command=link.tunnel)}" if link.tunnel else text


COMMANDS: Commands = (Command(name="admin", handle=admin, admins_only=True, help="help_admin_page"),)
BUTTONS: Buttons = ()
