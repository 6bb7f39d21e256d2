"""Remedies: what a person may do next when there is no video, for each code that ends a task. Pure.

None of them happens by itself: each is a button, and what it starts is an order of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.request import VideoModel, VideoRequest, alternatives

_MODELS_OFFERED = 3


class NextStep(StrEnum):
    """The value is the verb of its button."""

    FETCH = "fetch"
    """The video that was made, fetched once more: free, while its provider knows the job."""
    PHOTO = "photo"
    """The same with another photo."""
    WORDS = "words"
    """The same with other words."""
    PLAIN = "plain"
    """The same words without the photo."""
    AGAIN = "again"
    """The very same once more: only where it may end differently."""
    MODEL = "with"
    """The very same with another model that can do it."""


_FETCH, _PHOTO, _WORDS, _PLAIN, _AGAIN, _MODEL = NextStep

REMEDIES: Mapping[str, tuple[NextStep, ...]] = {
    # The input was refused: the same input ends the same way.
    "photo_refused": (_PHOTO, _PLAIN, _MODEL),
    "photo_copyright": (_PHOTO, _PLAIN, _MODEL),
    # Beside a photo the same words are judged differently.
    "prompt_refused": (_WORDS, _PLAIN, _MODEL),
    "prompt_sensitive": (_WORDS, _PLAIN, _MODEL),
    "input_refused": (_WORDS, _PHOTO, _PLAIN, _MODEL),
    "refused": (_WORDS, _PHOTO, _PLAIN, _MODEL),
    # The result was refused. Text in it is judged alike each time; the rest may turn out differently.
    "video_text_refused": (_WORDS, _PHOTO, _MODEL),
    "video_refused": (_WORDS, _PHOTO, _AGAIN, _MODEL),
    "audio_refused": (_WORDS, _PHOTO, _AGAIN, _MODEL),
    "video_copyright": (_WORDS, _PHOTO, _AGAIN, _MODEL),
    # The provider had trouble.
    "busy": (_AGAIN, _MODEL),
    "no_slot": (_AGAIN, _MODEL),
    "provider_fault": (_AGAIN, _MODEL),
    "account": (_AGAIN, _MODEL),
    "model_gone": (_MODEL,),
    "preview_failed": (_AGAIN,),
    # It may have been bought already: nothing that makes a second purchase look like a way around.
    "submit_unknown": (_AGAIN,),
    # It was made and is lost.
    "no_video": (_FETCH, _AGAIN, _MODEL),
    "expired": (_AGAIN, _MODEL),
    "not_found": (_AGAIN, _MODEL),
    "link_expired": (_FETCH, _AGAIN, _MODEL),
    "link_refused": (_FETCH, _AGAIN, _MODEL),
    "fetch_failed": (_FETCH, _AGAIN, _MODEL),
    "not_a_video": (_FETCH, _AGAIN, _MODEL),
    "not_delivered": (_FETCH, _AGAIN),
    "too_large": (),
    # The photo cannot be used, whoever makes the video.
    "photo_gone": (_PHOTO,),
    "not_a_photo": (_PHOTO,),
    "photo_too_small": (_PHOTO,),
    "photo_too_long": (_PHOTO,),
    "photo_too_large": (_PHOTO,),
    "media_timeout": (_PHOTO,),
    "media_crashed": (_PHOTO,),
    "disk_full": (_AGAIN,),
}
RESULT_REFUSED = frozenset({"video_refused", "audio_refused", "video_copyright"})
"""A repeat may end well, and is a new bill."""


def next_steps(code: str, request: VideoRequest) -> tuple[NextStep, ...]:
    """What makes sense for this request. A code that nobody foresaw is told as a fault of the provider."""
    there = {
        _FETCH: True,
        _PHOTO: len(request.photos) == 1,
        _WORDS: bool(request.prompt),
        _PLAIN: bool(request.photos and request.prompt) and request.camera is None,
        _AGAIN: True,
        _MODEL: True,
    }
    return tuple(one for one in REMEDIES.get(code, REMEDIES["provider_fault"]) if there[one])


def other_models(request: VideoRequest, models: Mapping[str, VideoModel]) -> list[str]:
    """Up to three models that can make the very same request. Those of other companies come first: who sells
    the same thing judges alike, and breaks down together."""
    chosen = models.get(request.model)
    company = chosen.company if chosen else None
    names = sorted(alternatives(request, models), key=lambda name: models[name].company == company)
    return names[:_MODELS_OFFERED]
