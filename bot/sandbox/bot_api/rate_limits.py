"""Telegram's limits on how fast a bot may send.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. Edits count as messages
(https://github.com/tdlib/td/issues/2592), an album as each of its messages. Telegram allows "short bursts"
in a chat and does not say how long: here ten.
"""

from __future__ import annotations

from collections import deque
from math import ceil

from bot.sandbox.answer import Json, too_many_requests

_ALL_CHATS, _ONE_GROUP = (30, 1.0), (20, 60.0)
"""How many messages in how many seconds."""
_CHAT_BURST = 10
"""After that, one a second."""


class RateLimits:
    def __init__(self) -> None:
        self._sent: dict[object, deque[float]] = {}
        self._even_at: dict[int, float] = {}

    def check(self, method: str, params: Json, now: float) -> None:
        """Count what a call sends or edits. Raises ApiError 429, and counts nothing, if it is too much."""
        messages = _messages(method, params)
        if not messages:
            return
        chat_id = params["chat_id"]
        windows: list[tuple[object, tuple[int, float]]] = [("all", _ALL_CHATS)]
        if chat_id < 0:
            windows.append((chat_id, _ONE_GROUP))
        even_at = max(self._even_at.get(chat_id, now), now) + messages
        wait_s = max(even_at - now - _CHAT_BURST, *(self._wait_s(*one, messages, now) for one in windows))
        if wait_s > 0:
            raise too_many_requests(ceil(wait_s))
        self._even_at[chat_id] = even_at
        for key, _window in windows:
            self._sent[key].extend([now] * messages)

    def _wait_s(self, key: object, window: tuple[int, float], messages: int, now: float) -> float:
        most, window_s = window
        times = self._sent.setdefault(key, deque())
        while times and times[0] <= now - window_s:
            times.popleft()
        too_many = len(times) + messages - most
        return times[too_many - 1] + window_s - now if too_many > 0 else 0.0


def _messages(method: str, params: Json) -> int:
    if method == "sendChatAction" or not method.startswith(("send", "edit", "copy", "forward")):
        return 0
    return len(params["media"]) if method == "sendMediaGroup" else 1
