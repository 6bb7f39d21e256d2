"""Webhook: Telegram calls, and the process that answers stores the update. The bot checks that it stays
set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telegram import Bot
from telegram.error import TelegramError

from bot.chat.telegram_io.polling import (
    WANTED,
    TakeUnstored,
    nothing_unstored,
    pause_after,
    reason_of,
    store_updates,
)
from bot.log import get_log
from bot.store import UpdateStore

_CHECK_S = 30.0
_CONNECTIONS = 40


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where Telegram is to call, and how it proves to be Telegram."""

    url: str
    secret: str


class WebhookReceiver:
    """`take` may be called in any process as soon as it is built; `run` makes sure that Telegram calls."""

    def __init__(
        self,
        bot: Bot,
        updates: UpdateStore,
        on_stored: Callable[[], None],
        clock: Callable[[], datetime],
        hook: WebhookSettings,
        *,
        take_unstored: TakeUnstored = nothing_unstored,
    ) -> None:
        """`take_unstored` as of the `UpdatePoller`."""
        self._take_unstored = take_unstored
        self._bot = bot
        self._updates = updates
        self._on_stored = on_stored
        self._clock = clock
        self._hook = hook
        self._log = get_log(__name__)
        self.answered_at = clock()
        """When Telegram last confirmed the webhook, for a health check."""

    async def take(self, update: dict[str, Any]) -> None:
        """Store the update. Raises StoreError; Telegram then sends it again."""
        if self._take_unstored(update):
            return
        await store_updates(self._updates, [update])
        self._on_stored()

    async def run(self) -> None:
        """Set the webhook and check it now and then, until cancelled."""
        is_set, failures = False, 0
        while True:
            try:
                if not is_set:
                    await self._set()
                is_set = (await self._bot.get_webhook_info()).url == self._hook.url
                self.answered_at = self._clock()
                if not is_set:
                    self._log.warning("the webhook was removed by somebody else and is set again")
                    continue
            except TelegramError as error:
                failures += 1
                if failures == 1:
                    self._log.warning(
                        "the webhook could not be set or checked",
                        reason=reason_of(error),
                        detail=error.message,
                    )
                await asyncio.sleep(pause_after(error, failures))
                continue
            failures = 0
            await asyncio.sleep(_CHECK_S)

    async def _set(self) -> None:
        await self._bot.set_webhook(
            self._hook.url,
            secret_token=self._hook.secret,
            allowed_updates=WANTED,
            max_connections=_CONNECTIONS,
        )
