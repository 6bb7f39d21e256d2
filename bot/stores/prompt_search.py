"""Search of prompts for words, the same in every engine: what SQL knows of letters depends on its locale."""

from __future__ import annotations

import re
import unicodedata

SEARCHED = 500
"""How many of a person's newest videos are looked at."""
_ACCENTS = re.compile("[\u0300-\u036f]+")


def has_words(prompt: str | None, words: str) -> bool:
    """Return True if each of the words occurs in the prompt, whole or as a part, in any case and order, with
    or without accents."""
    text = _folded(prompt or "")
    return all(word in text for word in _folded(words).split())


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # A letter and its accent apart, so that the accent can go; the full forms of Asian keyboards as usual.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _ACCENTS.sub("", decomposed)
