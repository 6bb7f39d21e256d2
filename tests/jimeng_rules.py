"""What Volcengine's documents allow in a submit, by `req_key`: written apart from the adapter they judge."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from bot.request import CAMERAS, STRENGTHS

_FIELDS = frozenset({"req_key", "prompt", "binary_data_base64", "image_urls", "seed", "frames"})
_RATIO = frozenset({"aspect_ratio"})
_CAMERA = frozenset({"template_id", "camera_strength"})


@dataclass(frozen=True)
class _Rules:
    photos: tuple[int, ...]
    """How many there may be."""
    more: frozenset[str] = frozenset()
    """Fields that not every key has."""


_RULES = {
    "jimeng_ti2v_v30_pro": _Rules((0, 1), _RATIO),
    "jimeng_t2v_v30": _Rules((0,), _RATIO),
    "jimeng_i2v_first_v30": _Rules((1,)),
    "jimeng_i2v_first_tail_v30": _Rules((2,)),
    "jimeng_i2v_recamera_v30": _Rules((1,), _CAMERA),
    "jimeng_t2v_v30_1080p": _Rules((0,), _RATIO),
    "jimeng_i2v_first_v30_1080": _Rules((1,)),
    "jimeng_i2v_first_tail_v30_1080": _Rules((2,)),
}
REQ_KEYS = frozenset(_RULES)


def mistakes(fields: Mapping[str, object]) -> list[str]:
    """What the document of its `req_key` does not allow in this submit."""
    rules = _RULES[str(fields["req_key"])]
    prompt, photos, links = (fields.get(name) for name in ("prompt", "binary_data_base64", "image_urls"))
    words_are_optional = fields["req_key"] == "jimeng_ti2v_v30_pro" and bool(photos or links)
    unknown = set(fields) - _FIELDS - rules.more
    checks = {
        f"unknown fields {unknown}": not unknown,
        "no words": prompt is not None or words_are_optional,
        "the prompt is no text of 1 to 800 characters": prompt is None
        or (isinstance(prompt, str) and 0 < len(prompt) <= 800),
        "photos both as bytes and as links": photos is None or links is None,
        "photos are not bare base64 texts in a list": photos is None or _are_photos(photos),
        "links are not texts in a list": links is None or _are_links(links),
        f"photos are not {rules.photos} in number": _count(photos or links) in rules.photos,
        "frames are neither 121 nor 241": fields.get("frames", 121) in (121, 241),
        "seed is no integer": type(fields.get("seed", -1)) is int,
        "unknown aspect_ratio": fields.get("aspect_ratio", "16:9")
        in ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
        "no or unknown template_id": "template_id" not in rules.more or fields.get("template_id") in CAMERAS,
        "no or unknown camera_strength": "camera_strength" not in rules.more
        or fields.get("camera_strength") in STRENGTHS,
    }
    return [mistake for mistake, fine in checks.items() if not fine]


def _count(photos: object) -> int:
    return len(photos) if isinstance(photos, list) else 0


def _are_photos(photos: object) -> bool:
    return isinstance(photos, list) and bool(photos) and all(_is_photo(photo) for photo in photos)


def _is_photo(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return raw.startswith((b"\x89PNG", b"\xff\xd8"))


def _are_links(links: object) -> bool:
    return isinstance(links, list) and all(isinstance(link, str) and "://" in link for link in links)
