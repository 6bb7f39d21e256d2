"""The buttons of a draft: order it, change an option."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.cards.crop_buttons import EDGES, moved
from bot.chat.cards.crop_buttons import VERB as CROP
from bot.chat.cards.draft_card import CROP_ALWAYS, options_of
from bot.chat.cards.option_buttons import VERB, changed
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.reply import Reply
from bot.task import TaskState


async def generate(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    if press.task.state is not TaskState.DRAFT:
        return Reply("press_too_late")
    return await ctx.orders.generate(press.sender, press.task, press.task.request)


async def crop_always(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Buy it, and from now on crop without this question."""
    person = await ctx.store.people.person(press.sender.user_id)
    await ctx.store.people.put_person(replace(person, crop_preview=False))
    return await generate(ctx, press)


async def move_crop(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Move the part of the photos that is kept."""
    task, crop = press.task, press.task.request.crop
    if task.state is not TaskState.DRAFT or crop is None:
        return Reply("press_too_late")
    placed = moved(crop, press.choice)
    if placed is None:
        return Reply("press_gone")
    if placed == crop:
        is_at_edge = press.choice[2:] in EDGES
        return Reply("press_crop_edge") if is_at_edge else None
    await ctx.drafts.change(task, task.request.model_copy(update={"crop": placed}))
    return None


async def pick(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Open an option, take a choice, or go back."""
    option, chosen, choice = press.choice.partition("=")
    options = options_of(press.task)
    if not options or (option and option not in options):
        return Reply("press_too_late")
    if not chosen:
        await ctx.board.redraw(press.task, option or None)
        return None
    request = changed(press.task.request, ctx.models, option, choice)
    if request is None:
        return Reply("press_gone")
    count = request.count or 1
    if count > (press.task.request.count or 1):
        refusal = await ctx.access.limit(press.task.user_id, press.task.card.chat_id, count)
        if refusal is not None:
            return refusal
    if option == "photos":
        await ctx.drafts.reask(press.sender, press.task, request, press.task.question)
    else:
        await ctx.drafts.change(press.task, request)
    return None


COMMANDS: Commands = ()
BUTTONS: Buttons = (
    Button(verb="generate", handle=generate),
    Button(verb=CROP_ALWAYS, handle=crop_always),
    Button(verb=CROP, handle=move_crop),
    Button(verb=VERB, handle=pick),
)
