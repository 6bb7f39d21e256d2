"""/style: lists the styles, or makes a video in one of them."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.styles import styles
from bot.text import say

_NAMED = re.compile(r"(\S+?)[\s:：,，]+(.+)", re.DOTALL)


def in_style(intent: Intent) -> Intent:
    """Return the intent of a video in the style that is named first, or of the list of styles."""
    named = _NAMED.fullmatch(intent.words)
    if named is None or named[1].lower() not in styles():
        return replace(intent, kind="command", command="style")
    return replace(intent, words=f"{named[2]} --style {named[1].lower()}")


async def style(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    """Say which styles there are."""
    lines = [
        f"<code>{one.name}</code> · {html.escape(one.title(sender.language), quote=False)}"
        for one in styles().values()
    ]
    command = ctx.names.command("style", sender.chat_id)
    how = say(sender.language, "style_how", command=command, example=next(iter(styles())))
    await ctx.messenger.answer(sender, "\n".join([how, "", *lines]))


COMMANDS: Commands = (Command(name="style", handle=style, is_about_photo=True, meant=in_style),)
BUTTONS: Buttons = ()
