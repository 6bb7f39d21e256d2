"""Plurals: our rules against what CLDR publishes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from bot.text.plurals import Form, chinese, english, portuguese, russian, spanish

Rule = Callable[[Decimal], Form]

# The samples of CLDR 48.2, common/supplemental/plurals.xml; those in compact notation (1c6) are left out.
SAMPLES: list[tuple[Rule, Form, str]] = [
    (english, "one", "1"),
    (english, "other", "0, 2~16, 100, 1000, 10000, 100000, 1000000"),
    (english, "other", "0.0~1.5, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0"),
    (spanish, "one", "1, 1.0, 1.00, 1.000, 1.0000"),
    (spanish, "many", "1000000"),
    (spanish, "other", "0, 2~16, 100, 1000, 10000, 100000"),
    (spanish, "other", "0.0~0.9, 1.1~1.6, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0"),
    (portuguese, "one", "0, 1, 0.0~1.5"),
    (portuguese, "many", "1000000"),
    (portuguese, "other", "2~17, 100, 1000, 10000, 100000"),
    (portuguese, "other", "2.0~3.5, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0"),
    (russian, "one", "1, 21, 31, 41, 51, 61, 71, 81, 101, 1001"),
    (russian, "few", "2~4, 22~24, 32~34, 42~44, 52~54, 62, 102, 1002"),
    (russian, "many", "0, 5~19, 100, 1000, 10000, 100000, 1000000"),
    (russian, "other", "0.0~1.5, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0"),
    (chinese, "other", "0~15, 100, 1000, 10000, 100000, 1000000"),
    (chinese, "other", "0.0~1.5, 10.0, 100.0, 1000.0, 10000.0, 100000.0, 1000000.0"),
]
# The forms of 0 to 9, 10 to 19 and so on to 199, and those of the numbers that end like them, from ICU 78:
# o for one, f for few, m for many, a dot for other.
TENS: list[tuple[Rule, str, str]] = [
    (english, ".o........", " ".join([".........."] * 19)),
    (spanish, ".o........", " ".join([".........."] * 19)),
    (portuguese, "oo........", " ".join([".........."] * 19)),
    (chinese, "..........", " ".join([".........."] * 19)),
    (
        russian,
        "mofffmmmmm",
        "mmmmmmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm "
        "mofffmmmmm mmmmmmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm mofffmmmmm "
        "mofffmmmmm",
    ),
]
LETTERS: dict[Form, str] = {"one": "o", "few": "f", "many": "m", "other": "."}


def numbers(samples: str) -> Iterator[Decimal]:
    """`2~4, 1.0` as 2, 3, 4, 1.0; a range goes in steps of its last digit."""
    for part in samples.split(", "):
        first, _, last = part.partition("~")
        number, end = Decimal(first), Decimal(last or first)
        step = Decimal(1).scaleb(int(number.as_tuple().exponent))
        while number <= end:
            yield number
            number += step


@pytest.mark.parametrize(("rule", "form", "samples"), SAMPLES)
def test_the_numbers_that_cldr_publishes_take_its_form(rule: Rule, form: Form, samples: str) -> None:
    assert {number: rule(number) for number in numbers(samples)} == dict.fromkeys(numbers(samples), form)


@pytest.mark.parametrize(("rule", "first_ten", "tens"), TENS)
def test_every_number_up_to_200_takes_the_form_of_icu(rule: Rule, first_ten: str, tens: str) -> None:
    forms = "".join(LETTERS[rule(Decimal(number))] for number in range(200))
    assert forms == first_ten + tens.replace(" ", "")
    assert rule(Decimal(200)) == ("many" if rule is russian else "other")


@pytest.mark.parametrize(
    ("rule", "number", "form"),
    [
        (english, "1000001", "other"),
        (spanish, "2000000", "many"),
        (spanish, "1000001", "other"),
        (portuguese, "1000000000000", "many"),
        (portuguese, "1500000", "other"),
        (russian, "1000001", "one"),
        (russian, "1000011", "many"),
        (russian, "1000022", "few"),
        (russian, "999999999999", "many"),
        (chinese, "1000001", "other"),
    ],
)
def test_big_numbers_take_the_form_of_icu(rule: Rule, number: str, form: Form) -> None:
    assert rule(Decimal(number)) == form


def test_the_samples_are_read_as_they_are_meant() -> None:
    assert [str(number) for number in numbers("2~4, 0.9~1.1, 100")] == [
        "2",
        "3",
        "4",
        "0.9",
        "1.0",
        "1.1",
        "100",
    ]
