"""/models: what each model here can do."""

from __future__ import annotations

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.models_list import draw_models
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender


async def models(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    usual = usual_model(await ctx.preferences.of(sender.chat_id), ctx.models, ctx.default_model())
    usual_s = ctx.estimator.usual_of_models_s()
    await ctx.messenger.answer(
        sender,
        draw_models(sender.language, ctx.models, usual, usual_s, ctx.price_labels()),
    )


COMMANDS: Commands = (Command(name="models", handle=models),)
BUTTONS: Buttons = ()
