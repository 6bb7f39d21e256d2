"""Live settings: the settings that admins may change while the bot runs, and what is in force of them.

They start from the environment. Secrets, addresses and who is an admin come from there alone: anybody who
holds the machine decides about those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.admin.setting_sources import Source, shown_value, source_of
from bot.errors import SettingsError
from bot.log import get_log
from bot.settings import Settings, check_again
from bot.store.audit import THE_BOT, AuditEntry, AuditStore, setting

CHANGEABLE = {
    "ALLOWED_USERS": "ids of the people who may order videos anywhere, or `*` for everyone",
    "ALLOWED_CHATS": "ids of the chats in which everyone may order videos, or `*` for every chat",
    "DAILY_VIDEOS_PER_USER": (
        "videos a day for one person: a number, or `unlimited`; `0` turns new videos off"
    ),
    "DAILY_VIDEOS_PER_CHAT": "videos a day for one group",
    "OPEN_TASKS_PER_USER": "videos in progress at the same time, for one person",
    "OPEN_TASKS_PER_CHAT": "videos in progress at the same time, for one group",
    "MODEL_PRICES": (
        "the price of a video, such as `jimeng-pro=3.50,jimeng-720p=0.28/s,veo-3:1080p:sound=0.60/s`;"
        " after the model a resolution, a length such as `10s`, `sound` or `silent`, `references`,"
        " `off-peak`; if unset, no price is shown"
    ),
    "CURRENCY": "currency of prices and budgets: a code or a sign",
    "DAILY_BUDGET": "the most that all videos of a day may cost; unset is unlimited",
    "DAILY_BUDGET_PER_USER": "the most that the videos of one person may cost in a day; unset is unlimited",
    "SUBMITS_PER_HOUR": (
        "after this many orders in an hour that may cost something (refused orders cost nothing),"
        " an admin must agree before anything more is bought"
    ),
    "DEFAULT_MODEL": ("the model to use if a request names none; unset is the first model that is set up"),
    "DEFAULT_LANGUAGE": (
        "language for people whose Telegram uses none of `en`, `zh`, `zh-hant`, `es`, `pt`, `ru`"
    ),
}
"""What each setting means, by its name, as in `docs/settings.md`."""


@dataclass(frozen=True, slots=True)
class LiveSetting:
    """One setting as it stands."""

    name: str
    value: str
    """As it could be typed; empty if nothing is set."""
    source: Source
    """Where the value comes from if nobody has changed it."""
    changed: AuditEntry | None = None
    """The change in force, if there is one."""


class LiveSettings:
    """What is in force, in memory. `read` it now and then: other processes change it too."""

    def __init__(
        self,
        settings: Settings,
        store: AuditStore,
        clock: Callable[[], datetime],
        models: Mapping[str, object] | None = None,
    ) -> None:
        """`models` are those that a default can be chosen from; None: whatever its name."""
        self._start = settings
        self._store = store
        self._clock = clock
        self._models = models
        self._now = LiveValues(settings, {}, {})
        self._log = get_log(__name__)

    @property
    def settings(self) -> Settings:
        """The settings of the start, with the changes since then."""
        return self._now.settings

    async def read(self) -> None:
        """Take over what was changed, here or by another process. StoreError."""
        before = self._now
        self._now = apply_changes(self._start, await self._store.in_force(THE_BOT), self._models)
        for change, reason in self._now.refused.items():
            if change not in before.refused:
                self._log.warning("a changed setting is not valid here", reason=reason)

    async def change(self, name: str, text: str | None, by: int) -> bool:
        """Change a setting; return True if its value changed. `text` is as in the environment; None or empty
        restores the value of the start.

        Raises SettingsError with one sentence if the value is not allowed.
        """
        name, text = name.strip().upper(), (text or "").strip() or None
        if name not in CHANGEABLE:
            raise SettingsError(f"{name} cannot be changed here. These can: {', '.join(CHANGEABLE)}.")
        await self.read()
        texts = {other: value for other, value in _texts(self._now.changes).items() if other != name}
        _checked(self._start, texts if text is None else {**texts, name: text}, self._models)
        before = self._now.changes.get(name)
        if (before.value if before else None) == text:
            return False
        await self._store.add(setting(THE_BOT, name, text, by, self._clock()))
        await self.read()
        return True

    def rows(self) -> list[LiveSetting]:
        """Return a row for each setting that can be changed."""
        return [
            LiveSetting(
                name,
                shown_value(self.settings, name),
                source_of(self._start, name),
                self._now.changes.get(name),
            )
            for name in CHANGEABLE
        ]

    def row(self, name: str) -> LiveSetting | None:
        """Return the row of this setting; None if it cannot be changed."""
        return next((one for one in self.rows() if one.name == name.strip().upper()), None)


@dataclass(frozen=True, slots=True)
class LiveValues:
    settings: Settings
    """The settings of the start, with the changes since then."""
    changes: Mapping[str, AuditEntry]
    """The changes that work, by the names of the settings."""
    refused: Mapping[AuditEntry, str]
    """The changes that do not work, and why: another version of the bot may have stored them."""


def apply_changes(
    start: Settings, changes: Iterable[AuditEntry], models: Mapping[str, object] | None = None
) -> LiveValues:
    """Return the settings with the changes. Changes that belong together are applied together, else each by
    itself."""
    known = {change.name: change for change in changes if change.name in CHANGEABLE and change.value}
    try:
        return LiveValues(_checked(start, _texts(known), models), known, {})
    except SettingsError:
        pass
    settings, taken, refused = start, dict[str, AuditEntry](), dict[AuditEntry, str]()
    for name, change in known.items():
        try:
            settings = _checked(start, _texts({**taken, name: change}), models)
            taken[name] = change
        except SettingsError as error:
            refused[change] = str(error)
    return LiveValues(settings, taken, refused)


def _texts(changes: Mapping[str, AuditEntry]) -> dict[str, str]:
    return {name: change.value for name, change in changes.items() if change.value is not None}


def _checked(start: Settings, texts: Mapping[str, str], models: Mapping[str, object] | None) -> Settings:
    model = texts.get("DEFAULT_MODEL")
    if model is not None and models is not None and model not in models:
        raise SettingsError(f"DEFAULT_MODEL: there is no {model} here. Set up are: {', '.join(models)}.")
    return check_again(start, texts)
