"""Copies of frozen records."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from bot.records import changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Boat:
    name: str
    sails: int = 1


def test_a_copy_has_the_changes_and_all_else_as_it_was() -> None:
    boat = Boat(name="paper", sails=2)
    assert changed(boat, sails=3) == replace(boat, sails=3)
    assert changed(boat) == boat
    assert boat == Boat(name="paper", sails=2)


def test_a_copy_is_as_frozen_as_the_first() -> None:
    copy = changed(Boat(name="paper"), sails=3)
    with pytest.raises(FrozenInstanceError):
        copy.sails = 4  # type: ignore[misc]


def test_a_field_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(KeyError):
        changed(Boat(name="paper"), oars=2)
