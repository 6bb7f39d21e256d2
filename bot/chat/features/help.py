"""Help: what the bot can do here, and what each model can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from telegram import Bot

from bot.chat.cards.chat_defaults import usual_model
from bot.chat.cards.eta import Estimator
from bot.chat.cards.layout import join
from bot.chat.cards.models_list import draw_models
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.chat_settings import ChatPreferences
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import EXAMPLES, flags_for
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.request import VideoModel, shown
from bot.text import say

_PORTRAIT = "9:16"


class Help:
    def __init__(
        self,
        *,
        bot: Bot,
        messenger: Messenger,
        access: Access,
        preferences: ChatPreferences,
        models: Mapping[str, VideoModel],
        default_model: Callable[[], str],
        estimator: Estimator,
        price_labels: Callable[[], PriceLabels],
    ) -> None:
        self._bot = bot
        self._messenger = messenger
        self._access = access
        self._preferences = preferences
        self._models = models
        self._default_model = default_model
        self._estimator = estimator
        self._price_labels = price_labels

    async def help(self, sender: Sender, _: Intent) -> None:
        offered = shown(self._models)
        usual = self._models.get(await self._usual_model(sender))
        text = say(
            sender.language,
            "help_group" if sender.chat_id < 0 else "help",
            bot=self._bot.username,
            models=offered,
            example=_example(usual),
            options=_options([self._models[name] for name in offered], usual),
        )
        is_admin = sender.chat_id > 0 and await self._access.is_admin(sender.user_id)
        await self._messenger.answer(
            sender, join(text, say(sender.language, "help_admin") if is_admin else "")
        )

    async def models(self, sender: Sender, _: Intent) -> None:
        usual_s = self._estimator.usual_of_models_s()
        await self._messenger.answer(
            sender,
            draw_models(
                sender.language, self._models, await self._usual_model(sender), usual_s, self._price_labels()
            ),
        )

    async def _usual_model(self, sender: Sender) -> str:
        return usual_model(await self._preferences.of(sender.chat_id), self._models, self._default_model())


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
