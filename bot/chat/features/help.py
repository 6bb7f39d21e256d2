"""Help: what the bot can do here; and the greeting, with examples to press."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.layout import button, join, keyboard
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import EXAMPLES, PromptOptions, flags_for
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.draft import DraftQuestion
from bot.integers import read_integer
from bot.request import Mode, VideoModel, seconds_for, shown
from bot.text import say

EXAMPLE = "example"
_START_EXAMPLES = ("button_example_boat", "button_example_lighthouse", "button_example_snow")
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
    if any(ctx.models[name].references for name in offered):
        own.insert(0, say(sender.language, "help_references"))
    if not sender.is_group and ctx.bot.supports_inline_queries:
        own.append(say(sender.language, "help_inline", bot=ctx.bot.username))
    if not sender.is_group and await ctx.access.is_admin(sender.user_id):
        admins = [say(sender.language, "help_admin"), *_lines(ctx, sender, admins_only=True)]
    await ctx.messenger.answer(sender, join("\n".join([text, *own]), "\n".join(admins)))


async def start(ctx: ChatContext, sender: Sender, key: str) -> None:
    """Greet a person with the phrase `key`, and with examples to press."""
    labels = [say(sender.language, example) for example in _START_EXAMPLES]
    buttons = [[button(label, EXAMPLE, number)] for number, label in enumerate(labels)]
    await ctx.messenger.answer(sender, say(sender.language, key), keyboard(buttons))


async def draft_example(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Make a draft of the words on the button."""
    number, sender = read_integer(press.choice), replace(press.sender, message_id=None)
    if number is None or not 0 <= number < len(_START_EXAMPLES):
        return Reply("press_gone")
    is_known = await ctx.orders.known(sender)
    if is_known or ctx.duplicate_guard.is_repeated(sender.update_id, sender.user_id, EXAMPLE, number):
        return None
    settings = await ctx.preferences.of(sender.chat_id)
    words = PromptOptions(prompt=say(sender.language, _START_EXAMPLES[number]))
    request, problems = ctx.request_builder.read(words, None, settings=settings)
    if problems:
        return problem_reply(press.sender.language, problems[0])
    await ctx.drafts.draft(sender, request, DraftQuestion.START)
    return None


def _lines(ctx: ChatContext, sender: Sender, *, admins_only: bool) -> list[str]:
    """Return what the commands add to the text."""
    entries = [entry for entry in ctx.menu.entries if entry.help and entry.admins_only == admins_only]
    return [say(sender.language, entry.help) for entry in entries]


def _example(model: VideoModel | None) -> str:
    """Return options to copy that work with the default model."""
    if model is None:
        return ""
    return " ".join(filter(None, (_ratio(model), f"{_longest(model)}s")))


def _options(offered: Sequence[VideoModel], usual: VideoModel | None) -> list[str]:
    """Return each option that one of `offered` takes, with a value that works here."""
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
BUTTONS: Buttons = (ChatButton(verb=EXAMPLE, handle=draft_example, used_by="allowed"),)
