"""/limit: shows how many videos a person or a group may have, and changes that.

`/limit 10 2` in reply to a message: ten a day, two at once. In a private chat an id comes first.
"""

from __future__ import annotations

from bot.admin.permissions import FIGURES, Figure, LimitOverride, read_own
from bot.chat.cards.layout import join
from bot.chat.context import ChatContext
from bot.chat.features.admin.target import find_subject
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.text import say


async def limit(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    found = await find_subject(ctx.store.tasks, sender, intent, figures=len(FIGURES))
    wishes = read_figures(found.rest) if found else None
    if found is None or wishes is None:
        await ctx.messenger.answer(sender, _how(ctx, sender))
        return
    await ctx.actions.limit(found.subject, wishes, sender.user_id)
    await ctx.messenger.answer(sender, await _state(ctx, sender, found.subject))


def _how(ctx: ChatContext, sender: Sender) -> str:
    return say(sender.language, "own_how", bot=ctx.names.suffix(sender.chat_id))


async def _state(ctx: ChatContext, sender: Sender, subject: int) -> str:
    language = sender.language
    name = await ctx.names.link(subject)
    if subject > 0 and await ctx.access.is_admin(subject):
        return say(language, "own_admin", name="\0").replace("\0", name)
    permission = await ctx.permissions.of(subject)
    lines = []
    whose = {"user_id": subject} if subject > 0 else {"chat_id": subject}
    for figure, quota in zip(FIGURES, await ctx.access.quotas(**whose), strict=True):
        own = getattr(permission, figure)
        most = say(language, "own_unlimited") if quota.most is None else quota.most
        origin = say(language, "own_usual" if own is None else "own_own")
        lines.append(say(language, f"own_{figure}", most=most, used=quota.used) + f" · {origin}")
    heading = say(language, "own_heading", name="\0").replace("\0", name)
    return join(heading, "\n".join(lines), _how(ctx, sender))


def read_figures(words: tuple[str, ...]) -> dict[Figure, LimitOverride] | None:
    """Read `10`, `10 2`, `unlimited 2` or `default`: videos a day, and tasks at the same time. One word that
    is no figure is for both. None if it cannot be read."""
    if len(words) > len(FIGURES):
        return None
    try:
        wishes = [read_own(word) for word in words]
    except ValueError:
        return None
    if len(wishes) == 1 and not isinstance(wishes[0], int):
        wishes *= len(FIGURES)
    return dict(zip(FIGURES, wishes, strict=False))


COMMANDS: Commands = (Command(name="limit", handle=limit, admins_only=True, help="help_limit"),)
BUTTONS: Buttons = ()
