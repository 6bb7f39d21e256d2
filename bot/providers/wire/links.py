"""Read a link to a video as providers and the servers between write it."""

from __future__ import annotations

import re

from yarl import URL

_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_AROUND = " \t\r\n\v\f\xa0\u200b\u2060\ufeff\"'`<>"
_NAMED_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", re.IGNORECASE)


def as_written(text: str) -> str:
    """Return a link as its server wrote it, without what HTML, JSON and chats did to it on its way: space and
    quotes around it, line breaks in it, `&amp;`, `\\/`, a missing `https:`."""
    text = _cleaned(text)
    return f"https:{text}" if text.startswith("//") else text


def read_link(text: str, origin: URL | None = None) -> URL | None:
    """Return the http address that a text is, None if it is none. `origin` is where a relative one was
    found."""
    text = _cleaned(text) if origin else as_written(text)
    if origin is None and _NAMED_HOST.match(text):
        text = f"https://{text}"
    try:
        # Signed links are used to the letter: quoting them again could break their signature.
        url = URL(text, encoded=re.fullmatch(r"[\x21-\x7e]+", text) is not None)
        url = origin.join(url) if origin else url
        is_usable = url.scheme in {"http", "https"} and url.host and url.port
    except ValueError:
        return None
    return url if is_usable else None


def _cleaned(text: str) -> str:
    text = re.sub(r"[\r\n\t]+", "", text.strip(_AROUND)).replace("\\/", "/").replace("\\u0026", "&")
    while (plain := _AMPERSAND.sub("&", text)) != text:
        text = plain
    return text
