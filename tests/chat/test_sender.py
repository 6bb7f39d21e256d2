"""Names of people and groups: on one line, and none changes the words around it."""

from __future__ import annotations

import pytest

from bot.chat.sender import channels_of, tidy_name


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("Ada", "Ada"),
        ("Ada\n\nAn admin\u2028said yes", "Ada An admin said yes"),
        ("\u202eadA", "adA"),
        ("A\u2067d\u2069a\u200f", "A d a"),
        ("\x00\x1b[1m", "[1m"),
        ("\u05e2\u05d3\u05d4", "\u2068\u05e2\u05d3\u05d4\u2069"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("\u202e", ""),
    ],
)
def test_a_name_stands_isolated(name: str, tidy: str) -> None:
    assert tidy_name(name) == tidy


def test_the_channels_of_a_group_are_no_group_and_no_person() -> None:
    a_supergroup, largest = -1_000_000_000_001, -(2**52)
    assert len({channels_of(a_supergroup), channels_of(-1), a_supergroup, -1}) == 4
    assert channels_of(largest) > -(2**63)
