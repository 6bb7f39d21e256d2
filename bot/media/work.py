"""The functions for `process.run_in_process`. They are loaded, with their codecs, in worker processes only.

The main process, which never uses the codecs, would take 23 MB more with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.media.drawing.chart import draw_chart
    from bot.media.drawing.film import film_photo, film_photos, film_words
    from bot.media.frames import last_frame
    from bot.media.gif import film_gif
    from bot.media.join import join_shots, join_videos, shrink_video
    from bot.media.photo.contact_sheet import draw_numbered
    from bot.media.photo.crop_pair import draw_crops
    from bot.media.photo.photos import normalise_photo, photo_size
    from bot.media.remux import take_video
    from bot.media.videos import probe_video

__all__ = [
    "draw_chart",
    "draw_crops",
    "draw_numbered",
    "film_gif",
    "film_photo",
    "film_photos",
    "film_words",
    "join_shots",
    "join_videos",
    "last_frame",
    "normalise_photo",
    "photo_size",
    "probe_video",
    "shrink_video",
    "take_video",
]


@dataclass(frozen=True, slots=True)
class _LazyFunction:
    """A function of `bot/media/` that is loaded when it is called."""

    module: str
    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(f"bot.media.{self.module}"), self.__name__)(*args, **kwargs)


if not TYPE_CHECKING:
    draw_chart = _LazyFunction("drawing.chart", "draw_chart")
    draw_crops = _LazyFunction("photo.crop_pair", "draw_crops")
    draw_numbered = _LazyFunction("photo.contact_sheet", "draw_numbered")
    film_gif = _LazyFunction("gif", "film_gif")
    film_photo = _LazyFunction("drawing.film", "film_photo")
    film_photos = _LazyFunction("drawing.film", "film_photos")
    film_words = _LazyFunction("drawing.film", "film_words")
    join_shots = _LazyFunction("join", "join_shots")
    join_videos = _LazyFunction("join", "join_videos")
    last_frame = _LazyFunction("frames", "last_frame")
    normalise_photo = _LazyFunction("photo.photos", "normalise_photo")
    photo_size = _LazyFunction("photo.photos", "photo_size")
    probe_video = _LazyFunction("videos", "probe_video")
    shrink_video = _LazyFunction("join", "shrink_video")
    take_video = _LazyFunction("remux", "take_video")
