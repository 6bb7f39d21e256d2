"""Failure codes: why a task ended without a video, and what follows from that. Pure.

A code is also the key of its phrase (`bot/text/`) and names its buttons (`bot/chat/cards/next_steps.py`).
"""

from __future__ import annotations

from enum import StrEnum, auto


class FailureKind(StrEnum):
    INPUT_REFUSED = auto()
    """A provider refused the input before it made anything: the same order would be refused again."""
    RESULT_REFUSED = auto()
    """The result was refused, so a video was made."""
    OUTCOME_UNKNOWN = auto()
    """It is unknown if the job was accepted."""
    NO_ROOM = auto()
    """Not now: too many calls (50429), or too many jobs (50430)."""
    UNANSWERED = auto()
    """Says nothing about a request: the provider is down, or out of order."""
    LOST_ON_THE_WAY = auto()
    """The video was made. While the provider knows the job, it may be asked for it again, at no cost."""
    MEDIA_CRASHED = auto()
    """Work on a file did not end by itself. A file that led to that twice will do so again."""
    OTHER = auto()


class FailureCode(StrEnum):
    """Equals its string, which is stored with tasks and attempts and is the key of a phrase."""

    kind: FailureKind

    def __new__(cls, code: str, kind: FailureKind) -> FailureCode:
        member = str.__new__(cls, code)
        member._value_ = code
        member.kind = kind
        return member

    PHOTO_REFUSED = "photo_refused", FailureKind.INPUT_REFUSED
    PERSON_REFUSED = "person_refused", FailureKind.INPUT_REFUSED
    """The photo shows a real person, and the model takes none."""
    PHOTO_COPYRIGHT = "photo_copyright", FailureKind.INPUT_REFUSED
    PROMPT_REFUSED = "prompt_refused", FailureKind.INPUT_REFUSED
    PROMPT_SENSITIVE = "prompt_sensitive", FailureKind.INPUT_REFUSED
    INPUT_REFUSED = "input_refused", FailureKind.INPUT_REFUSED
    REFUSED = "refused", FailureKind.INPUT_REFUSED
    VIDEO_REFUSED = "video_refused", FailureKind.RESULT_REFUSED
    VIDEO_TEXT_REFUSED = "video_text_refused", FailureKind.RESULT_REFUSED
    AUDIO_REFUSED = "audio_refused", FailureKind.RESULT_REFUSED
    VIDEO_COPYRIGHT = "video_copyright", FailureKind.RESULT_REFUSED
    SUBMIT_UNKNOWN = "submit_unknown", FailureKind.OUTCOME_UNKNOWN
    BUSY = "busy", FailureKind.NO_ROOM
    NO_SLOT = "no_slot", FailureKind.NO_ROOM
    UNREACHABLE = "unreachable", FailureKind.UNANSWERED
    """No task ends with it: the call is made again."""
    PROVIDER_FAULT = "provider_fault", FailureKind.UNANSWERED
    ACCOUNT = "account", FailureKind.OTHER
    MODEL_GONE = "model_gone", FailureKind.OTHER
    PREVIEW_FAILED = "preview_failed", FailureKind.OTHER
    DISK_FULL = "disk_full", FailureKind.OTHER
    """The disk of this machine takes nothing: full, read-only or broken."""
    EXPIRED = "expired", FailureKind.OTHER
    NOT_FOUND = "not_found", FailureKind.OTHER
    NO_VIDEO = "no_video", FailureKind.LOST_ON_THE_WAY
    LINK_EXPIRED = "link_expired", FailureKind.LOST_ON_THE_WAY
    LINK_REFUSED = "link_refused", FailureKind.LOST_ON_THE_WAY
    FETCH_FAILED = "fetch_failed", FailureKind.LOST_ON_THE_WAY
    NOT_A_VIDEO = "not_a_video", FailureKind.LOST_ON_THE_WAY
    NOT_DELIVERED = "not_delivered", FailureKind.LOST_ON_THE_WAY
    TOO_LARGE = "too_large", FailureKind.OTHER
    PHOTO_GONE = "photo_gone", FailureKind.OTHER
    NOT_A_PHOTO = "not_a_photo", FailureKind.OTHER
    PHOTO_TOO_SMALL = "photo_too_small", FailureKind.OTHER
    PHOTO_TOO_LONG = "photo_too_long", FailureKind.OTHER
    PHOTO_TOO_LARGE = "photo_too_large", FailureKind.OTHER
    MEDIA_TIMEOUT = "media_timeout", FailureKind.MEDIA_CRASHED
    MEDIA_CRASHED = "media_crashed", FailureKind.MEDIA_CRASHED


def _of(*kinds: FailureKind) -> frozenset[FailureCode]:
    return frozenset(code for code in FailureCode if code.kind in kinds)


INPUT_REFUSED = _of(FailureKind.INPUT_REFUSED)
RESULT_REFUSED = _of(FailureKind.RESULT_REFUSED)
PERHAPS_CHARGED = _of(FailureKind.RESULT_REFUSED, FailureKind.OUTCOME_UNKNOWN)
"""Failures that do not prove that nothing was paid, even if no id came."""
NO_ROOM = _of(FailureKind.NO_ROOM)
UNANSWERED = _of(FailureKind.UNANSWERED)
FETCHABLE = _of(FailureKind.LOST_ON_THE_WAY)
UNFETCHED = frozenset(
    {FailureCode.FETCH_FAILED, FailureCode.LINK_EXPIRED, FailureCode.LINK_REFUSED, FailureCode.NOT_A_VIDEO}
)
"""The codes of a finished video that its provider does not serve."""
DOUBTED = frozenset({FailureCode.PROVIDER_FAULT, FailureCode.NOT_FOUND, FailureCode.NO_VIDEO})
"""The codes that a broken server of a provider may report for a paid job that has not failed."""
CRASHES = _of(FailureKind.MEDIA_CRASHED)
