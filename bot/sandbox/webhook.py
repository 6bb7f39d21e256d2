"""Deliver updates to the bot's webhook: in order, one at a time, repeated until it returns 2xx."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

import aiohttp

from bot.sandbox.answer import ApiError, Json, bad_request
from bot.sandbox.updates import Updates

#: Seconds before the second, third, ... attempt; the last value repeats forever.
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ANSWER_LIMIT_S = 60.0


class Webhook:
    def __init__(
        self, updates: Updates, *, now: Callable[[], float], pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self.url = ""
        self._secret = ""
        self._updates = updates
        self._now = now
        self._pauses_s = pauses_s
        self._max_connections = 40
        self._last_error: Json = {}
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        updates.on_put = self._more.set

    def set(self, url: str, *, secret: str = "", max_connections: int = 40) -> None:
        """Set the webhook, or remove it if `url` is empty. Raises ApiError as Telegram does."""
        # Telegram requires https; a local bot has no certificate, so loopback needs none.
        if url and not url.startswith("https://") and not _LOOPBACK.match(url):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        self.url, self._secret, self._max_connections = url, secret, max_connections
        self._last_error = {}
        self._stop()
        if url:
            self._updates.end_polls(ApiError(409, "Conflict: terminated by setWebhook request"))
            self._task = asyncio.create_task(self._deliver())

    def info(self) -> Json:
        info: Json = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if self.url:
            info["max_connections"] = self._max_connections
        if self._updates.allowed:
            info["allowed_updates"] = sorted(self._updates.allowed)
        return info | self._last_error

    async def close(self) -> None:
        task = self._stop()
        if task is not None:
            with suppress(asyncio.CancelledError):
                await task

    def _stop(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    async def _deliver(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_LIMIT_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                self._more.clear()
                while (update := self._updates.take_repeated() or self._first_pending()) is not None:
                    await self._deliver_one(http, update)
                    if update in self._updates.pending:
                        self._updates.pending.remove(update)
                await self._more.wait()

    def _first_pending(self) -> Json | None:
        return self._updates.pending[0] if self._updates.pending else None

    async def _deliver_one(self, http: aiohttp.ClientSession, update: Json) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        attempt = 0
        while True:
            try:
                async with http.post(self.url, json=update, headers=headers, allow_redirects=False) as answer:
                    if 200 <= answer.status < 300:
                        return  # a method call in the answer is not carried out: this bot never sends one
                    problem = f"Wrong response from the webhook: {answer.status} {answer.reason}"
            except (aiohttp.ClientError, TimeoutError):
                problem = "Connection refused"
            self._last_error = {"last_error_date": int(self._now()), "last_error_message": problem}
            await asyncio.sleep(self._pauses_s[min(attempt, len(self._pauses_s) - 1)])
            attempt += 1
