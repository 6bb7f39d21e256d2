"""The operator chat (ALERT_CHAT): sends alerts to it, with a button if something can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from telegram import InlineKeyboardMarkup

from bot.chat.cards.layout import Card, button
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.deps import ChatDeps
from bot.chat.operators.notice_buttons import PAUSE, buttons_of
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatError, ChatMoved, StoreError
from bot.log import get_log
from bot.request import VideoModel
from bot.store import Notice
from bot.text import plain, say, say_duration

_OF_OPERATORS = ("trouble_", "brake_", "budget_")
"""How the keys of these notices begin. Access requests go to the admins only."""
_LIMIT_S = 15.0


class OperatorChat:
    """The chat of `bot.maintenance.alerts.AlertChat`. Its language is its own choice, else the bot's."""

    def __init__(
        self,
        chat_id: int,
        *,
        messenger: Messenger,
        preferences: ChatPreferences,
        models: Mapping[str, VideoModel],
        price_labels: Callable[[], PriceLabels],
    ) -> None:
        self.chat_id = chat_id
        self._messenger = messenger
        self._preferences = preferences
        self._models = models
        self._price_labels = price_labels
        self._untold: set[str] = set()
        """Messages that failed since the last success: they are tried every few seconds, and logged once."""
        self._log = get_log(__name__)

    async def send(
        self, key: str, values: Mapping[str, object], *, pause: str | None = None, silent: bool = False
    ) -> bool:
        def draw(language: str) -> Card:
            return Card(self._say(language, key, values), self._pause_buttons(language, pause))

        return await self._tell(key, draw, silent=silent)

    async def pass_on(self, notice: Notice) -> None:
        """Send a notice of the admins here too, if it is about operation."""
        if not notice.key.startswith(_OF_OPERATORS):
            return
        pause = notice.values.get("provider") if notice.key != "trouble_over" else None

        def draw(language: str) -> Card:
            buttons = buttons_of(language, notice) or self._pause_buttons(language, pause)
            return Card(say(language, notice.key, **notice.values), buttons)

        await self._tell(notice.key, draw)

    async def _tell(self, key: str, draw: Callable[[str], Card], *, silent: bool = False) -> bool:
        try:
            card = draw(await self._language())
            async with asyncio.timeout(_LIMIT_S):
                await self._send(card.text, card.buttons, silent=silent)
        except (ChatError, StoreError, TimeoutError) as error:
            if key not in self._untold:
                self._untold.add(key)
                self._log.warning("ALERT_CHAT could not be notified", alert=key, reason=type(error).__name__)
            return False
        self._untold.clear()
        return True

    async def _language(self) -> str:
        """Return the chat's language; the bot's default while the database does not answer."""
        try:
            return await self._preferences.language_for(self.chat_id, None)
        except StoreError:
            return self._preferences.default_language()

    async def _send(self, text: str, buttons: InlineKeyboardMarkup | None, *, silent: bool) -> None:
        try:
            await self._messenger.send(self.chat_id, text, buttons, silent=silent)
        except ChatMoved as moved:
            self._log.warning("ALERT_CHAT has a new id", was=self.chat_id, now=moved.chat_id)
            self.chat_id = moved.chat_id
            await self._messenger.send(self.chat_id, text, buttons, silent=silent)

    def _say(self, language: str, key: str, values: Mapping[str, object]) -> str:
        said = {name: _said(language, value) for name, value in values.items() if name != "spent"}
        text = say(language, key, **said)
        price_labels, spent = self._price_labels(), values.get("spent")
        money = (
            price_labels.words(language, spent) if price_labels.prices and isinstance(spent, Decimal) else ""
        )
        return f"{text} · {say(language, 'alert_day_spent', money=money)}" if money else text

    def _pause_buttons(self, language: str, whom: str | None) -> InlineKeyboardMarkup | None:
        names = [name for name, model in self._models.items() if whom in (name, model.provider)]
        if not names:
            return None
        return InlineKeyboardMarkup(
            [[button(plain(say(language, "button_pause_model", model=name)), PAUSE, name)] for name in names]
        )


def operators_of(deps: ChatDeps, messenger: Messenger, preferences: ChatPreferences) -> OperatorChat | None:
    """Return the chat of ALERT_CHAT; None if that is not set."""
    chat_id = deps.settings.alert_chat
    if chat_id is None:
        return None
    return OperatorChat(
        chat_id,
        messenger=messenger,
        preferences=preferences,
        models=deps.models,
        price_labels=deps.price_labels,
    )


def _said(language: str, value: object) -> object:
    return say_duration(language, value.total_seconds()) if isinstance(value, timedelta) else value
