"""Addresses that may hold a name and a password: read whatever signs these hold, and shown without them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_WITHOUT_ACCOUNT = re.compile(r"[^@/?#\s]+(?:/[^@?#]*)?(?:\?\w+=.*)?")
_WITH_ACCOUNT = re.compile(r"(?P<user>[^:@/?#]*)(?::(?P<password>.*))?@(?P<place>[^@]*)", re.DOTALL)
_AS_THEY_ARE = "%!$&'()*+,;=-._~"
"""Signs of a name or password that an address may hold as they are; a % begins what is quoted already."""


def quote_account(url: str) -> str:
    """Return `url` with its name and password quoted, so that every library reads the same.

    A password may be written as it is, with `/`, `@`, `[` or a space in it: the last `@` ends it. Raises
    ValueError if it is no address all the same; the error says nothing of it.
    """
    scheme, _, rest = url.partition("://")
    found = None if _WITHOUT_ACCOUNT.fullmatch(rest) else _WITH_ACCOUNT.fullmatch(rest)
    if found:
        account = quote(found["user"], safe=_AS_THEY_ARE)
        if found["password"] is not None:
            account += ":" + quote(found["password"], safe=_AS_THEY_ARE)
        rest = f"{account}@{found['place']}"
    quoted = f"{scheme}://{rest}"
    try:
        parts = urlsplit(quoted)
    except ValueError:  # brackets that are no IPv6 address
        raise ValueError("no address") from None
    if re.search(r"\s", quoted) or (found and not parts.hostname):
        raise ValueError("no address")
    return quoted


def without_account(url: str) -> str:
    """Return `url` as people may read it: without name, password and query."""
    scheme, sep, rest = url.partition("://")
    place = rest if _WITHOUT_ACCOUNT.fullmatch(rest) else rest.rpartition("@")[2]
    return f"{scheme}{sep}{re.split('[?#]', place)[0]}"


def passwords_in(url: str) -> set[str]:
    """Return the passwords in an address, quoted and as they are; none if it cannot be read."""
    try:
        parts = urlsplit(quote_account(url))
    except ValueError:
        return set()
    quoted = {parts.password} if parts.password else set()
    quoted |= {value for name, value in parse_qsl(parts.query) if "password" in name.lower()}
    return quoted | {unquote(password) for password in quoted}
