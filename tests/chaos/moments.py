"""When a process dies: at a call of its own, before or after that has its effect, or just at any time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CALLS: tuple[str | None, ...] = (
    *("submit", "submit", "poll", "video"),
    *("getUpdates", "sendMessage", "sendMessage", "editMessageText"),
    *("editMessageMedia", "editMessageMedia", "sendVideo", None),
)
"""Twice where most can be lost; None is any time."""


@dataclass(frozen=True)
class Moment:
    """At the call after `skip` others of its name; without a name, and at the latest, after `limit_s`.

    `after_s` after that call arrived: the bot may by then have its answer, and not yet have written it down.
    `has_effect`: whether the call does its work, though its caller is dead.
    """

    call: str | None
    skip: int
    after_s: float
    has_effect: bool
    limit_s: float


def any_moment(rng: random.Random, limit_s: float, calls: Sequence[str | None] = CALLS) -> Moment:
    """At one of these calls, at the latest after `limit_s`."""
    return Moment(
        call=rng.choice(calls),
        skip=rng.randrange(4),
        after_s=rng.choice((0.0, 0.0, rng.uniform(0, 0.03))),
        has_effect=rng.random() < 0.7,
        limit_s=rng.uniform(0.1, 1.0) * limit_s,
    )


class Reaper:
    """Sees every call, and calls `strike` once when the moment is there that `wait` waits for."""

    def __init__(self) -> None:
        self._moment: Moment | None = None
        self._left = 0
        self._struck = asyncio.Event()
        self._strike: Callable[[], None] = lambda: None

    async def wait(self, moment: Moment, strike: Callable[[], None]) -> None:
        """Returns once `strike` was called, at the latest after the moment's limit."""
        self._moment, self._left, self._strike = moment, moment.skip, strike
        self._struck.clear()
        try:
            async with asyncio.timeout(moment.limit_s):
                await self._struck.wait()
        except TimeoutError:
            self._now()

    def sees(self, call: str) -> bool:
        """Whether this call, which has just arrived, is to have no effect."""
        moment = self._moment
        if moment is None or call != moment.call:
            return False
        if self._left > 0:
            self._left -= 1
            return False
        self._moment = None
        if moment.after_s:
            asyncio.get_running_loop().call_later(moment.after_s, self._now)
            return False
        self._now()
        return not moment.has_effect

    def _now(self) -> None:
        if not self._struck.is_set():
            self._moment = None
            self._strike()
            self._struck.set()
