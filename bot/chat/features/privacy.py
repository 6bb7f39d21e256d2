"""The answer to /privacy: what is kept of a person, for how long, and who receives it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.chat.cards.layout import join
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.request import VideoModel
from bot.text import say


def draw_privacy(
    language: str,
    models: Mapping[str, VideoModel],
    keep_days: int,
    *,
    backups: bool,
    storage: bool = False,
) -> str:
    """Draw what is stored and who receives it, as HTML. Receivers are those of all models here, also of
    hidden ones."""
    makes: dict[str, list[str]] = {}
    for model in models.values():
        if model.company:
            makes.setdefault(model.company, []).append(model.name)
    kept = [
        say(language, "privacy"),
        say(language, "privacy_kept", count=keep_days),
        *([say(language, "privacy_backups")] if backups else []),
        *([say(language, "privacy_storage")] if storage else []),
        say(language, "privacy_mark"),
    ]
    receivers = [
        say(language, "privacy_receivers"),
        say(language, "privacy_shared" if makes else "privacy_not_shared"),
        *(
            say(language, "privacy_company", company=company, models=names)
            for company, names in makes.items()
        ),
    ]
    return join("\n".join(kept), "\n".join(receivers), say(language, "privacy_forget"))


async def privacy(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    text = draw_privacy(
        sender.language,
        ctx.models,
        ctx.settings.keep_days,
        backups=ctx.settings.backups is not None,
        storage=ctx.storage is not None,
    )
    await ctx.messenger.answer(sender, text)


COMMANDS: Commands = (Command(name="privacy", handle=privacy, menu="private"),)
BUTTONS: Buttons = ()
