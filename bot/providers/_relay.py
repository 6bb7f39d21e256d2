"""What both relays share: they run the software of the one-api family, so they complain and count alike.

An error comes as `{"code": "<word>", "message": "…", "data": null}` or as `{"error": {"message", "code"}}`.
What it means is decided by the HTTP status first, then by its text, then by its code: one relay sends
`local:quota_not_enough` with a 429 and a text about the load of its upstream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink
from bot.providers._fields import number_of, object_of, text_of
from bot.providers._http import Answer, Call, nothing_told, unreadable
from bot.providers._jimeng import refusal_in
from bot.request import VideoRequest, closest_ratio

LINK_KEEPS_S = 3600.0
"""No relay says how long its links live: as long as the shortest-lived ones of those behind it."""

_DEEPEST = 5
_LONGEST = 4000
"""Errors are searched this deep and this far: nothing that helps stands further on."""

_PASSED_ON = "fail_to_fetch_task"
"""The upstream's own error follows as text: what it says of keys and balances is not about ours."""
_MAY_EXIST = "do_request_failed"
"""The connection to the upstream broke when the job may have been begun."""

_Meaning = Literal[
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
_PATTERNS: tuple[tuple[_Meaning, str], ...] = (
    ("unclear", r"time(d? )?out|connection reset|超时"),
    ("no_slot", r"\b50430\b|concurrent limit"),
    ("busy", r"\b50429\b|reached api limit|too many requests|rate limit|saturated|饱和"),
    ("no_balance", r"(quota|balance|credits?)\b.{0,20}(not enough|insufficient|exhausted|too low)"),
    ("no_balance", r"(insufficient|not enough)\b.{0,20}(quota|balance|credit)|余额|额度"),
    ("no_channel", r"no available channel|get channel failed|无可用渠道"),
    ("no_model", r"model\b.{0,80}(not found|does not exist)"),
    ("denied", r"\b50400\b|access denied|model price"),
    ("fault", r"\b5050[01]\b"),
    ("not_found", r"task\b.{0,60}(not exist|not found)|任务不存在"),
)
_MEANINGS = tuple((meaning, re.compile(pattern)) for meaning, pattern in _PATTERNS)
"""The first that matches counts. Texts are compared in small letters, with spaces for underscores."""
_POLICY = re.compile(r"content.{0,20}polic|violat|moderat|sensitive|safety|unsafe|违规|敏感|审核")
"""A refusal that does not say what was refused."""
_FAILURES: Mapping[_Meaning | None, str] = {"no_slot": "busy", "busy": "busy", "fault": "provider_fault"}
"""Meanings that can be why a job failed, in our words."""
_MAY_RUN = frozenset({408, 409, 425, 499})
"""Of the 4xx, those that may answer a call which went through."""


class Standing(Enum):
    """What a relay's status word says of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_WORDS = {
    Standing.QUEUED: "not_start submitted queued pending",
    Standing.RUNNING: "in_progress processing running image_downloading video_generating "
    "video_generation_completed video_upsampling video_upsampling_completed",
    Standing.SUCCEEDED: "success succeeded completed",
    Standing.FAILED: "failure failed error cancelled canceled video_generation_failed "
    "video_upsampling_failed",
}
_STANDINGS = {word: standing for standing, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error answer says. Neither part is for a log: the text may quote anything."""

    code: str
    text: str


def links_of(photos: Sequence[Photo]) -> list[PhotoLink]:
    """The photos as links, the only form that relays take; Rejected for anything else."""
    links = [photo for photo in photos if isinstance(photo, PhotoLink)]
    if len(links) < len(photos):
        raise Rejected("photo_refused", "the bytes of a photo where a link to it is due")
    return links


def ratio_of(request: VideoRequest, links: Sequence[PhotoLink], ratios: Sequence[str]) -> str:
    """The ratio to send. Relays demand one with a photo too: then it is the one nearest to the photo's."""
    if request.ratio is None and links:
        return closest_ratio(links[0].width, links[0].height, ratios)
    return request.ratio or ratios[0]


def is_success(code: object) -> bool:
    """Whether a code is one of those that a relay has for success: `"success"`, in variants 0 or 200."""
    return text_of(code).lower() == "success" or number_of(code) in {0, 200}


def complaint_in(answer: Answer) -> Complaint | None:
    """The error of an answer, in either of its two forms; None where it has none."""
    error, code = answer.fields.get("error"), answer.fields.get("code")
    if error:
        inner = object_of(error)
        complaint = Complaint(_word(inner.get("code")), words_in(inner.get("message") if inner else error))
        return complaint if complaint.code or complaint.text else None
    if _word(code) and not is_success(code):
        return Complaint(_word(code), words_in(answer.fields.get("message")))
    return None


def read_id(answer: Answer, task_id: str | None, *, success: bool) -> Accepted:
    """The job that an answer to a submit names, if that says `success`; else the error that it means."""
    complaint = complaint_in(answer)
    if task_id and success and complaint is None and 200 <= answer.status < 300:
        return Accepted(task_id)
    if task_id:
        # An id beside an error: this does not prove a refusal.
        raise OutcomeUnknown("submit_unknown", f"HTTP {answer.status}, no success, and task {task_id}")
    raise unreadable(answer) if complaint is None else problem(answer, complaint)


def problem(answer: Answer, complaint: Complaint) -> ProviderError:
    """What an error means. On a look only a Rejected is about the job: its code is why there is no video."""
    detail = _detail(answer, complaint)
    meaning = _meaning(answer.status, complaint)
    ours = complaint.code != _PASSED_ON
    if complaint.code == _MAY_EXIST and answer.status != 429:
        return nothing_told(answer.call, detail)
    match meaning:
        case "no_slot" | "busy":
            return Unavailable(meaning, detail, retry_after_s=answer.retry_after_s)
        case "fault":
            return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
        case "no_channel" if answer.call is Call.SUBMIT:
            return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
        case "no_balance" | "key_refused":
            return AccountProblem("account", detail, trouble=meaning if ours else "account")
        case "denied" | "no_model":
            return AccountProblem("account", detail)
        case "not_found" if answer.call is Call.POLL and answer.status < 500:
            return Rejected("not_found", detail)
    refusal = refusal_in(f"{complaint.code} {complaint.text}")
    if refusal:
        return Rejected(refusal, detail)
    return _unexplained(answer, complaint, unclear=meaning == "unclear")


def verdict(answer: Answer, complaint: Complaint) -> Failed:
    """What an error answer to a look says of the job; raises where it says nothing of it."""
    error = problem(answer, complaint)
    if isinstance(error, Rejected):
        return Failed(error.code, error.detail)
    raise error


def standing(status: object) -> Standing:
    """What a status word says, in any case of letters. Only whole words count:
    `video_generation_completed` is a stage of a job that runs."""
    return _STANDINGS.get(text_of(status).strip().lower(), Standing.UNKNOWN)


def why(reason: str, otherwise: str) -> str:
    """Why there is no video: our word for what the relay says, `otherwise` where that is nothing known."""
    refusal = refusal_in(reason)
    if refusal:
        return refusal
    if _POLICY.search(_plain(reason)):
        return "refused"
    return _FAILURES.get(_meaning_of(reason), otherwise)


def body_of(value: object) -> Mapping[str, object]:
    """A JSON object, also one that arrives as text inside another; else an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return object_of(value)


def words_in(value: object, depth: int = _DEEPEST) -> str:
    """Code and message of an error, however often it is wrapped; only to be searched, never to be shown."""
    inner = body_of(value)
    if inner and depth:
        parts = (words_in(inner.get(name), depth - 1) for name in ("code", "message", "error", "data"))
        return " ".join(part for part in parts if part)
    return text_of(value)[:_LONGEST] or _word(value)


def _unexplained(answer: Answer, complaint: Complaint, *, unclear: bool) -> ProviderError:
    """An error whose words say nothing that we know."""
    detail = _detail(answer, complaint)
    if answer.status // 100 not in {2, 4} or answer.status in _MAY_RUN or (unclear and answer.status < 400):
        return nothing_told(answer.call, detail)
    refused = _POLICY.search(_plain(complaint.text)) is not None
    if answer.status in {403, 404, 405} and not refused:
        return AccountProblem("account", detail)
    if answer.call is Call.POLL:
        # A refused look is no refused job.
        return nothing_told(answer.call, detail)
    return Rejected("refused", detail)


def _meaning(status: int, complaint: Complaint) -> _Meaning | None:
    meaning = _meaning_of(complaint.text)
    # A refusal in the text outweighs the code too.
    if meaning is None and not refusal_in(complaint.text):
        meaning = _meaning_of(complaint.code)
    if status == 429:
        return "no_slot" if meaning == "no_slot" else "busy"
    if status == 401:
        return "no_balance" if meaning == "no_balance" else "key_refused"
    if status == 402:
        return "no_balance"
    if meaning == "no_model" and status >= 500:
        return "no_channel"
    return meaning


def _meaning_of(text: str) -> _Meaning | None:
    plain = _plain(text)
    return next((meaning for meaning, pattern in _MEANINGS if pattern.search(plain)), None)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


def _word(code: object) -> str:
    """A code as text: small letters, without the prefix of those that the relay itself gives."""
    number = number_of(code)
    word = text_of(code)[:_LONGEST].strip().lower()
    return word.removeprefix("local:") if number is None else str(number)


def _detail(answer: Answer, complaint: Complaint) -> str:
    """For the log. Of codes only plain words and numbers are told: anything else may be a secret."""
    plain = re.fullmatch(r"[a-z]+(_[a-z]+){0,7}|[0-9]{1,6}", complaint.code)
    return f"HTTP {answer.status}, code {complaint.code if plain else 'unknown'}"
