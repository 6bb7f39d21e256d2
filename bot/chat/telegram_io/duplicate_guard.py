"""Repeats: who taps twice in a row means it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

_WITHIN = timedelta(seconds=3)


class DuplicateGuard:
    """Nothing here is kept: what must hold across a restart goes by the id of the update."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tapped: dict[tuple[object, ...], tuple[int, datetime]] = {}

    def is_repeated(self, update_id: int, *tap: object) -> bool:
        """Whether the same, by whoever and on whatever `tap` names, has been asked a moment ago.

        An update that is handled once more, because the first time went wrong, repeats nothing.
        """
        now = self._clock()
        self._tapped = {one: (by, at) for one, (by, at) in self._tapped.items() if now - at < _WITHIN}
        if tap in self._tapped:
            return self._tapped[tap][0] != update_id
        self._tapped[tap] = (update_id, now)
        return False
