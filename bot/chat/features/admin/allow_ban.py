"""/allow and /ban, and the buttons of an access request: an admin of the bot decides who may use it.

`admit:<id>:<decision>[:<who asked>]`: the first answer decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.admin.actions import ActionRefused
from bot.admin.permissions import Admission
from bot.admin.setting_sources import shown_value
from bot.chat.cards.layout import Card, cut, join
from bot.chat.context import ChatContext
from bot.chat.features.admin.target import find_subject
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.operators.notice_buttons import ADMIT, NO, YES
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.integers import read_integer
from bot.text import say

_DECISIONS: Mapping[str, Admission] = {YES: "allowed", NO: "ignored"}
_NAMED = 20
"""How many are named: Telegram is asked for each name."""
_VALUE_SHOWN = 300


async def allow(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    await _decide(ctx, sender, intent, "allowed")


async def ban(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    await _decide(ctx, sender, intent, "banned")


async def answer_request(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Apply an admin's answer, unless another admin has decided."""
    sender = press.sender
    subject, answer, asked_by = _read(press.choice)
    if subject is None or answer not in _DECISIONS:
        return Reply("press_gone")
    permission = await ctx.permissions.of(subject)
    reached = True
    if permission.admission is None:
        await ctx.actions.decide(subject, _DECISIONS[answer], sender.user_id)
        permission = await ctx.permissions.of(subject)
        if permission.admission == "allowed":
            reached = await ctx.access_requests.welcome(subject, asked_by)
    text = await draw_decision(sender, ctx.names, subject, permission.admission)
    if not reached:
        text += "\n" + say(sender.language, "decided_unheard_group" if subject < 0 else "decided_unheard")
    await ctx.messenger.redraw(sender, Card(text, None))
    return None


async def _decide(ctx: ChatContext, sender: Sender, intent: Intent, admission: Admission) -> None:
    found = await find_subject(ctx.store.tasks, sender, intent)
    if found is None and not intent.words and not sender.is_group:
        await ctx.messenger.answer(sender, await _state(ctx, sender))
    elif found is None or found.rest:
        await ctx.messenger.answer(sender, _how(ctx, sender))
    else:
        try:
            is_news = await ctx.actions.decide(found.subject, admission, sender.user_id)
        except ActionRefused:
            name = await ctx.names.link(found.subject)
            text = say(sender.language, "ban_admin", name="\0").replace("\0", name)
            await ctx.messenger.answer(sender, text)
            return
        decision = await draw_decision(sender, ctx.names, found.subject, admission)
        await ctx.messenger.answer(sender, decision)
        if is_news and admission == "allowed" and await _waits(ctx, sender, found.subject):
            await ctx.access_requests.welcome(found.subject)


async def _waits(ctx: ChatContext, sender: Sender, subject: int) -> bool:
    """Return True if they were turned away before, and cannot see the answer to the command."""
    if subject < 0:
        return subject != sender.chat_id
    return (await ctx.store.people.person(subject)).told_at is not None


def _how(ctx: ChatContext, sender: Sender) -> str:
    return say(sender.language, "guests_how", bot=ctx.names.suffix(sender.chat_id))


async def _state(ctx: ChatContext, sender: Sender) -> str:
    settings, language = ctx.live_settings.settings, sender.language
    lists = {
        name: cut(shown_value(settings, name), _VALUE_SHOWN) or "–"
        for name in ("ALLOWED_USERS", "ALLOWED_CHATS")
    }
    decided = [
        await _listed(ctx, language, f"guests_{admission}", await ctx.permissions.with_admission(admission))
        for admission in ("allowed", "banned", "ignored")
    ]
    return join(
        say(language, "guests_heading"),
        await _listed(ctx, language, "guests_admins", await ctx.access.admins()),
        "\n".join(f"{name}: <code>{value}</code>" for name, value in lists.items()),
        *decided,
        _how(ctx, sender),
    )


async def _listed(ctx: ChatContext, language: str, key: str, subjects: Sequence[int]) -> str:
    if not subjects:
        return ""
    names = [await ctx.names.link(subject) for subject in subjects[:_NAMED]]
    if len(subjects) > _NAMED:
        names.append(say(language, "queue_more", count=len(subjects) - _NAMED))
    return "\n".join([say(language, key), *(f"• {name}" for name in names)])


async def draw_decision(
    sender: Sender, names: DisplayNames, subject: int, admission: Admission | None
) -> str:
    """Return what was decided about a person or group, and how to undo it."""
    undo = names.command("ban" if admission == "allowed" else "allow", sender.chat_id, subject)
    text = say(sender.language, f"decided_{admission}", name="\0", undo=undo)
    return text.replace("\0", await names.link(subject))


def _read(choice: str) -> tuple[int | None, str, int | None]:
    """Return whom it is about, the answer, and who asked; None for an id that cannot be one."""
    subject, answer, asked_by = [*choice.split(":", 2), "", ""][:3]
    return read_integer(subject) or None, answer, read_integer(asked_by) or None


COMMANDS: Commands = (
    Command(name="allow", handle=allow, admins_only=True, help="help_allow"),
    Command(name="ban", handle=ban, admins_only=True),
)
BUTTONS: Buttons = (
    ChatButton(verb=ADMIT, handle=answer_request, used_by="admins", refusal="press_bot_admins_only"),
)
