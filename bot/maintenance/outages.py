"""Outages: which providers do not answer, told from the calls that are made anyway."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.store import Attempt

SILENT = frozenset({"unreachable", "provider_fault"})
"""Answers that say nothing of a request: the provider is down, or out of order."""
_FOR = timedelta(minutes=3)
_CALLS = 3
"""One call that fails, or a minute of them, is told nobody: the next may work."""


@dataclass(frozen=True, slots=True)
class _Silence:
    since: datetime
    last: datetime
    calls: int = 1


class Outages:
    """Knows what this process has seen since its start."""

    def __init__(self) -> None:
        self._silent: dict[str, _Silence] = {}
        self._answering: set[str] = set()

    def saw(self, attempt: Attempt) -> None:
        """A call has ended. A download says nothing of the provider's own servers."""
        provider = attempt.provider
        if attempt.call == "fetch":
            return
        if attempt.answer not in SILENT:
            self._silent.pop(provider, None)
            self._answering.add(provider)
            return
        self._answering.discard(provider)
        before = self._silent.get(provider)
        if before is None:
            self._silent[provider] = _Silence(attempt.at, attempt.at)
        else:
            self._silent[provider] = replace(before, last=attempt.at, calls=before.calls + 1)

    def is_silent(self, provider: str) -> bool:
        """Whether its last call failed that way."""
        return provider in self._silent

    def down(self) -> dict[str, datetime]:
        """Those that fail every call, and since when."""
        return {
            provider: silence.since
            for provider, silence in self._silent.items()
            if silence.calls >= _CALLS and silence.last - silence.since >= _FOR
        }

    def answering(self) -> set[str]:
        """Those whose last call was answered."""
        return set(self._answering)
