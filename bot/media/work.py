"""The work that `process.run_in_process` does, by name: its codecs are loaded in the worker processes alone.

In the main process, which never uses them, they were a fifth of all its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.media.chart import draw_chart
    from bot.media.crop_pair import draw_crops
    from bot.media.film import film_photo, film_words
    from bot.media.frames import last_frame
    from bot.media.join import join_videos, shrink_video
    from bot.media.photos import normalise_photo, photo_size
    from bot.media.videos import prepare_video, probe_video, take_video

__all__ = [
    "draw_chart",
    "draw_crops",
    "film_photo",
    "film_words",
    "join_videos",
    "last_frame",
    "normalise_photo",
    "photo_size",
    "prepare_video",
    "probe_video",
    "shrink_video",
    "take_video",
]


@dataclass(frozen=True, slots=True)
class _Named:
    """A function that is looked up where it is called."""

    module: str
    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(f"bot.media.{self.module}"), self.__name__)(*args, **kwargs)


if not TYPE_CHECKING:
    draw_chart = _Named("chart", "draw_chart")
    draw_crops = _Named("crop_pair", "draw_crops")
    film_photo = _Named("film", "film_photo")
    film_words = _Named("film", "film_words")
    join_videos = _Named("join", "join_videos")
    last_frame = _Named("frames", "last_frame")
    normalise_photo = _Named("photos", "normalise_photo")
    photo_size = _Named("photos", "photo_size")
    prepare_video = _Named("videos", "prepare_video")
    probe_video = _Named("videos", "probe_video")
    shrink_video = _Named("join", "shrink_video")
    take_video = _Named("videos", "take_video")
