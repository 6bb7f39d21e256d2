"""Permissions: what admins decided about one person or chat: may they ask for videos, and how many."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from bot.store.audit import AuditEntry, AuditStore, setting
from bot.store.people import PeopleStore

Admission = Literal["allowed", "banned", "ignored"]
"""`ignored`: an admin was asked about this stranger and did not want to answer."""
Figure = Literal["daily_videos", "open_tasks"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
LimitOverride = int | Literal["unlimited"] | None
"""A limit that comes before the setting; None: as the setting says."""
_ADMISSION = "role"
_DIGITS = 7
"""A number with more digits is no limit."""


@dataclass(frozen=True, slots=True)
class Permission:
    admission: Admission | None = None
    daily_videos: LimitOverride = None
    open_tasks: LimitOverride = None
    decided_by: int | None = None
    """The admin who decided."""


class Permissions:
    """`subject` is a person's id, or the (negative) one of a group."""

    def __init__(self, store: AuditStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def of(self, subject: int) -> Permission:
        return _read(await self._store.in_force(subject))

    async def decide(self, subject: int, admission: Admission | None, by: int) -> bool:
        """Store an admin's decision; return True if it changed. None removes the decision."""
        return await self._decide(subject, _ADMISSION, admission, by)

    async def grant(self, subject: int, figure: Figure, most: LimitOverride, by: int) -> bool:
        """Store limits for one person or group; return True if they changed."""
        return await self._decide(subject, figure, None if most is None else str(most), by)

    async def with_admission(self, admission: Admission) -> list[int]:
        """Return the people and groups with this decision, newest first."""
        changes = await self._store.in_force_by_name(_ADMISSION)
        return [change.subject for change in changes if change.value == admission]

    async def _decide(self, subject: int, name: str, value: str | None, by: int) -> bool:
        before = {change.name: change.value for change in await self._store.in_force(subject)}
        if before.get(name) == value:
            return False
        await self._store.add(setting(subject, name, value, by, self._clock()))
        return True


async def is_admin(people: PeopleStore, configured: Collection[int], user_id: int) -> bool:
    """Return True for an admin of ADMIN_USERS (`configured`), or one who claimed the bot."""
    return user_id in configured or (await people.person(user_id)).role == "admin"


def read_own(word: str) -> LimitOverride:
    """Read `10`, `unlimited` or `default`. Raises ValueError for anything else."""
    match word.lower():
        case "default":
            return None
        case "unlimited":
            return "unlimited"
        case figure if figure.isdecimal() and figure.isascii() and len(figure) < _DIGITS:
            return int(figure)
        case _:
            raise ValueError(word)


def _read(changes: list[AuditEntry]) -> Permission:
    found = {change.name: change for change in changes}

    def own(figure: Figure) -> LimitOverride:
        value = found[figure].value if figure in found else None
        return "unlimited" if value == "unlimited" else int(value) if value and value.isdecimal() else None

    admission = found.get(_ADMISSION)
    return Permission(
        admission=next((one for one in get_args(Admission) if admission and admission.value == one), None),
        daily_videos=own("daily_videos"),
        open_tasks=own("open_tasks"),
        decided_by=admission.by if admission else None,
    )
