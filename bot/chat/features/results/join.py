"""The button Join: makes one film of a video and the one that it continues."""

from __future__ import annotations

from bot.chat.cards.result_buttons import JOIN
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.reply import Reply
from bot.chat.telegram_io.film_joiner import Film
from bot.worker.deliver import provenance_of


async def join(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    task = press.task
    if not task.request.extends or not task.file_id:
        return Reply("press_gone")
    first = await ctx.store.tasks.get(task.parent_id) if task.parent_id else None
    words = " → ".join(one.request.prompt for one in (first, task) if one and one.request.prompt)
    film = Film(
        press.sender, task, words, task.request.extends, task.file_id, provenance_of(task, ctx.models)
    )
    queued = ctx.film_joiner.request(film) == "queued"
    return Reply("press_joining" if queued else "press_joined", {})


COMMANDS: Commands = ()
BUTTONS: Buttons = (Button(verb=JOIN, handle=join),)
