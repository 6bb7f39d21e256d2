"""Next steps: what a person may do when there is no video, for each failure code. Pure.

None of them happens by itself: each is a button, and it starts an order of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.codes import FailureCode
from bot.request import VideoModel, VideoRequest, alternatives

_MODELS_OFFERED = 3


class NextStep(StrEnum):
    """The value is the verb of its button."""

    FETCH = "fetch"
    """Fetch the video that was made again: free, while its provider knows the job."""
    PHOTO = "photo"
    """The same request with another photo."""
    WORDS = "words"
    """The same request with other words."""
    PLAIN = "plain"
    """The same words without the photo."""
    AGAIN = "again"
    """The same request again: only if it may end differently."""
    MODEL = "with"
    """The same request with another model that can make it."""


_FETCH, _PHOTO, _WORDS, _PLAIN, _AGAIN, _MODEL = NextStep

NEXT_STEPS: Mapping[str, tuple[NextStep, ...]] = {
    # The input was refused: it would be refused again.
    FailureCode.PHOTO_REFUSED: (_PHOTO, _PLAIN, _MODEL),
    FailureCode.PERSON_REFUSED: (_MODEL, _PHOTO, _PLAIN),
    FailureCode.PHOTO_COPYRIGHT: (_PHOTO, _PLAIN, _MODEL),
    # A provider judges the same words differently without the photo.
    FailureCode.PROMPT_REFUSED: (_WORDS, _PLAIN, _MODEL),
    FailureCode.PROMPT_SENSITIVE: (_WORDS, _PLAIN, _MODEL),
    FailureCode.INPUT_REFUSED: (_WORDS, _PHOTO, _PLAIN, _MODEL),
    FailureCode.REFUSED: (_WORDS, _PHOTO, _PLAIN, _MODEL),
    # The result was refused. Text in it is refused each time; the rest may turn out differently.
    FailureCode.VIDEO_TEXT_REFUSED: (_WORDS, _PHOTO, _MODEL),
    FailureCode.VIDEO_REFUSED: (_WORDS, _PHOTO, _AGAIN, _MODEL),
    FailureCode.AUDIO_REFUSED: (_WORDS, _PHOTO, _AGAIN, _MODEL),
    FailureCode.VIDEO_COPYRIGHT: (_WORDS, _PHOTO, _AGAIN, _MODEL),
    # The provider had trouble.
    FailureCode.BUSY: (_AGAIN, _MODEL),
    FailureCode.NO_SLOT: (_AGAIN, _MODEL),
    FailureCode.PROVIDER_FAULT: (_AGAIN, _MODEL),
    FailureCode.ACCOUNT: (_AGAIN, _MODEL),
    FailureCode.MODEL_GONE: (_MODEL,),
    FailureCode.PREVIEW_FAILED: (_AGAIN,),
    # It may have been bought already: no step that makes a second purchase look like a way out.
    FailureCode.SUBMIT_UNKNOWN: (_AGAIN,),
    # It was made, and the video is lost.
    FailureCode.NO_VIDEO: (_FETCH, _AGAIN, _MODEL),
    FailureCode.EXPIRED: (_AGAIN, _MODEL),
    FailureCode.NOT_FOUND: (_AGAIN, _MODEL),
    FailureCode.LINK_EXPIRED: (_FETCH, _AGAIN, _MODEL),
    FailureCode.LINK_REFUSED: (_FETCH, _AGAIN, _MODEL),
    FailureCode.FETCH_FAILED: (_FETCH, _AGAIN, _MODEL),
    FailureCode.NOT_A_VIDEO: (_FETCH, _AGAIN, _MODEL),
    FailureCode.NOT_DELIVERED: (_FETCH, _AGAIN),
    FailureCode.TOO_LARGE: (),
    # No provider can use the photo.
    FailureCode.PHOTO_GONE: (_PHOTO,),
    FailureCode.NOT_A_PHOTO: (_PHOTO,),
    FailureCode.PHOTO_TOO_SMALL: (_PHOTO,),
    FailureCode.PHOTO_TOO_LONG: (_PHOTO,),
    FailureCode.PHOTO_TOO_LARGE: (_PHOTO,),
    FailureCode.MEDIA_TIMEOUT: (_PHOTO,),
    FailureCode.MEDIA_CRASHED: (_PHOTO,),
    FailureCode.DISK_FULL: (_AGAIN,),
}


def next_steps(code: str, request: VideoRequest) -> tuple[NextStep, ...]:
    """Return the steps that make sense for this request. An unknown code counts as a fault of the
    provider."""
    there = {
        _FETCH: True,
        _PHOTO: len(request.photos) == 1,
        _WORDS: bool(request.prompt),
        _PLAIN: bool(request.photos and request.prompt) and request.camera is None,
        _AGAIN: True,
        _MODEL: True,
    }
    return tuple(one for one in NEXT_STEPS.get(code, NEXT_STEPS[FailureCode.PROVIDER_FAULT]) if there[one])


def other_models(request: VideoRequest, models: Mapping[str, VideoModel], code: str = "") -> list[str]:
    """Return up to three models that can make the same request, after a failure with this code.

    Models of other companies come first: those of one company refuse the same things and fail together.
    """
    chosen = models.get(request.model)
    company = chosen.company if chosen else None
    names = alternatives(request, models)
    if code == FailureCode.PERSON_REFUSED:
        names = [name for name in names if models[name].takes_people]
    names.sort(key=lambda name: models[name].company == company)
    return names[:_MODELS_OFFERED]
