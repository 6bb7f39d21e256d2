"""The rate limiter: every call to Telegram waits here for its turn, and while its chat has to be silent."""

from __future__ import annotations

import asyncio
import os
import re
from bisect import insort
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from telegram.error import BadRequest, RetryAfter
from telegram.ext import BaseRateLimiter

from bot.log import get_log, level_of
from bot.send_rates import TELEGRAM, Delay, Limits, RateStore, Urgency

_Answer = bool | dict[str, Any] | list[dict[str, Any]]
_MESSAGES = ("send", "edit", "copy", "forward")
"""How the names of the calls begin that count as messages."""
_ASIDES = frozenset({"sendChatAction", "setMessageReaction", "deleteMessage"})
"""Calls for a chat that are no message. The rest, such as getFile and answerCallbackQuery, has no limit that
is known (https://github.com/tdlib/telegram-bot-api/issues/648)."""
_WITH_FILES = frozenset({"sendPhoto", "sendVideo", "sendDocument", "sendMediaGroup", "editMessageMedia"})
"""A file that was read to its end is not sent a second time."""
_PATIENCE_S: Final = {Urgency.FIRST: 10.0, Urgency.NEXT: 30.0, Urgency.LOW: 0.5, Urgency.UNCOUNTED: 0.0}
"""How long a call may wait here. A row of the store waits better than a coroutine; and progress that cannot
be shown soon is dropped: something newer is shown later."""

_SECOND: Final = timedelta(seconds=1)
_FOR_PROGRESS = 0.7
"""The share of a second's calls that progress may use: the rest is left for outcomes."""


@dataclass(slots=True, order=True)
class _Waiting:
    urgency: Urgency
    number: int
    chat_id: int = field(compare=False)
    deadline: datetime = field(compare=False)
    turn: asyncio.Future[float] = field(compare=False)
    """0: it may go now. Else it would have to wait for longer than it can, and this is how long."""
    not_before: datetime = field(compare=False)
    """When this chat may have room again."""


class RateLimiter(BaseRateLimiter[Urgency]):
    """A call says its urgency in `rate_limit_args`; one that says nothing is `NEXT`.

    Waiting calls go by urgency, then in order of arrival. Raises RetryAfter if that would take too long: the
    call was not made. A call that Telegram itself refuses is made again when it says, if that is soon.
    """

    def __init__(
        self,
        rates: RateStore,
        clock: Callable[[], datetime],
        limits: Limits = TELEGRAM,
        patience_s: Mapping[Urgency, float] = _PATIENCE_S,
    ) -> None:
        # Pauses as timedelta, which python-telegram-bot is about to make the only way; it warns without this.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        self._rates = rates
        self._clock = clock
        self._limits = limits
        self._patience_s = patience_s
        self._log = get_log(__name__)
        self._waiting: list[_Waiting] = []
        self._numbers = count()
        self._flying = 0
        self._landed: deque[datetime] = deque()
        self._news = asyncio.Event()
        self._server: asyncio.Task[None] | None = None

    async def initialize(self) -> None:
        """Do nothing: there is nothing to prepare."""

    async def shutdown(self) -> None:
        if self._server is not None:
            self._server.cancel()
            await asyncio.wait({self._server})

    async def process_request(  # noqa: PLR0917 - as the library calls it
        self,
        callback: Callable[..., Coroutine[Any, Any, _Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Urgency | None,
    ) -> _Answer:
        try:
            return await self._in_turn(callback, args, kwargs, endpoint, data, rate_limit_args)
        except BadRequest as error:
            if not _is_topic_gone(error, data):
                raise
        # In a private chat the message arrives outside of the topics.
        del data["message_thread_id"]
        return await self._in_turn(callback, args, kwargs, endpoint, data, rate_limit_args)

    async def _in_turn(  # noqa: PLR0917 - the same
        self,
        callback: Callable[..., Coroutine[Any, Any, _Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Urgency | None,
    ) -> _Answer:
        chat_id, urgency = data.get("chat_id"), urgency_of(endpoint, rate_limit_args)
        if urgency is None or not isinstance(chat_id, int):
            return await callback(*args, **kwargs)
        deadline = self._clock() + timedelta(seconds=self._patience_s[urgency])
        while True:
            await self._turn(chat_id, urgency, deadline)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                until = self._clock() + timedelta(seconds=seconds(error.retry_after))
                self._log.info("Telegram asks for silence", chat=chat_id, call=endpoint, until=str(until))
                await self._pause(chat_id, until)
                if endpoint in _WITH_FILES or until > deadline:
                    raise
            finally:
                if urgency is not Urgency.UNCOUNTED:
                    self._land()

    async def _turn(self, chat_id: int, urgency: Urgency, deadline: datetime) -> None:
        """Wait until the call may go. A counted call is then on its way until it lands."""
        if urgency is Urgency.UNCOUNTED:
            delay = await self._ask(chat_id, urgency, self._clock())
            if not delay.is_over:
                raise RetryAfter(timedelta(seconds=delay.chat_s))
            return
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(urgency, next(self._numbers), chat_id, deadline, turn, self._clock())
        insort(self._waiting, waiting)
        self._news.set()
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve(), name="rate limiter")
        try:
            wait_s = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result() == 0:
                self._land()
            raise
        if wait_s:
            raise RetryAfter(timedelta(seconds=wait_s))

    def _land(self) -> None:
        """Note that a call has arrived at Telegram, at the latest by now."""
        self._flying -= 1
        self._landed.append(self._clock())
        self._news.set()

    def _full_until(self, urgency: Urgency, now: datetime) -> datetime | None:
        """Return until when no call may go because a second is full; None if one may go. Calls on their way
        count: they may be slow and then arrive together."""
        while self._landed and self._landed[0] <= now - _SECOND:
            self._landed.popleft()
        room = self._limits.arriving * (_FOR_PROGRESS if urgency is Urgency.LOW else 1.0)
        if self._flying + len(self._landed) < room:
            return None
        return (self._landed[0] if self._landed else now) + _SECOND

    async def _serve(self) -> None:
        """Let calls go as long as any wait."""
        while self._waiting:
            self._news.clear()
            if rest_s := await self._serve_once():
                with suppress(TimeoutError):
                    async with asyncio.timeout(rest_s):
                        await self._news.wait()

    async def _serve_once(self) -> float:
        """Let every call go whose turn it is; return the seconds until the next turn, 0 if no call waits."""
        chats: dict[int, datetime] = {}
        full_until: datetime | None = None
        next_at: datetime | None = None
        for one in list(self._waiting):
            now = self._clock()
            # In one chat no call overtakes another: a later one waits as long as the one that was refused.
            one.not_before = max(one.not_before, chats.get(one.chat_id, now))
            full_until = full_until or self._full_until(one.urgency, now)
            if not one.turn.done() and full_until is None and one.not_before <= now:
                delay = await self._ask(one.chat_id, one.urgency, now)
                if delay.is_over and not one.turn.done():
                    self._flying += 1
                    one.turn.set_result(0.0)
                one.not_before = chats[one.chat_id] = now + timedelta(seconds=delay.chat_s)
                if delay.all_s > 0:
                    full_until = now + timedelta(seconds=delay.all_s)
            ready_at = max(one.not_before, full_until or one.not_before)
            if not one.turn.done() and ready_at > one.deadline:
                one.turn.set_result(max((ready_at - now).total_seconds(), 0.001))
            if one.turn.done():
                self._waiting.remove(one)
            else:
                next_at = min(next_at or ready_at, ready_at)
        return 0.0 if next_at is None else max((next_at - self._clock()).total_seconds(), 0.001)

    async def _ask(self, chat_id: int, urgency: Urgency, now: datetime) -> Delay:
        try:
            return await self._rates.take_turn(chat_id, urgency, now, self._limits)
        except Exception as error:  # noqa: BLE001 - Telegram counts for itself: what fails here silences nobody
            self._log.log(level_of(error), "sending rates cannot be read", reason=repr(error))
            return Delay()

    async def _pause(self, chat_id: int, until: datetime) -> None:
        try:
            await self._rates.pause_chat(chat_id, until)
        except Exception as error:  # noqa: BLE001 - the same
            self._log.log(level_of(error), "a pause could not be stored", chat=chat_id, reason=repr(error))


def _is_topic_gone(error: BadRequest, data: dict[str, Any]) -> bool:
    chat_id = data.get("chat_id")
    is_private = isinstance(chat_id, int) and chat_id > 0
    is_gone = re.search("thread not found|topic_(?:closed|deleted|id_invalid)", error.message.lower())
    return is_private and data.get("message_thread_id") is not None and is_gone is not None


def urgency_of(endpoint: str, wished: Urgency | None) -> Urgency | None:
    """Return the urgency of a call to Telegram; None if it is not counted."""
    if endpoint in _ASIDES:
        return Urgency.UNCOUNTED
    if endpoint.startswith(_MESSAGES):
        return Urgency.NEXT if wished is None else wished
    return None


def seconds(value: int | timedelta) -> float:
    """Return how long Telegram asks to wait: python-telegram-bot is about to make it a timedelta."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
