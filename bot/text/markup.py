"""Telegram's HTML: which tags a phrase may have, and how to remove them.

https://core.telegram.org/bots/api#html-style
"""

from __future__ import annotations

import html
import re

_ALLOWED = re.compile(
    r"/?(b|i|u|s|code|pre|tg-spoiler|blockquote)|blockquote expandable"
    r'|a href="(https?://|tg://|mailto:|\{)[^"<>\s]+"|/a'  # a brace: a link that is filled in
)
_TAG = re.compile(r"<(/?[a-z][^<>]*)>")
_BARE_AMPERSAND = re.compile(r"&(?!(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)")


def plain(text: str) -> str:
    """Return a phrase without HTML, for places such as the answer to a button press."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def units(text: str) -> int:
    """Return the length as Telegram counts it: without the HTML, in UTF-16 units."""
    return len(plain(text).encode("utf-16-le")) // 2


def markup_problems(text: str) -> list[str]:
    """Return why Telegram would refuse this HTML, as what follows "the phrase …"; empty if it would not."""
    problems = []
    still_open: list[str] = []
    for tag in _TAG.findall(text):
        name = tag.removeprefix("/").split()[0]
        if not _ALLOWED.fullmatch(tag):
            problems.append(f"has the tag <{tag}>, which Telegram does not take")
        elif not tag.startswith("/"):
            still_open.append(name)
        elif still_open and still_open[-1] == name:
            still_open.pop()
        else:
            problems.append(f"closes <{name}> where that is not the last one open")
    problems += [f"never closes <{name}>" for name in still_open]
    if re.search(r"[<>]", _TAG.sub("", text)):
        problems.append("has a < or > that is no tag: write &lt; or &gt;")
    if _BARE_AMPERSAND.search(text):
        problems.append("has a & by itself: write &amp;")
    return problems
