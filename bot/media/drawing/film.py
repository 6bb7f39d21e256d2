"""The preview film: a title card made from words, or a camera move over a photo."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from bot.media.drawing.camera import look, view_at
from bot.media.drawing.palettes import pick_palette
from bot.media.drawing.scene import area_for, paint_scene
from bot.media.drawing.subjects import read_subjects
from bot.media.drawing.titles import reveal_title, set_mark, set_title
from bot.media.encode import FRAMES_PER_S, write_film
from bot.media.media_info import SIZES
from bot.media.photos import decode_photo, open_photo
from bot.media.sound import play_pad
from bot.media.yuv import Planes, Size, planes_of
from bot.request import closest_ratio

_BACKWARDS = {"hitchcock_dolly_out", "quick_pull_back"}
_DETAIL_PX = 1920  # both sides of the smallest square stage: more would not be seen
_OVERSAMPLING = 2  # the photo behind a move is this much larger than the frame: zooming in stays sharp


def film_words(  # noqa: PLR0917 - a worker process gets positional arguments
    prompt: str,
    ratio: str,
    seconds: int,
    target: Path,
    progress: Path | None,
    camera: str | None,
    *,
    seed: int | None = None,
    scale: float = 1.0,
) -> None:
    """Write a title card that shows `prompt`, `seconds` long, to `target` (MP4).

    The same words and seed make the same film. The words come slowly nearer, or move away if `camera` pulls
    back. `progress` is a file that holds the fraction done. `scale` makes the frame smaller.
    """
    size = _scaled(SIZES[ratio], scale)
    chance = _chance(prompt, seed)
    subjects = read_subjects(prompt)
    palette = subjects.palette or pick_palette(chance)
    title = set_title(prompt, size, seconds, area_for(subjects.motifs, size))
    mark = set_mark(size)
    count = seconds * FRAMES_PER_S
    scene = paint_scene(size, palette, subjects.motifs, chance, count=count, frames_per_s=FRAMES_PER_S)

    def frames() -> Iterator[Planes]:
        for index, light in enumerate(scene):
            at_s = index / FRAMES_PER_S
            nearness = 1 - at_s / seconds if camera in _BACKWARDS else at_s / seconds
            yield mark(reveal_title(title, light, palette, at_s, nearness))

    write_film(target, size, frames(), count, sound=play_pad(chance, seconds), progress=progress)


def film_photo(  # noqa: PLR0917 - as above
    photo: bytes,
    ratio: str | None,
    seconds: int,
    camera: str | None,
    words: str,
    target: Path,
    progress: Path | None,
    *,
    seed: int | None = None,
    scale: float = 1.0,
) -> None:
    """Write a film to `target` (MP4), `seconds` long, in which the camera moves over the photo.

    `camera` names the move. Without a ratio the closest to the photo's is taken; the photo is cropped around
    its middle. The words and the seed choose the sound and which side is first; they are not shown, since a
    caption would hide what was sent. Raises what `open_photo` raises.
    """
    picture = decode_photo(open_photo(photo), enough_px=_DETAIL_PX)
    size = _scaled(SIZES[ratio or closest_ratio(*picture.size, tuple(SIZES))], scale)
    stage = ImageOps.fit(
        picture, (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING), Image.Resampling.LANCZOS
    )
    planes = planes_of(stage)
    mark = set_mark(size)
    count = seconds * FRAMES_PER_S
    chance = _chance(words, seed)
    mirrored = chance.random() < 0.5

    def frames() -> Iterator[Planes]:
        for index in range(count):
            view = view_at(camera, index / (count - 1), mirrored=mirrored)
            yield mark(look(planes, view, size))

    write_film(target, size, frames(), count, sound=play_pad(chance, seconds), progress=progress)


def _chance(words: str, seed: int | None) -> random.Random:
    return random.Random(f"{words}\n{seed}")  # noqa: S311 - it picks colours, not secrets


def _scaled(size: Size, scale: float) -> Size:
    width, height = (max(64, round(side * scale / 16) * 16) for side in size)
    return width, height
