"""Help: what the bot can do here, and what each model can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from telegram import Bot

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.eta import Forecast
from bot.chat.cards.layout import join
from bot.chat.cards.models_list import draw_models
from bot.chat.cards.price_labels import Tariff
from bot.chat.chat_settings import Preferences
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import EXAMPLES, flags_for
from bot.chat.sender import Asker
from bot.chat.telegram_io.messenger import Voice
from bot.request import VideoModel, shown
from bot.text import say

_PORTRAIT = "9:16"


class Help:
    def __init__(
        self,
        *,
        bot: Bot,
        voice: Voice,
        access: Access,
        preferences: Preferences,
        models: Mapping[str, VideoModel],
        default_model: Callable[[], str],
        forecast: Forecast,
        tariff: Callable[[], Tariff],
    ) -> None:
        self._bot = bot
        self._voice = voice
        self._access = access
        self._preferences = preferences
        self._models = models
        self._default_model = default_model
        self._forecast = forecast
        self._tariff = tariff

    async def help(self, asker: Asker, _: Intent) -> None:
        offered = shown(self._models)
        usual = self._models.get(await self._usual_model(asker))
        text = say(
            asker.language,
            "help_group" if asker.chat_id < 0 else "help",
            bot=self._bot.username,
            models=offered,
            example=_example(usual),
            options=_options([self._models[name] for name in offered], usual),
        )
        is_admin = asker.chat_id > 0 and await self._access.is_admin(asker.user_id)
        await self._voice.answer(asker, join(text, say(asker.language, "help_admin") if is_admin else ""))

    async def models(self, asker: Asker, _: Intent) -> None:
        usual_s = self._forecast.usual_of_models_s()
        await self._voice.answer(
            asker,
            draw_models(
                asker.language, self._models, await self._usual_model(asker), usual_s, self._tariff()
            ),
        )

    async def _usual_model(self, asker: Asker) -> str:
        return usual_model(await self._preferences.of(asker.chat_id), self._models, self._default_model())


def _example(model: VideoModel | None) -> str:
    """Options to copy that work with the model of those who name none."""
    if model is None:
        return ""
    return f"{_ratio(model)} {max(model.seconds)}s"


def _options(offered: Sequence[VideoModel], usual: VideoModel | None) -> list[str]:
    """Each option that one of `offered` takes, with a value that works here."""
    examples = dict(EXAMPLES)
    if usual is not None:
        examples |= {
            "model": f"--model {usual.name}",
            "ratio": f"--ratio {_ratio(usual)}",
            "seconds": f"--seconds {max(usual.seconds)}",
        }
    return [examples[flag] for flag in flags_for(offered)]


def _ratio(model: VideoModel) -> str:
    return _PORTRAIT if _PORTRAIT in model.ratios else model.ratios[-1]
