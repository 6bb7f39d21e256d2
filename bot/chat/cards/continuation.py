"""Continuation: the request that continues a video from its last frame. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.request import VideoModel, VideoRequest, check_request, fit_request, shown


def continuation(
    source: VideoRequest, video_id: str, models: Mapping[str, VideoModel], usual: str
) -> VideoRequest | None:
    """Return what `source` asked for as a request that continues a video: with its own model if that one can
    start from a picture, else with `usual`, else with any; None if none can. The words are still open.

    The shape is the video's. A camera move is not repeated, and a seed was for another picture.
    """
    wanted = source.model_copy(
        update={
            "prompt": "",
            "photos": (video_id,),
            "extends": video_id,
            **dict.fromkeys(("crop", "ratio", "seed", "camera", "strength", "loop")),
        }
    )
    for name in (source.model, usual, *shown(models)):
        if name in models:
            fitted = fit_request(wanted, models[name])
            if not check_request(fitted.model_copy(update={"prompt": "on"}), models[name]):
                return fitted
    return None
