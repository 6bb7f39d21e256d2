"""Whether the database takes writes: an outage is two lines in the log, and what readiness and alerts ask."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.log import get_log

_OVER_AFTER_S = 5.0
"""A full disk takes small writes and refuses large ones: one that works soon after proves nothing."""
ROOM_BYTES = 1_000_000
"""With less free, one that works later proves nothing either."""


class WriteOutage:
    """Told by the store of every write, and of every connection that is lost."""

    def __init__(
        self, counter: Callable[[], float] = time.monotonic, has_room: Callable[[], bool] = lambda: True
    ) -> None:
        """`has_room`: whether as much as `ROOM_BYTES` can be written; it is asked after an outage only."""
        self._counter = counter
        self._has_room = has_room
        self._reason = ""
        self._since = self._last = 0.0
        self._log = get_log(__name__)

    @property
    def reason(self) -> str:
        """Why nothing can be written at present, as the second half of a sentence; empty while it can."""
        return self._reason

    def failed(self, reason: str) -> None:
        self._last = self._counter()
        if not self._reason:
            self._since, self._reason = self._last, reason
            self._log.error("the database takes no writes", reason=reason)

    def worked(self) -> None:
        now = self._counter()
        if self._reason and now - self._last >= _OVER_AFTER_S and self._has_room():
            self._reason = ""
            self._log.info("the database takes writes again", after_s=round(now - self._since))
