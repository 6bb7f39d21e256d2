"""Help: what the bot can do here, and what each model can."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.layout import join
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import EXAMPLES, flags_for
from bot.chat.sender import Sender
from bot.request import Mode, VideoModel, seconds_for, shown
from bot.text import say

_PORTRAIT = "9:16"


async def help(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    offered = shown(ctx.models)
    usual = ctx.models.get(
        usual_model(await ctx.preferences.of(sender.chat_id), ctx.models, ctx.default_model())
    )
    text = say(
        sender.language,
        "help_group" if sender.is_group else "help",
        bot=ctx.bot.username,
        models=offered,
        example=_example(usual),
        options=_options([ctx.models[name] for name in offered], usual),
    )
    own, admins = _lines(ctx, sender, admins_only=False), []
    if not sender.is_group and await ctx.access.is_admin(sender.user_id):
        admins = [say(sender.language, "help_admin"), *_lines(ctx, sender, admins_only=True)]
    await ctx.messenger.answer(sender, join("\n".join([text, *own]), "\n".join(admins)))


def _lines(ctx: ChatContext, sender: Sender, *, admins_only: bool) -> list[str]:
    """Return what the commands add to the text."""
    entries = [entry for entry in ctx.menu.entries if entry.help and entry.admins_only == admins_only]
    return [say(sender.language, entry.help) for entry in entries]


def _example(model: VideoModel | None) -> str:
    """Options to copy that work with the model of those who name none."""
    if model is None:
        return ""
    return " ".join(filter(None, (_ratio(model), f"{_longest(model)}s")))


def _options(offered: Sequence[VideoModel], usual: VideoModel | None) -> list[str]:
    """Each option that one of `offered` takes, with a value that works here."""
    examples = dict(EXAMPLES)
    if usual is not None:
        examples |= {
            "model": f"--model {usual.name}",
            "ratio": f"--ratio {_ratio(usual) or _PORTRAIT}",
            "seconds": f"--seconds {_longest(usual)}",
        }
    return [examples[flag] for flag in flags_for(offered)]


def _ratio(model: VideoModel) -> str:
    return _PORTRAIT if _PORTRAIT in model.ratios else next(iter(model.ratios), "")


def _longest(model: VideoModel) -> int:
    """Return the longest video that it makes from words, or else from a photo."""
    mode = Mode.TEXT if Mode.TEXT in model.modes else Mode.FIRST_FRAME
    return max(seconds_for(mode, model) or model.seconds)


COMMANDS: Commands = (Command(name="help", handle=help),)
BUTTONS: Buttons = ()
