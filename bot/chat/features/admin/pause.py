"""/pause and /resume, and the buttons that do the same, for the bot's admins.

`pause:<model>` and `resume:<model>@<mark>` on a button; without a model everything is meant. The mark says
which pause it ends: an old button must not end a newer one. `stay:` leaves it as it is.
"""

from __future__ import annotations

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.cards.layout import Card, button, cut
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.operators.notice_buttons import PAUSE, RESUME, STAY
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.store import TaskFilter
from bot.store.budget import EVERYTHING, Pause
from bot.task import TaskState
from bot.text import plain, say

_BUTTONS = 10
"""Buttons for models, at most: more would fill the screen."""
_RUNNING = frozenset({TaskState.SUBMITTING, TaskState.RUNNING})


async def pause(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    await _command(ctx, sender, intent, PAUSE)


async def resume(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    await _command(ctx, sender, intent, RESUME)


async def press_pause(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    return await _press(ctx, press, PAUSE)


async def press_resume(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    return await _press(ctx, press, RESUME)


async def press_stay(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Stay paused, in answer to the question of the daily limit."""
    await ctx.messenger.redraw(press.sender, await _paused(ctx, press.sender.language, EVERYTHING))
    return None


async def _command(ctx: ChatContext, sender: Sender, intent: Intent, verb: str) -> None:
    name = intent.words.strip().lower()
    if name and name not in ctx.models:
        values = {"model": cut(name, 60), "choices": list(ctx.models)}
        await ctx.messenger.say(sender, "model_unknown", **values)
        return
    card = await _do(ctx, sender, name, verb)
    await ctx.messenger.answer(sender, card.text, card.buttons)


async def _press(ctx: ChatContext, press: ChatButtonPress, verb: str) -> Reply | None:
    model, _, mark = press.choice.partition("@")
    if model and model not in ctx.models:
        return Reply("press_gone")
    meant = [
        pause for pause in await ctx.purchase_guard.pauses() if (pause.model, pause.mark) == (model, mark)
    ]
    if verb == RESUME and not meant:
        return Reply("press_too_late")
    await ctx.messenger.redraw(press.sender, await _do(ctx, press.sender, model, verb))
    return None


async def _do(ctx: ChatContext, sender: Sender, model: str, verb: str) -> Card:
    """Pause or resume a model, which may be `EVERYTHING`."""
    if verb == PAUSE:
        await ctx.actions.pause(model, sender.user_id)
        return await _paused(ctx, sender.language, model)
    ended = await ctx.actions.resume(model, sender.user_id)
    return await _resumed(ctx, sender.language, ended)


async def _paused(ctx: ChatContext, language: str, model: str) -> Card:
    """Say what is paused, since when and by whom, also if it was paused before."""
    found = next((one for one in await ctx.purchase_guard.pauses() if one.model == model), None)
    if found is None:
        return Card(say(language, "resume_nothing"), None)
    what = say(language, "paused_model", model=model) if model else say(language, "paused_all")
    lines = [f"<b>{what}</b> {await _since(ctx, language, found)}"]
    if model == EVERYTHING:
        lines.append(await _figures(ctx, language))
    return Card("\n".join(lines), InlineKeyboardMarkup([[_resume_button(language, found)]]))


def _resume_button(language: str, pause: Pause) -> InlineKeyboardButton:
    model = pause.model
    label = say(language, "button_resume_model", model=model) if model else say(language, "button_resume")
    return button(plain(label), RESUME, f"{model}@{pause.mark}")


async def _resumed(ctx: ChatContext, language: str, ended: list[Pause]) -> Card:
    models = [pause.model for pause in ended if pause.model]
    if any(not pause.model for pause in ended):
        lines = [say(language, "resumed_all")]
    elif models:
        lines = [say(language, "resumed_models", models=models)]
    else:
        lines = [say(language, "resume_nothing")]
    if await ctx.purchase_guard.blocks_everything():
        lines.append(say(language, "resume_all_paused"))
        return Card("\n".join(lines), None)
    if ended:
        lines.append(await _figures(ctx, language))
    left = [pause for pause in await ctx.purchase_guard.pauses() if pause.model]
    if not left:
        return Card("\n".join(lines), None)
    lines.append(say(language, "resume_models_paused", models=[pause.model for pause in left]))
    buttons = [[_resume_button(language, pause)] for pause in left[:_BUTTONS]]
    return Card("\n".join(lines), InlineKeyboardMarkup(buttons))


async def _since(ctx: ChatContext, language: str, pause: Pause) -> str:
    time = f"{pause.at.astimezone(ctx.settings.zone):%H:%M}"
    if pause.is_hourly_limit or pause.is_of_disk:
        return say(language, "paused_by_brake" if pause.is_hourly_limit else "paused_by_disk", time=time)
    # The name is already HTML.
    return say(language, "paused_by", time=time, name="\0").replace("\0", await ctx.names.link(pause.by))


async def _figures(ctx: ChatContext, language: str) -> str:
    """Say how many tasks wait, and how many go on."""
    waiting = await ctx.store.tasks.count_tasks(TaskFilter(states=frozenset({TaskState.QUEUED})))
    running = await ctx.store.tasks.count_tasks(TaskFilter(states=_RUNNING))
    return say(language, "paused_figures", waiting=waiting, running=running)


COMMANDS: Commands = (
    Command(name=PAUSE, handle=pause, admins_only=True, help="help_pause"),
    Command(name=RESUME, handle=resume, admins_only=True),
)
BUTTONS: Buttons = (
    ChatButton(verb=PAUSE, handle=press_pause, used_by="admins"),
    ChatButton(verb=RESUME, handle=press_resume, used_by="admins"),
    ChatButton(verb=STAY, handle=press_stay, used_by="admins"),
)
