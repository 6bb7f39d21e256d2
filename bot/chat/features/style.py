"""/style: lists the styles, or makes a video in one of them."""

from __future__ import annotations

import html

from bot.chat.context import ChatContext
from bot.chat.features.video import video
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.styles import styles
from bot.text import say


async def style(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Make a video in the style that is named first, or say which styles there are."""
    name, _, words = intent.words.partition(" ")
    if name.lower() in styles() and words:
        await video(ctx, sender, Intent("video", f"{words} --style {name.lower()}"))
        return
    lines = [
        f"<code>{one.name}</code> · {html.escape(one.title(sender.language), quote=False)}"
        for one in styles().values()
    ]
    command = ctx.names.command("style", sender.chat_id)
    how = say(sender.language, "style_how", command=command, example=next(iter(styles())))
    await ctx.messenger.answer(sender, "\n".join([how, "", *lines]))


COMMANDS: Commands = (Command(name="style", handle=style),)
BUTTONS: Buttons = ()
