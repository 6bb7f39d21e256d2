"""Volcengine's gateway: what its errors mean, which come before the service sees a call."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import AccountProblem, Trouble, Unavailable
from bot.providers.wire.fields import number_of, object_of, text_of
from bot.providers.wire.http import Answer, unclear, unreadable

_FAULTS = frozenset({100014, 100016})
"""The call may have got through to the service before the gateway gave up."""

_REFUSALS: Mapping[int, tuple[Trouble, str]] = {
    100002: ("account", "Action or Version did not arrive"),
    100003: ("key_refused", "the credentials did not arrive"),
    100004: ("account", "the request arrived incomplete"),
    100005: ("key_refused", "the signature did not arrive"),
    100006: ("wrong_clock", "the signature is out of time: set this machine's clock"),
    100007: ("account", "the service of the signature is unknown"),
    100008: ("account", "Action or Version is unknown"),
    100009: ("key_refused", "the access key id is unknown"),
    100010: ("key_refused", "the signature does not match: check the secret access key"),
    100012: ("key_refused", "the access key has no policy for this service"),
    100013: ("key_refused", "the sub-account is not allowed to call this service"),
    100024: ("key_refused", "the Authorization header is malformed"),
}
_NAMES = {
    "MissingParameter": 100002,
    "MissingAuthenticationToken": 100003,
    "MissingRequestInfo": 100004,
    "MissingSignature": 100005,
    "InvalidTimestamp": 100006,
    "ServiceNotFound": 100007,
    "InvalidActionOrVersion": 100008,
    "InvalidAccessKey": 100009,
    "SignatureDoesNotMatch": 100010,
    "LackPolicy": 100012,
    "AccessDenied": 100013,
    "InternalError": 100014,
    "InternalServiceTimeout": 100016,
    "InvalidAuthorization": 100024,
}
"""For answers that have lost the number on their way."""


def check_gateway(answer: Answer) -> None:
    """Raise what a gateway error means. If there is one, no other field of the answer counts."""
    error = object_of(answer.fields.get("ResponseMetadata")).get("Error")
    if error is None:
        return
    name = text_of(object_of(error).get("Code"))
    number = number_of(object_of(error).get("CodeN")) or _NAMES.get(name)
    # Never the gateway's own message: that of 100009 repeats the access key.
    detail = f"gateway error {number}, HTTP {answer.status}"
    if answer.status == 429:
        raise Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if number is not None and number in _REFUSALS:
        trouble, hint = _REFUSALS[number]
        raise AccountProblem("account", f"{detail}: {hint}", trouble=trouble)
    if number is None:
        raise unreadable(answer)
    if number in _FAULTS or answer.status >= 500:
        raise unclear(answer, detail)
    raise AccountProblem("account", detail)
