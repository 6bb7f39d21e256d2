"""Chat defaults: the model that a chat has chosen, and what its choices add to a request. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.request import Mode, VideoModel, VideoRequest, fit_request
from bot.store import ChatSettings


def usual_model(settings: ChatSettings, models: Mapping[str, VideoModel], default: str) -> str:
    """Return the model for requests that name none: the chat's own if it is still set up, else the
    default."""
    return settings.model if settings.model is not None and settings.model in models else default


def usual_request(settings: ChatSettings, models: Mapping[str, VideoModel], default: str) -> VideoRequest:
    """Return the request that words alone would make in this chat, still without the words."""
    request = VideoRequest(model=usual_model(settings, models, default))
    model = models.get(request.model)
    return request if model is None else add_usual(request, settings, model)


def add_usual(request: VideoRequest, settings: ChatSettings, model: VideoModel) -> VideoRequest:
    """Return the request with the chat's choices for everything that it leaves open, as near as `model` can
    come.

    A photo that begins it has a shape of its own, for which a chosen ratio is no reason to cut it.
    """
    chosen = {
        "ratio": settings.ratio if request.mode in {Mode.TEXT, Mode.REFERENCES} else None,
        "seconds": settings.seconds,
        "resolution": settings.resolution,
        "audio": settings.audio,
    }
    left_open = [name for name in chosen if getattr(request, name) is None]
    fitted = fit_request(request.model_copy(update={name: chosen[name] for name in left_open}), model)
    return request.model_copy(update={name: getattr(fitted, name) for name in left_open})
