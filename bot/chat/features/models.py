"""/models: a choice of the models here, and what each can do."""

from __future__ import annotations

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.models_list import USE, VERB, draw_model, draw_models
from bot.chat.context import ChatContext
from bot.chat.features.settings import change
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender


async def models(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    card = draw_models(sender.language, ctx.models, await _usual(ctx, sender))
    await ctx.messenger.answer(sender, card.text, card.buttons)


async def choose_model(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Show a model in place of the list, make it the default of the chat, or go back to the list."""
    sender, name = press.sender, press.choice.removeprefix(USE)
    may_choose = await ctx.group_admins.may_manage(sender.chat_id, sender.user_id)
    if press.choice.startswith(USE):
        if not may_choose:
            return Reply("press_admins_only")
        if await change(ctx, sender, "model", name) is None:
            return Reply("press_gone")
    usual, model = await _usual(ctx, sender), ctx.models.get(name)
    if not name:
        card = draw_models(sender.language, ctx.models, usual)
    elif model is not None:
        usual_s = ctx.estimator.usual_of_models_s()
        labels = ctx.price_labels()
        card = draw_model(sender.language, model, usual, usual_s, labels, may_choose=may_choose)
    else:
        return Reply("press_gone")
    await ctx.messenger.redraw(sender, card)
    return None


async def _usual(ctx: ChatContext, sender: Sender) -> str:
    return usual_model(await ctx.preferences.of(sender.chat_id), ctx.models, ctx.default_model())


COMMANDS: Commands = (Command(name="models", handle=models),)
BUTTONS: Buttons = (ChatButton(verb=VERB, handle=choose_model, used_by="allowed"),)
