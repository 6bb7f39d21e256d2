"""Volcengine's request signature: V4-style HMAC-SHA256 over the exact bytes that are sent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account's key pair; `session_token` comes with temporary ones only."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def sign(
    credentials: Credentials,
    *,
    host: str,
    query: Sequence[tuple[str, str]],
    body: bytes,
    at: datetime,
    path: str = "/",
    method: str = "POST",
    content_type: str = "application/json",
    region: str = "cn-north-1",
    service: str = "cv",
) -> dict[str, str]:
    """Return the headers to send, all of them and unchanged. `host` keeps a port that is not the scheme's
    own.

    `path` is percent-encoded, as it is sent; `query` is not, and is sent as `canonical_query` writes it. `at`
    is the aware time of the call; the other side accepts some minutes of difference.
    """
    x_date = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"Content-Type": content_type, "Host": host, "X-Date": x_date, "X-Content-Sha256": digest}
    if credentials.session_token is not None:
        headers["X-Security-Token"] = credentials.session_token

    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    names = ";".join(name for name, _ in signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed)
    request = "\n".join((method, path, canonical_query(query), lines, names, digest))

    scope = f"{x_date[:8]}/{region}/{service}/request"
    to_sign = "\n".join(("HMAC-SHA256", x_date, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = credentials.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def canonical_query(query: Sequence[tuple[str, str]]) -> str:
    """Return the query as it is signed and must be sent: sorted, percent-encoded as RFC 3986 says."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query)
    )
