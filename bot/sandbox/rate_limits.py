"""Telegram's limits on how fast a bot may send. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits"""

from __future__ import annotations

from collections import deque

from bot.sandbox.answer import too_many_requests


class RateLimits:
    # (messages, seconds) for all chats together, for any one chat, and for one group
    _ALL, _CHAT, _GROUP = (30, 1.0), (1, 1.0), (20, 60.0)

    def __init__(self) -> None:
        self._sent: dict[object, deque[float]] = {}

    def check(self, chat_id: int, now: float) -> None:
        """Counts one message. Raises ApiError 429 when it is one too many."""
        limits: list[tuple[object, tuple[int, float]]] = [("all", self._ALL), (chat_id, self._CHAT)]
        if chat_id < 0:
            limits.append((("group", chat_id), self._GROUP))
        for key, (most, window_s) in limits:
            times = self._sent.setdefault(key, deque())
            while times and times[0] <= now - window_s:
                times.popleft()
            if len(times) >= most:
                raise too_many_requests(max(1, round(times[0] + window_s - now)))
        for key, _limit in limits:
            self._sent[key].append(now)
