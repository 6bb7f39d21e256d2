"""Encode frames and sound as an MP4: H.264 and AAC, the index first, so that it plays while it loads."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video import VideoStream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from bot.media.atomic_write import atomic_write
from bot.media.drawing.sound import PAD_RATE_HZ
from bot.media.remux import SOUND_RATE_HZ, add_aac
from bot.media.yuv import Planes, Size

FRAMES_PER_S = 24
_PROGRESS_EVERY = 5  # frames: about five times a second at the speed at which films are made


def write_film(
    target: Path, size: Size, frames: Iterable[Planes], count: int, *, sound: bytes, progress: Path | None
) -> None:
    """Write `count` frames and as much sound (16-bit stereo at `PAD_RATE_HZ`; may be none) to `target`.

    `target` appears only when it is complete. `progress` holds the fraction done, as text between 0 and 1.
    """
    with (
        atomic_write(target) as part,
        av.open(part, "w", format="mp4", options={"movflags": "+faststart"}) as film,
    ):
        picture = _add_picture(film, size)
        if sound:
            _add_sound(film, sound)
        for index, planes in enumerate(frames):
            film.mux(picture.encode(_frame(planes, index)))
            if index % _PROGRESS_EVERY == 0:
                _report(progress, index / count)
        film.mux(picture.encode(None))
    _report(progress, 1.0)


def _add_picture(film: OutputContainer, size: Size) -> VideoStream:
    # aq-mode 3 spares dark gradients. mbtree reads uninitialised memory at some sizes: the same frames would
    # give another file each time.
    # Every two seconds a keyframe: one of them becomes the thumbnail, and the first shows no words yet.
    keyframes = str(2 * FRAMES_PER_S)
    options = {"preset": "veryfast", "crf": "21", "aq-mode": "3", "mbtree": "0", "g": keyframes}
    picture = film.add_stream("libx264", rate=FRAMES_PER_S, options=options)
    picture.width, picture.height = size
    picture.pix_fmt = "yuv420p"
    picture.codec_context.colorspace = Colorspace.ITU709
    picture.codec_context.color_range = ColorRange.MPEG
    picture.codec_context.color_primaries = ColorPrimaries.BT709
    picture.codec_context.color_trc = ColorTrc.BT709
    return picture


def _frame(planes: Planes, index: int) -> av.VideoFrame:
    width, height = planes.luma.size
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, picture in zip(frame.planes, planes.all(), strict=True):
        plane.update(picture.tobytes("raw", "L", plane.line_size, 1))
    frame.pts = index
    frame.time_base = Fraction(1, FRAMES_PER_S)
    return frame


def _add_sound(film: OutputContainer, sound: bytes) -> None:
    track = add_aac(film)
    frame = av.AudioFrame("s16", "stereo", samples=len(sound) // 4)
    frame.planes[0].update(sound)
    frame.sample_rate = PAD_RATE_HZ
    frame.pts = 0
    resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE_HZ, frame_size=1024)
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        film.mux(track.encode(piece))
    film.mux(track.encode(None))


def _report(progress: Path | None, fraction: float) -> None:
    if progress is None:
        return
    with atomic_write(progress) as part:
        part.write_text(f"{fraction:.3f}")
