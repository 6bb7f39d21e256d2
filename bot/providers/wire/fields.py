"""Fields of foreign answers, read with care: anything may be missing, or of another type."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from bot.providers.wire.links import as_written

_SUCCESS_WORDS = frozenset({"success", "succeed", "succeeded", "successful", "ok", "accepted", "created"})
_SUCCESS_NUMBERS = frozenset({0, 10000, *range(200, 300)})
_NOTHING: Mapping[str, object] = {}


def object_of(value: object) -> Mapping[str, object]:
    """Return a JSON object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def number_of(value: object) -> int | None:
    """Return a code as a number; a relay may have made text of it."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if type(value) is int and abs(value) < 10**9 else None


def is_success(code: object) -> bool:
    """Return True if a code means success: `"success"`, in variants 0 or 2xx, or Volcengine's own 10000."""
    return text_of(code).strip().lower() in _SUCCESS_WORDS or number_of(code) in _SUCCESS_NUMBERS


def id_of(value: object) -> str | None:
    """Return a provider's id, text or number, if it is safe to store and to log; else None."""
    text = str(value) if type(value) is int else text_of(value).strip()
    return text if re.fullmatch(r"[\x21-\x7e]{1,400}", text) else None


def link_of(value: object) -> str | None:
    """Return the web address that a value is, without what was done to it on its way, else None."""
    if not isinstance(value, str):
        return None
    link = as_written(value)
    if " " in link and (re.search(r"[\r\n]", value.strip()) or re.search(r"\shttps?:", link)):
        return None  # a second line that is no part of it, or a sentence
    return link if re.match(r"https?://.", link, re.IGNORECASE) and link.isprintable() else None


def text_of(value: object) -> str:
    """Return text, else an empty string."""
    return value if isinstance(value, str) else ""


def share_of(percent: object) -> float | None:
    """Return 0 to 1, from percent as a number or as text: 30, "30", "30%"."""
    if isinstance(percent, str) and re.fullmatch(r"\s*[0-9]{1,3}(\.[0-9]{1,9})?\s*%?\s*", percent):
        percent = float(percent.strip().removesuffix("%"))
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not abs(percent) < math.inf:
        return None
    return min(max(percent, 0), 100) / 100
