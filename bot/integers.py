"""Whole numbers from outside, none larger than a database holds. Pure."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"[+-]?\d{1,19}")
_MOST = 2**63


def read_integer(text: str) -> int | None:
    """Read a number of up to 64 bits; None for any other text."""
    number = int(text) if _DIGITS.fullmatch(text) else _MOST
    return number if is_storable(number) else None


def is_storable(number: int) -> bool:
    """Return True if the number fits into 64 bits."""
    return -_MOST <= number < _MOST
