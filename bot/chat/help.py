"""Help: what the bot can do here, and what each model can."""

from __future__ import annotations

from collections.abc import Mapping

from telegram import Bot

from bot.chat.asker import Asker
from bot.chat.catalogue import draw_models
from bot.chat.intent import Intent
from bot.chat.voice import Voice
from bot.chat.words import EXAMPLES, flags_for
from bot.request import VideoModel, shown
from bot.text import say


class Help:
    def __init__(self, bot: Bot, voice: Voice, models: Mapping[str, VideoModel], default_model: str) -> None:
        self._bot = bot
        self._voice = voice
        self._models = models
        self._default_model = default_model

    async def help(self, asker: Asker, _: Intent) -> None:
        offered = shown(self._models)
        text = say(
            asker.language,
            "help_group" if asker.chat_id < 0 else "help",
            bot=self._bot.username,
            models=offered,
            options=[EXAMPLES[flag] for flag in flags_for([self._models[name] for name in offered])],
        )
        await self._voice.answer(asker, text)

    async def models(self, asker: Asker, _: Intent) -> None:
        await self._voice.answer(asker, draw_models(asker.language, self._models, self._default_model))
