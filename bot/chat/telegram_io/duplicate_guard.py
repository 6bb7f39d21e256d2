"""The duplicate guard: two presses of a button in a row count once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

_WITHIN = timedelta(seconds=3)


class DuplicateGuard:
    """A restart forgets this: what must hold across a restart is recognised by the id of its update."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pressed: dict[tuple[object, ...], tuple[int, datetime]] = {}

    def is_repeated(self, update_id: int, *press: object) -> bool:
        """Return True if the same `press` was made a moment ago.

        An update that is handled once more, because the first time went wrong, repeats nothing.
        """
        now = self._clock()
        self._pressed = {one: (by, at) for one, (by, at) in self._pressed.items() if now - at < _WITHIN}
        if press in self._pressed:
            return self._pressed[press][0] != update_id
        self._pressed[press] = (update_id, now)
        return False
