"""Volcengine's signature, against stored vectors and against the official package itself."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

# The official package ships without types.
from volcengine.auth.SignerV4 import SignerV4  # type: ignore[import-untyped]
from volcengine.auth.SignParam import SignParam  # type: ignore[import-untyped]
from volcengine.base.Request import Request  # type: ignore[import-untyped]
from volcengine.Credentials import Credentials as OfficialCredentials  # type: ignore[import-untyped]

from bot.providers.wire.signing import Credentials, canonical_query, sign

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "volcengine_signing.json").read_text(encoding="utf-8")
)["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_headers_equal_the_vectors_byte_for_byte(vector: dict[str, Any]) -> None:
    inputs, expected = vector["input"], vector["expected"]
    body = base64.b64decode(inputs["body_utf8_base64"])
    assert body == inputs["body"].encode()

    headers = sign(
        _credentials(inputs),
        host=inputs["host"],
        path=inputs["path"],
        query=[(name, value) for name, value in inputs["query"]],
        method=inputs["method"],
        content_type=inputs["content_type"],
        region=inputs["region"],
        service=inputs["service"],
        body=body,
        at=_time(inputs["x_date"]),
    )

    assert headers == expected["headers"]
    assert hashlib.sha256(body).hexdigest() == expected["payload_sha256"]
    assert canonical_query([tuple(pair) for pair in inputs["query"]]) == expected["canonical_query"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TOKEN = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
CREDENTIALS = st.builds(Credentials, TOKEN, TEXT, st.none() | TOKEN)
HOSTS = st.sampled_from(["visual.volcengineapi.com", "127.0.0.1:8080", "example.org"])
QUERIES = st.dictionaries(TEXT, TEXT, max_size=4)


@example(Credentials("AK", "c2Vj=="), "example.org", "a b+c/~%", {"b": "a b+c/~", "B": "千", "": "%"}, b"")
@given(CREDENTIALS, HOSTS, TEXT, QUERIES, st.binary(max_size=200) | TEXT.map(str.encode))
def test_headers_equal_those_of_the_official_package(
    credentials: Credentials, host: str, path: str, query: dict[str, str], body: bytes
) -> None:
    request = Request()
    request.set_method("POST")
    request.set_path(f"/{path}")
    request.set_query(query)
    request.set_body(body)
    request.set_headers({"Content-Type": "application/json", "Host": host})
    SignerV4.sign(request, _official(credentials))

    ours = sign(
        credentials,
        host=host,
        path=quote(f"/{path}"),
        query=list(query.items()),
        body=body,
        # The package reads a clock of its own.
        at=_time(request.headers["X-Date"]),
    )

    assert ours == request.headers


@given(
    CREDENTIALS,
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(hours=-14), timedelta(hours=14)),
)
def test_the_signature_of_any_date_and_time_zone_is_that_of_the_official_package(
    credentials: Credentials, at: datetime, offset: timedelta
) -> None:
    param = SignParam()
    param.set_method("POST")
    param.set_date(at)
    param.set_query({"Action": "CVSync2AsyncGetResult", "Version": "2022-08-31"})
    param.set_body(b"{}")
    param.set_header_list({"Content-Type": "application/json", "Host": "example.org"})
    official = SignerV4.sign_only(param, _official(credentials))

    ours = sign(
        credentials,
        host="example.org",
        query=list(param.query.items()),
        body=b"{}",
        at=at.astimezone(timezone(offset)),
    )

    assert ours["X-Date"] == official.xdate
    assert ours["Authorization"] == official.authorization


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


def _official(credentials: Credentials) -> OfficialCredentials:
    return OfficialCredentials(
        credentials.access_key_id,
        credentials.secret_access_key,
        "cv",
        "cn-north-1",
        credentials.session_token or "",
    )


def _credentials(inputs: dict[str, Any]) -> Credentials:
    return Credentials(inputs["access_key_id"], inputs["secret_access_key"], inputs.get("session_token"))


def _time(x_date: str) -> datetime:
    return datetime.strptime(x_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
