"""The preview film: a title card made from words, a camera move over a photo, or several photos."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from bot.media.drawing.camera import eased_from, look, view_at, whole_view
from bot.media.drawing.collage import lay_out
from bot.media.drawing.encode import FRAMES_PER_S, write_film
from bot.media.drawing.palettes import palette_of, pick_palette
from bot.media.drawing.scene import area_for, paint_scene, weather_layers
from bot.media.drawing.scene_words import read_scene_words
from bot.media.drawing.sound import play_pad
from bot.media.drawing.titles import Area, Title, reveal_title, set_mark, set_title, without_mark
from bot.media.media_info import SIZES
from bot.media.photo.photos import decode_photo, open_photo
from bot.media.yuv import Planes, Size, planes_of
from bot.request import VideoRequest, closest_ratio

_BACKWARDS = {"hitchcock_dolly_out", "quick_pull_back"}
_DETAIL_PX = 1920  # both sides of the smallest square stage: more would not be seen
_DISSOLVED_S = 2.2  # when an extension has left the frame with which it begins
_TITLE_BEGINS_S = 1.7
_BELOW_PRINTS = Area(0.5, 0.84, 0.8, 0.2)
_OVERSAMPLING = 2  # the photo behind a move is this much larger than the frame: zooming in stays sharp


def film_words(request: VideoRequest, target: Path, progress: Path | None, *, scale: float = 1.0) -> None:
    """Write a title card that shows the prompt to `target` (MP4). Ratio and seconds are chosen.

    The same words and seed make the same film. The words come slowly nearer, or move away if the camera pulls
    back. `progress` is a file that holds the fraction done. `scale` makes the frame smaller.
    """
    prompt, seconds = request.prompt, _seconds(request)
    size = _scaled(SIZES[request.ratio or next(iter(SIZES))], scale)
    chance = _chance(request)
    named = read_scene_words(prompt)
    palette = named.palette or pick_palette(chance)
    title = set_title(prompt, size, seconds, area_for(named.motifs, size))
    mark = set_mark(size)
    count = seconds * FRAMES_PER_S
    scene = paint_scene(size, palette, named.motifs, chance, count=count, frames_per_s=FRAMES_PER_S)

    def frames() -> Iterator[Planes]:
        for index, light in enumerate(scene):
            at_s = index / FRAMES_PER_S
            nearness = 1 - at_s / seconds if request.camera in _BACKWARDS else at_s / seconds
            yield mark(reveal_title(title, light, palette, at_s, nearness))

    write_film(target, size, frames(), count, sound=_sound(chance, request), progress=progress)


def film_photo(
    photo: bytes, request: VideoRequest, target: Path, progress: Path | None, *, scale: float = 1.0
) -> None:
    """Write a film to `target` (MP4) in which the camera moves over the photo.

    Without a ratio the closest to the photo's is taken; the photo is cropped around its middle. The words and
    the seed choose the sound, which side is first, and what falls before the photo; they are not shown, since
    a caption would hide what was sent. If the photo is the last frame of a film that this one extends, the
    film begins with that frame, and dissolves into the words if there are any. Raises what `open_photo`
    raises.
    """
    words, seconds, extends = request.prompt, _seconds(request), request.extends is not None
    picture, size = _stage(photo, request.ratio, scale)
    planes = planes_of(picture)
    mark = set_mark(size)
    count = seconds * FRAMES_PER_S
    chance = _chance(request)
    mirrored = chance.random() < 0.5
    named = read_scene_words(words)
    sound = _sound(chance, request)
    continued = _continue(picture, size, words, seconds, chance) if extends and words.strip() else None
    palette = named.palette or palette_of(picture)
    layers = [] if continued else weather_layers(size, palette, named.motifs, chance)

    def frames() -> Iterator[Planes]:
        for index in range(count):
            at_s = index / FRAMES_PER_S
            view = view_at(request.camera, index / (count - 1), mirrored=mirrored)
            frame = look(planes, eased_from(view, at_s) if extends else view, size)
            for layer in layers:
                layer(frame, at_s)
            if continued:
                frame = _mixed(frame, next(continued), _ease(at_s, 0.25, _DISSOLVED_S))
            yield mark(frame)

    write_film(target, size, frames(), count, sound=sound, progress=progress)


def film_photos(
    photos: Sequence[bytes],
    request: VideoRequest,
    target: Path,
    progress: Path | None,
    *,
    scale: float = 1.0,
) -> None:
    """Write a film of several photos: a slow dissolve from the first to the last, or a collage of references.

    A dissolve begins with the whole first photo and ends with the whole last one; its sides, without a ratio,
    are those closest to the first. Raises what `open_photo` raises.
    """
    seconds = _seconds(request)
    chance = _chance(request)
    sound = _sound(chance, request)
    count = seconds * FRAMES_PER_S
    if request.photos_as == "references":
        size = _scaled(SIZES[request.ratio or next(iter(SIZES))], scale)
        frames = _collage(photos, size, request.prompt, seconds, chance)
    else:
        first, size = _stage(photos[0], request.ratio, scale)
        last = ImageOps.fit(_decoded(photos[-1]), first.size, Image.Resampling.LANCZOS)
        frames = _dissolve(planes_of(first), planes_of(without_mark(last, size)), size, count)
    mark = set_mark(size)
    write_film(target, size, map(mark, frames), count, sound=sound, progress=progress)


def _dissolve(first: Planes, last: Planes, size: Size, count: int) -> Iterator[Planes]:
    for index in range(count):
        t = index / (count - 1)
        share = _ease(t, 0.25, 0.75)
        before, after = whole_view(1 + 0.05 * t), whole_view(1.05 - 0.05 * t)
        if share in (0.0, 1.0):
            yield look(last, after, size) if share else look(first, before, size)
        else:
            yield _mixed(look(first, before, size), look(last, after, size), share)


def _collage(
    photos: Sequence[bytes], size: Size, words: str, seconds: int, chance: random.Random
) -> Iterator[Planes]:
    pictures = [_decoded(photo) for photo in photos]
    named = read_scene_words(words)
    palette = named.palette or palette_of(pictures[0])
    prints = lay_out(pictures, size, chance)
    falling = weather_layers(size, palette, named.motifs, chance)
    title = set_title(words, size, seconds, _BELOW_PRINTS)
    scene = paint_scene(
        size, palette, frozenset(), chance, count=seconds * FRAMES_PER_S, frames_per_s=FRAMES_PER_S
    )
    for index, light in enumerate(scene):
        at_s = index / FRAMES_PER_S
        frame = Planes(*(plane.copy() for plane in light.all()))
        prints(frame, at_s)
        for layer in falling:
            layer(frame, at_s)
        frame = _mixed(light, frame, _ease(at_s, 0.0, 0.9))
        yield reveal_title(title, frame, palette, at_s, at_s / seconds)


def _continue(
    picture: Image.Image, size: Size, words: str, seconds: int, chance: random.Random
) -> Iterator[Planes]:
    """Yield the frames into which the last frame of an extended film dissolves: a scene with the new words.

    Words that name nothing drawn leave the old picture, out of focus.
    """
    named = read_scene_words(words)
    palette = named.palette or palette_of(picture)
    backdrop = None if named.motifs or named.palette else _out_of_focus(picture, size)
    title: Title = set_title(words, size, seconds - _TITLE_BEGINS_S, area_for(named.motifs, size))
    scene = paint_scene(
        size,
        palette,
        named.motifs,
        chance,
        count=seconds * FRAMES_PER_S,
        frames_per_s=FRAMES_PER_S,
        backdrop=backdrop,
    )
    for index, light in enumerate(scene):
        at_s = index / FRAMES_PER_S
        yield reveal_title(title, light, palette, at_s - _TITLE_BEGINS_S, at_s / seconds)


def _out_of_focus(picture: Image.Image, size: Size) -> Planes:
    small = picture.resize((size[0] // 4, size[1] // 4), Image.Resampling.BOX)
    blurred = small.filter(ImageFilter.GaussianBlur(min(size) / 4 * 0.08)).point(lambda value: value * 0.62)
    return planes_of(blurred.resize(size, Image.Resampling.BICUBIC))


def _stage(photo: bytes, ratio: str | None, scale: float) -> tuple[Image.Image, Size]:
    """Return the photo in the frame's shape and twice its sides, and the frame's size."""
    picture = _decoded(photo)
    size = _scaled(SIZES[ratio or closest_ratio(*picture.size, tuple(SIZES))], scale)
    large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    return without_mark(ImageOps.fit(picture, large, Image.Resampling.LANCZOS), size), size


def _decoded(photo: bytes) -> Image.Image:
    return decode_photo(open_photo(photo), enough_px=_DETAIL_PX)


def _mixed(one: Planes, other: Planes, share: float) -> Planes:
    return Planes(*(Image.blend(a, b, share) for a, b in zip(one.all(), other.all(), strict=True)))


def _ease(at: float, start: float, end: float) -> float:
    t = min(1.0, max(0.0, (at - start) / (end - start)))
    return t * t * (3 - 2 * t)


def _seconds(request: VideoRequest) -> int:
    if request.seconds is None:
        raise ValueError("the length is not chosen")
    return request.seconds


def _sound(chance: random.Random, request: VideoRequest) -> bytes:
    return b"" if request.audio is False else play_pad(chance, _seconds(request))


def _chance(request: VideoRequest) -> random.Random:
    return random.Random(f"{request.prompt}\n{request.seed}")  # noqa: S311 - it picks colours, not secrets


def _scaled(size: Size, scale: float) -> Size:
    width, height = (max(64, round(side * scale / 16) * 16) for side in size)
    return width, height
