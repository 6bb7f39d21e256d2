"""Rules: the settings that admins may change while the bot runs, and what is in force of them.

They start from the environment. Secrets, addresses and who is an admin come from there alone: whoever holds
the machine decides about those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.changes import THE_BOT, Change, ChangeStore
from bot.errors import SettingsError
from bot.log import get_log
from bot.origins import Source, shown_value, source_of
from bot.settings import Settings, check_again

CHANGEABLE = (
    "ALLOWED_USERS",
    "ALLOWED_CHATS",
    "DAILY_VIDEOS_PER_USER",
    "DAILY_VIDEOS_PER_CHAT",
    "OPEN_TASKS_PER_USER",
    "OPEN_TASKS_PER_CHAT",
    "MODEL_PRICES",
    "DAILY_BUDGET",
    "DAILY_BUDGET_PER_USER",
    "SUBMITS_PER_HOUR",
    "DEFAULT_MODEL",
    "DEFAULT_LANGUAGE",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting as it stands."""

    name: str
    value: str
    """As it could be typed; empty where nothing is set."""
    source: Source
    """Where the value comes from where nobody has changed it."""
    changed: Change | None = None
    """Who did, where somebody has."""


class Rules:
    """What is in force, in memory. `read` it now and then: other processes change it too."""

    def __init__(
        self,
        settings: Settings,
        store: ChangeStore,
        clock: Callable[[], datetime],
        models: Mapping[str, object] | None = None,
    ) -> None:
        """`models` are those that a default can be chosen from; None: whatever its name."""
        self._start = settings
        self._store = store
        self._clock = clock
        self._models = models
        self._changes: dict[str, Change] = {}
        self._refused: set[Change] = set()
        self._log = get_log(__name__)
        self.settings = settings
        """Those of the start, with what was changed since; the others as they were."""

    async def read(self) -> None:
        """Take over what was changed, here or by another process. StoreError."""
        self._take({change.name: change for change in await self._store.in_force(THE_BOT)})

    async def change(self, name: str, text: str | None, by: int) -> bool:
        """Whether that is news. `text` as in the environment; None or an empty one: as at the start.

        SettingsError, one sentence, where it cannot be.
        """
        name, text = name.strip().upper(), (text or "").strip() or None
        if name not in CHANGEABLE:
            raise SettingsError(f"{name} cannot be changed here. These can: {', '.join(CHANGEABLE)}.")
        await self.read()
        texts = {other: value for other, value in self._texts().items() if other != name}
        self._check(texts if text is None else {**texts, name: text})
        before = self._changes.get(name)
        if (before.value if before else None) == text:
            return False
        await self._store.add_change(Change(THE_BOT, name, text, by, self._clock()))
        await self.read()
        return True

    def rows(self) -> list[Rule]:
        """Each that can be changed."""
        return [
            Rule(
                name, shown_value(self.settings, name), source_of(self._start, name), self._changes.get(name)
            )
            for name in CHANGEABLE
        ]

    def row(self, name: str) -> Rule | None:
        """The one of this name; None where nobody can change it."""
        return next((rule for rule in self.rows() if rule.name == name.strip().upper()), None)

    def _texts(self) -> dict[str, str]:
        return {name: change.value for name, change in self._changes.items() if change.value is not None}

    def _take(self, changes: Mapping[str, Change]) -> None:
        """Those that work: one that an older or a newer bot has stored may not."""
        known = {name: one for name, one in changes.items() if name in CHANGEABLE}
        self._changes = known
        try:
            self.settings = self._check(self._texts())
        except SettingsError:
            self._changes, self.settings = {}, self._start
            for name, change in known.items():
                self._take_one(name, change)

    def _take_one(self, name: str, change: Change) -> None:
        try:
            self.settings = self._check({**self._texts(), name: change.value or ""})
        except SettingsError as error:
            if change not in self._refused:
                self._log.warning("a changed setting does not work here", reason=str(error))
            self._refused.add(change)
        else:
            self._changes[name] = change

    def _check(self, texts: Mapping[str, str]) -> Settings:
        model = texts.get("DEFAULT_MODEL")
        if model is not None and self._models is not None and model not in self._models:
            choices = ", ".join(self._models)
            raise SettingsError(f"DEFAULT_MODEL: there is no {model} here. Set up are: {choices}.")
        return check_again(self._start, texts)
