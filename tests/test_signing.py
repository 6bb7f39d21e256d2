"""Volcengine's signature, against vectors made with the official package."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bot.providers._signing import Credentials, canonical_query, sign

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "fixtures" / "volcengine_signing.json").read_text(encoding="utf-8")
)["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_headers_equal_the_vectors_byte_for_byte(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    body = base64.b64decode(given["body_utf8_base64"])
    assert body == given["body"].encode()

    headers = sign(
        _credentials(given),
        host=given["host"],
        path=given["path"],
        query=[(name, value) for name, value in given["query"]],
        method=given["method"],
        content_type=given["content_type"],
        region=given["region"],
        service=given["service"],
        body=body,
        at=_time(given["x_date"]),
    )

    assert headers == expected["headers"]
    assert hashlib.sha256(body).hexdigest() == expected["payload_sha256"]
    assert canonical_query([tuple(pair) for pair in given["query"]]) == expected["canonical_query"]


def test_the_time_zone_of_the_clock_does_not_matter() -> None:
    at = datetime(2025, 9, 1, 12, 43, 4, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=14)))
    assert _sign(at) == _sign(elsewhere)
    assert _sign(elsewhere)["X-Date"] == "20250901T124304Z"


def test_the_query_is_sorted_and_encoded_as_rfc_3986_says() -> None:
    query = [("b", "a b+c/~"), ("Action", "千"), ("a", "")]
    assert canonical_query(query) == "Action=%E5%8D%83&a=&b=a%20b%2Bc%2F~"


def test_a_port_of_its_own_changes_the_signature() -> None:
    at = datetime(2025, 9, 1, tzinfo=UTC)
    assert _sign(at, "example.org")["Authorization"] != _sign(at, "example.org:8080")["Authorization"]


def test_keys_do_not_show_in_the_repr() -> None:
    shown = repr(Credentials("AKEXAMPLE", "very-secret", "very-temporary"))
    assert shown == "Credentials()"


def _sign(at: datetime, host: str = "example.org") -> dict[str, str]:
    return sign(Credentials("AKEXAMPLE", "c2VjcmV0"), host=host, query=[("Action", "A")], body=b"{}", at=at)


def _credentials(given: dict[str, Any]) -> Credentials:
    return Credentials(given["access_key_id"], given["secret_access_key"], given.get("session_token"))


def _time(x_date: str) -> datetime:
    return datetime.strptime(x_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
