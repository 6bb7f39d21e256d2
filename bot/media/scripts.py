"""Which words of a prompt the preview cannot draw. Without Pillow, which the main process does not load."""

from __future__ import annotations

import unicodedata

_DRAWN = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"}
)


def undrawn_words(text: str) -> str:
    """Return the words with letters of scripts that the fonts in `fonts/` lack, in their order."""
    return " ".join(
        word for word in text.split() if any(map(_is_undrawn, unicodedata.normalize("NFKD", word)))
    )


def _is_undrawn(character: str) -> bool:
    if unicodedata.category(character) not in {"Ll", "Lu", "Lt", "Lo"}:
        return False
    return unicodedata.name(character, "UNKNOWN").split()[0] not in _DRAWN
