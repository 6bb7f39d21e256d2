"""Requests and models: what is asked for, what is offered, and whether the one can be made by the other."""

from __future__ import annotations

from bot.request.check import Problem, alternatives, check_photo, check_request
from bot.request.fit import closest_ratio, fit_request, keeps_photo_shape, settle, style_options
from bot.request.model import (
    CAMERAS,
    STRENGTHS,
    Exclusion,
    Mode,
    PhotoRules,
    VideoModel,
    can_sound,
    lines_of,
    listed_seconds,
    newest,
    resolutions_for,
    seconds_for,
    shown,
)
from bot.request.video_request import MOST_AT_ONCE, RANDOM_SEED, Crop, VideoRequest

__all__ = [
    "CAMERAS",
    "MOST_AT_ONCE",
    "RANDOM_SEED",
    "STRENGTHS",
    "Crop",
    "Exclusion",
    "Mode",
    "PhotoRules",
    "Problem",
    "VideoModel",
    "VideoRequest",
    "alternatives",
    "can_sound",
    "check_photo",
    "check_request",
    "closest_ratio",
    "fit_request",
    "keeps_photo_shape",
    "lines_of",
    "listed_seconds",
    "newest",
    "resolutions_for",
    "seconds_for",
    "settle",
    "shown",
    "style_options",
]
