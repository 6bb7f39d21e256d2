"""Telegram's sending rates: whether a call may be sent now; the contract, and a store in memory.

Known limits: about 30 messages a second in all, one a second in a chat with short bursts above it, 20 a
minute in a group: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this.
Edits count as messages do: https://github.com/tdlib/td/issues/2592. Other calls for a chat are not counted;
they only wait while Telegram has asked for a pause in that chat.

The state of a limit is one time for each key (generic cell rate algorithm): when everything sent so far would
have been due, had it been sent evenly. So a store that several processes share keeps one time for each key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

_KEYS = 4096
"""How many are kept before expired ones are dropped."""


class Urgency(IntEnum):
    """Which call goes first."""

    FIRST = 0
    """Outcomes, and answers to button presses."""
    NEXT = 1
    """Other messages."""
    LOW = 2
    """Progress: uses only spare capacity, so that a burst is always left for an outcome."""
    UNCOUNTED = 3
    """Not a message: a reaction, a chat action, a deletion."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` at once, then one every `interval_s`: in `n` intervals never more than `n + burst`."""

    interval_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """A little below Telegram's: calls that leave evenly arrive less evenly."""

    all_chats: Limit = Limit(1 / 25, 4)
    one_chat: Limit = Limit(1.0, 6)
    one_group: Limit = Limit(60 / 14, 5)
    arriving: int = 29
    """Calls in any second: those that arrived within it, and those on their way, which may arrive together.
    Each process counts its own."""


TELEGRAM = Limits()


@dataclass(frozen=True, slots=True)
class Delay:
    """After how many seconds to ask again; if all are zero, the call may be sent and was counted."""

    chat_s: float = 0.0
    """For this chat only."""
    all_s: float = 0.0
    """For every call of this urgency or a lower one."""

    @property
    def is_over(self) -> bool:
        return self.chat_s <= 0 and self.all_s <= 0


class RateStore(Protocol):
    """What all processes of the bot have sent together. It need not be durable: after a minute without a call
    it is empty."""

    async def take_turn(self, chat_id: int, urgency: Urgency, now: datetime, limits: Limits) -> Delay:
        """Apply `decide` and keep its times: the call is counted, or has to wait and is not."""

    async def pause_chat(self, chat_id: int, until: datetime) -> None:
        """Pause a chat, as Telegram has asked."""


def keys_of(chat_id: int) -> Sequence[str]:
    """Return the keys of the times that `decide` needs, in the same order for every chat."""
    keys = ["all", f"chat {chat_id}", pause_key(chat_id)]
    return [*keys, f"group {chat_id}"] if chat_id < 0 else keys


def pause_key(chat_id: int) -> str:
    """Return the key of the time until which Telegram has asked for a pause in a chat."""
    return f"pause {chat_id}"


def decide(
    times: Mapping[str, datetime], chat_id: int, urgency: Urgency, now: datetime, limits: Limits = TELEGRAM
) -> tuple[Delay, dict[str, datetime]]:
    """Return how long a call has to wait, and the times to keep if it is sent now.

    `times` are the known ones of `keys_of`.
    """
    paused_s = (times.get(pause_key(chat_id), now) - now).total_seconds()
    if urgency is Urgency.UNCOUNTED:
        return Delay(max(paused_s, 0.0)), {}
    chat = {f"chat {chat_id}": limits.one_chat}
    if chat_id < 0:
        chat[f"group {chat_id}"] = limits.one_group
    chat_s = max(paused_s, *(_wait_s(times.get(key), limit, urgency, now) for key, limit in chat.items()))
    delay = Delay(max(chat_s, 0.0), max(_wait_s(times.get("all"), limits.all_chats, urgency, now), 0.0))
    if not delay.is_over:
        return delay, {}
    counted = {"all": limits.all_chats, **chat}
    return delay, {key: _next(times.get(key), limit, now) for key, limit in counted.items()}


def _wait_s(even_at: datetime | None, limit: Limit, urgency: Urgency, now: datetime) -> float:
    if even_at is None:
        return 0.0
    allowed_s = 0.0 if urgency is Urgency.LOW else (limit.burst - 1) * limit.interval_s
    ahead_s = (even_at - now).total_seconds()
    # It is never further ahead than this: a clock that was set back must not stop the bot from sending.
    return min(ahead_s, limit.burst * limit.interval_s) - allowed_s


def _next(even_at: datetime | None, limit: Limit, now: datetime) -> datetime:
    interval = timedelta(seconds=limit.interval_s)
    latest = now + (limit.burst - 1) * interval
    return min(max(even_at or now, now), latest) + interval


class MemoryRateStore:
    """A `RateStore` in memory, for a bot that is one process."""

    def __init__(self) -> None:
        self._times: dict[str, datetime] = {}

    async def take_turn(self, chat_id: int, urgency: Urgency, now: datetime, limits: Limits) -> Delay:
        delay, changed = decide(self._times, chat_id, urgency, now, limits)
        self._times.update(changed)
        if len(self._times) > _KEYS:
            self._times = {key: at for key, at in self._times.items() if at > now}
        return delay

    async def pause_chat(self, chat_id: int, until: datetime) -> None:
        self._times[pause_key(chat_id)] = until

    def __len__(self) -> int:
        """Return how many times are kept."""
        return len(self._times)
