"""Names of people and groups, for pages that have only their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.bounded_dict import BoundedDict
from bot.errors import DreamreelError
from bot.store.statistics import matching_names

_KEPT_FOR = timedelta(minutes=10)
_MOST = 1000
_MOST_ASKED = 30
"""At once: Telegram is asked for each."""
_LIMIT_S = 2.0
"""A page is not held up by a slow Telegram: ids are shown then."""


class Names:
    def __init__(self, ask: Callable[[int], Awaitable[str]], clock: Callable[[], datetime]) -> None:
        """`ask` returns the id as text if nobody knows the name."""
        self._ask = ask
        self._clock = clock
        self._known: BoundedDict[int, tuple[datetime, str]] = BoundedDict(_MOST)

    async def of(self, subjects: Iterable[int]) -> Mapping[int, str]:
        """Return the name of each person or group, or its id as text."""
        wanted, now = {subject for subject in subjects if subject}, self._clock()
        known = {one: self._known.get(one) for one in wanted}
        unknown = [one for one, found in known.items() if found is None or now - found[0] >= _KEPT_FOR]
        tasks = [asyncio.create_task(self._learn(one)) for one in sorted(unknown)[:_MOST_ASKED]]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_LIMIT_S)
            for task in late:
                task.cancel()
        found_now = {one: self._known.get(one) for one in wanted}
        return {one: found[1] if found else str(one) for one, found in found_now.items()}

    async def groups_named(self, groups: Sequence[int], text: str) -> dict[int, str]:
        """Return those of `groups` whose name has `text` in it, in either case: id and name."""
        found: dict[int, str] = {}
        for first in range(0, len(groups), _MOST_ASKED):
            found |= await self.of(groups[first : first + _MOST_ASKED])
        return matching_names(found.items(), text)

    async def _learn(self, subject: int) -> None:
        try:
            name = await self._ask(subject)
        except DreamreelError:
            return
        self._known[subject] = self._clock(), name
