"""Acts: what admins did with single tasks and people, and the contract of the record that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done on purpose by somebody who is not the person whom it concerns."""

    verb: str
    """Such as `cancel`."""
    target: str
    """The id of a task or of a person, or the name of a model."""
    by: int
    """The admin's id."""
    at: datetime


class ActStore(Protocol):
    """The record is only ever added to."""

    async def add_act(self, act: Act) -> None: ...

    async def acts(self, limit: int, target: str | None = None) -> list[Act]:
        """The newest, or those that concern one target; newest first."""
