"""Plural forms: which one a number takes, by the CLDR rules of the bot's languages.

https://www.unicode.org/cldr/charts/48/supplemental/language_plural_rules.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

Form = Literal["one", "few", "many", "other"]


def english(number: Decimal) -> Form:
    return "one" if number == 1 and _is_whole(number) else "other"


def spanish(number: Decimal) -> Form:
    if number == 1:
        return "one"
    return "many" if _is_millions(number) else "other"


def portuguese(number: Decimal) -> Form:
    """Return the plural form as in Brazil: zero takes the form of one."""
    if 0 <= number < 2:
        return "one"
    return "many" if _is_millions(number) else "other"


def russian(number: Decimal) -> Form:
    if not _is_whole(number):
        return "other"
    tens, ones = divmod(int(number) % 100, 10)
    if ones == 1 and tens != 1:
        return "one"
    return "few" if 2 <= ones <= 4 and tens != 1 else "many"


def chinese(_: Decimal) -> Form:
    return "other"


def _is_whole(number: Decimal) -> bool:
    """Return True if a number has no decimals. `1.0` has, because it is read aloud with them."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= 0


def _is_millions(number: Decimal) -> bool:
    return number != 0 and _is_whole(number) and number % 1_000_000 == 0
