"""OutageLog: a provider that does not answer is two lines in the log, however many calls it spoils."""

from __future__ import annotations

from bot.errors import ProviderError
from bot.log import get_log


class OutageLog:
    """Of one kind of call, as named in the log: `polls`, `submits`."""

    def __init__(self, calls: str) -> None:
        self._calls = calls
        self._log = get_log(__name__)
        self._silent: set[str] = set()

    def broken(self, provider: str, error: ProviderError) -> None:
        """A call told nothing."""
        if provider not in self._silent:
            self._silent.add(provider)
            self._log.warning(f"{self._calls} fail", provider=provider, code=error.code, detail=error.detail)

    def answered(self, provider: str) -> None:
        if provider in self._silent:
            self._silent.discard(provider)
            self._log.info("the provider answers again", provider=provider, calls=self._calls)
