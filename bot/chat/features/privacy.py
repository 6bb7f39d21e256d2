"""The answer to /privacy: what is kept of a person, for how long, and who receives it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.chat.cards.layout import join
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.request import VideoModel
from bot.text import say


def draw_privacy(language: str, models: Mapping[str, VideoModel], keep_days: int, *, backups: bool) -> str:
    """In Telegram's HTML. Receivers are those of all models here, whether a chat shows them or not."""
    makes: dict[str, list[str]] = {}
    for model in models.values():
        if model.company:
            makes.setdefault(model.company, []).append(model.name)
    kept = [
        say(language, "privacy"),
        say(language, "privacy_kept", count=keep_days),
        *([say(language, "privacy_backups")] if backups else []),
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


class Privacy:
    def __init__(
        self, messenger: Messenger, models: Mapping[str, VideoModel], keep_days: int, *, backups: bool
    ) -> None:
        self._messenger = messenger
        self._models = models
        self._keep_days = keep_days
        self._backups = backups

    async def privacy(self, sender: Sender, _: Intent) -> None:
        text = draw_privacy(sender.language, self._models, self._keep_days, backups=self._backups)
        await self._messenger.answer(sender, text)
