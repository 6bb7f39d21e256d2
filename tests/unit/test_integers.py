"""Whole numbers from outside: what 64 bits hold is read, anything else is none."""

from __future__ import annotations

import pytest

from bot.chat.telegram_io.polling import as_stored
from bot.integers import read_integer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("007", 7), ("\N{ARABIC-INDIC DIGIT SEVEN}", 7)),
        *((str(2**63 - 1), 2**63 - 1), (str(-(2**63)), -(2**63))),
    ],
)
def test_a_number_that_a_database_holds_is_read(text: str, number: int) -> None:
    assert read_integer(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "7 ", "7\n", "1_0", "1.0", "1e3", "x", "--7", "0x7", "\N{SUPERSCRIPT TWO}", "nan"),
        *(str(2**63), str(-(2**63) - 1), "9" * 20, "9" * 30, "9" * 5000, "-" + "9" * 5000),
    ],
)
def test_what_is_none_or_larger_is_not(text: str) -> None:
    assert read_integer(text) is None


@pytest.mark.parametrize(
    ("content", "owner", "person"),
    [
        ({"message": {"chat": {"id": -5}, "from": {"id": 20}}}, -5, 20),
        ({"message": {"chat": {"id": -5}, "sender_chat": {"id": -6}}}, -5, -6),
        ({"my_chat_member": {"chat": {"id": -5}, "from": {"id": 20}}}, -5, 20),
        ({"callback_query": {"message": {"chat": {"id": -5}}, "from": {"id": 20}}}, 20, 20),
        ({"callback_query": {"from": {"id": 20}}}, 20, 20),
        ({"message": {"chat": {"id": -5}}}, -5, 0),
        ({"message": {"chat": {"id": 10**30}, "from": {"id": 20}}}, 0, 0),
        ({"message": {"chat": {"id": -5}, "from": {"id": 10**30}}}, 0, 0),
        ({"brand_new_kind": {}}, 0, 0),
    ],
)
def test_a_message_is_of_its_chat_and_a_press_of_its_person(
    content: dict[str, object], owner: int, person: int
) -> None:
    stored = as_stored({"update_id": 1, **content})
    assert (stored.chat_id, stored.user_id) == (owner, person)


def test_half_a_letter_is_stored_as_a_sign_that_stands_for_it() -> None:
    assert as_stored({"update_id": 1, "text": "a \ud83d boat"}).body == '{"update_id": 1, "text": "a ? boat"}'
