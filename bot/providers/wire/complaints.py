"""What the errors of the one-api family mean: relays and gateways complain alike.

An error comes as `{"code": "<word>", "message": "…", "data": null}` or as `{"error": {"message", "code"}}`.
What it means is decided by the HTTP status first, then by its text, then by its code: one relay sends
`local:quota_not_enough` with a 429 and a text about the load of its upstream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.errors import AccountProblem, ProviderError, Rejected, Unavailable
from bot.provider import Failed
from bot.providers.wire.fields import is_success, number_of, object_of, text_of
from bot.providers.wire.http import NOT_PASSED_ON, Answer, Call, unclear, unreadable
from bot.providers.wire.ids import may_name_a_job
from bot.providers.wire.job_record import body_of, walk
from bot.providers.wire.reasons import named_refusal_in, refused_in

_DEEPEST = 5
_LONGEST = 4000
"""Errors are searched this deep and this far: nothing that helps stands further on."""

_PASSED_ON = "fail_to_fetch_task"
"""The upstream's own error follows as text: what it says of keys and balances is not about ours."""
_MAY_EXIST = "do_request_failed"
"""The connection to the upstream broke when the job may have been begun."""

Meaning = Literal[
    "unclear",
    "no_slot",
    "busy",
    "no_balance",
    "key_refused",
    "no_channel",
    "no_model",
    "denied",
    "fault",
    "not_found",
]
_PATTERNS: tuple[tuple[Meaning, str], ...] = (
    ("unclear", r"time(d? )?out|connection reset|超时"),
    ("no_slot", r"\b50430\b|concurrent limit|concurrency limit"),
    ("busy", r"\b50429\b|reached api limit|too many requests|rate limit|throttl|saturated|饱和|频繁|限流"),
    ("no_balance", r"(quota|balance|credits?)\b.{0,20}(not enough|insufficient|exhausted|too low)"),
    ("no_balance", r"(insufficient|not enough)\b.{0,20}(quota|balance|credit)|余额|额度"),
    ("no_channel", r"no available channel|get channel failed|无可用渠道"),
    (
        "no_model",
        r"model\b(?! price).{0,80}(not found|does not exist)|模型.{0,40}(不存在|下线|下架|停用)"
        r"|\bmodel:? ?\S{0,80} (is |was |has been )?(currently |now )?(not (exist|available|supported|sold)"
        r"|unavailable|unsupported|taken (off ?line|down)|off ?line|off sale|no longer|deprecated|retired"
        r"|discontinued|disabled|removed|sunset)|(unknown|unsupported|invalid|no such) model\b",
    ),
    ("denied", r"\b50400\b|access denied|model price"),
    (
        "key_refused",
        r"\bauth(entication)? failed|failed to auth|unauthori[sz]ed"
        r"|(invalid|incorrect|wrong) (api ?)?(key|token)\b"
        r"|(api ?)?key (not found|expired|revoked|invalid)|invalid signature|无效的?(令牌|密钥)",
    ),
    ("fault", r"\b5050[01]\b"),
    ("not_found", r"task\b.{0,60}(not exist|not found)|任务不存在"),
)
_MEANINGS = tuple((meaning, re.compile(pattern)) for meaning, pattern in _PATTERNS)
"""The first that matches counts. Texts are compared in small letters, with spaces for underscores."""
_NO_ROOM_BY_DOCUMENT = re.compile(r"\b504(29|30)\b|request has reached api (concurrent )?limit")
"""Volcengine's own words for a call that it did not take: nothing was made."""
_WORD_NAMES = (
    *("code", "message", "error", "fail_reason", "failure_reason", "video_generation_error"),
    *("error_message", "error_msg", "reason", "msg", "data"),
)
"""Under these names errors, and records of failed jobs, hold their words."""
_REASON_NAME = re.compile(r"err|fail|reason|message|msg|code$|^detail$")
_MAY_RUN = frozenset({408, 409, 425, 499})
"""Of the 4xx, those that may answer a call which went through."""
_NO_REASON = re.compile(r"(?:\w+ ){0,5}(?:failed|failure|error|fail|unknown)|(?:任务|生成|视频生成)?失败")
"""A reason that is none: what stands elsewhere may say more."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What an error answer says. Neither part is for a log: the text may quote anything."""

    code: str
    text: str


def complaint_in(answer: Answer) -> ErrorReport | None:
    """Return the error of an answer, in either of its two forms; None if it has none."""
    error, code = answer.fields.get("error"), answer.fields.get("code")
    if error:
        inner = object_of(error)
        complaint = ErrorReport(_word(inner.get("code")), words_in(_said(inner) if inner else error))
        return None if is_success(complaint.code) or complaint == ErrorReport("", "") else complaint
    if (_word(code) and not is_success(code)) or answer.fields.get("success") is False:
        return ErrorReport(_word(code), words_in(_said(answer.fields)))
    return None


def problem(answer: Answer, complaint: ErrorReport) -> ProviderError:
    """Return what an error means. After a poll only a Rejected is about the job: its code says why there is
    no video."""
    answer = replace(answer, status=answer.told_status)
    detail = _detail(answer, complaint)
    meaning = _meaning(answer.status, complaint)
    ours = complaint.code != _PASSED_ON
    if complaint.code == _MAY_EXIST and answer.status != 429:
        return unclear(answer, detail)
    match meaning:
        case "no_slot" | "busy":
            return Unavailable(meaning, detail, retry_after_s=answer.retry_after_s)
        case "fault":
            return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
        case "no_channel" if answer.call is Call.SUBMIT:
            return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
        case "no_balance" | "key_refused":
            return AccountProblem("account", detail, trouble=meaning if ours else "account")
        case "no_model":
            return AccountProblem("model_gone", detail, trouble="model_gone")
        case "denied":
            return AccountProblem("account", detail)
        case "not_found" if answer.call is Call.POLL and answer.status < 500:
            return Rejected("not_found", detail)
    refusal = named_refusal_in(f"{complaint.code} {complaint.text}")
    if refusal:
        return Rejected(refusal, detail)
    return _unexplained(answer, complaint, is_unclear=meaning == "unclear")


def verdict(answer: Answer, complaint: ErrorReport) -> Failed:
    """Return what an error answer to a poll says of the job. Raises the error if it says nothing of it."""
    error = problem(answer, complaint)
    if isinstance(error, Rejected):
        return Failed(error.code, error.detail)
    raise error


def why(reason: str, otherwise: str, detail: str) -> Failed:
    """Return why an accepted job gave no video: `otherwise` if the reason is unknown.

    That there was no room is final unless Volcengine's own words say so: only those prove that nothing was
    made, so that the job may be ordered once more.
    """
    refusal = refused_in(reason)
    if refusal:
        return Failed(refusal, detail)
    match meaning_of(reason):
        case "no_slot" | "busy":
            return Failed("busy", detail, final=_NO_ROOM_BY_DOCUMENT.search(_plain(reason)) is None)
        case "fault":
            return Failed("provider_fault", detail)
    return Failed(otherwise, detail)


def meaning_of(text: str) -> Meaning | None:
    """Return what a text says of the operator's account, of the relay or of its load; None if nothing."""
    plain = _plain(text)
    return next((meaning for meaning, pattern in _MEANINGS if pattern.search(plain)), None)


def is_empty_reason(text: str) -> bool:
    """Return True if a reason only repeats that something failed."""
    if refused_in(text) or meaning_of(text):
        return False
    return not text.strip() or _NO_REASON.fullmatch(_plain(text).rstrip(".!。 ")) is not None


def reasons_in(record: Mapping[str, object]) -> str:
    """Return all that a record says under any name for a reason; only to be searched, never to be shown."""
    said = (
        text_of(value)[:_LONGEST] or _word(value)
        for name, value in walk(record)
        # A detail may quote the prompt.
        if _REASON_NAME.search(name.rpartition(".")[2]) and ".details" not in name
    )
    return " ".join(text for text in said if text and not is_empty_reason(text))[:_LONGEST]


def words_in(value: object, depth: int = _DEEPEST) -> str:
    """Return code and message of an error, however often it is wrapped; only to be searched, never to be
    shown."""
    inner = body_of(value)
    if inner and depth:
        parts = (words_in(inner.get(name), depth - 1) for name in _WORD_NAMES)
        return " ".join(part for part in parts if part)
    return text_of(value)[:_LONGEST] or _word(value)


def _unexplained(answer: Answer, complaint: ErrorReport, *, is_unclear: bool) -> ProviderError:
    """Return the error for words that no document has."""
    detail = _detail(answer, complaint)
    if (
        answer.status // 100 not in {2, 4}
        or answer.status in _MAY_RUN
        or (is_unclear and answer.status < 400)
    ):
        return unclear(answer, detail)
    refusal = refused_in(complaint.text)
    if answer.status == 413:
        return unreadable(answer)
    if answer.status in {403, 404, 405} and refusal is None:
        trouble = NOT_PASSED_ON[answer.status] if answer.status != 403 else "account"
        return AccountProblem("account", detail, trouble=trouble)
    if answer.call is Call.POLL or may_name_a_job(answer.fields):
        # A refused look is no refused job, and what may be an id is no refusal.
        return unclear(answer, detail)
    return Rejected(refusal or "refused", detail)


def _meaning(status: int, complaint: ErrorReport) -> Meaning | None:
    meaning = meaning_of(complaint.text)
    # A refusal in the text outweighs the code too.
    if meaning is None and not named_refusal_in(complaint.text):
        meaning = meaning_of(complaint.code)
    if status == 429:
        return "no_slot" if meaning == "no_slot" else "busy"
    if status == 401:
        return "no_balance" if meaning == "no_balance" else "key_refused"
    if status == 402:
        return "no_balance"
    if status >= 500:
        # A model may be out of channels for a while; and whose key was refused nobody says.
        if meaning == "key_refused":
            return None
        return "no_channel" if meaning == "no_model" else meaning
    return meaning


def _said(error: Mapping[str, object]) -> object:
    return next((value for name in ("message", "msg", "description") if (value := error.get(name))), None)


def _plain(text: str) -> str:
    """Return a text in small letters and single words, if they were joined by underscores or by capitals."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text).lower().split())


def _word(code: object) -> str:
    """Return a code as text: small letters, without the prefix of the relay's own codes."""
    number = number_of(code)
    word = text_of(code)[:_LONGEST].strip().lower()
    return word.removeprefix("local:") if number is None else str(number)


def _detail(answer: Answer, complaint: ErrorReport) -> str:
    """Return the detail for the log. Of codes only plain words and numbers are told: anything else may be a
    secret."""
    plain = re.fullmatch(r"[a-z]+(_[a-z]+){0,7}|[0-9]{1,6}", complaint.code)
    return f"HTTP {answer.status}, code {complaint.code if plain else 'unknown'}"
