"""Encode films again: join two videos, or make one smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
from av.audio import AudioStream
from av.codec.context import Flags
from av.container import InputContainer, OutputContainer
from av.video import VideoStream
from av.video.frame import PictureType
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from PIL import Image

from bot.errors import MediaError
from bot.media.atomic_write import atomic_write, is_disk_error
from bot.media.frames import TimedFrame, clip_length_s, read_shots
from bot.media.media_info import VideoInfo
from bot.media.provenance import Provenance, mark_video
from bot.media.remux import SOUND_BITS_PER_S, SOUND_RATE_HZ, add_aac
from bot.media.upright import SIDEWAYS
from bot.media.videos import SHRUNK, open_movie, probe_video, sound_track
from bot.media.yuv import Size, plane_picture

MAX_BYTES = 50_000_000
"""What Telegram lets a bot send; core.telegram.org/bots/api#sending-files."""

_AIM = 0.94  # of the bytes allowed: the rest is for the index, and for what the rate control may miss by
_SAMPLE_BYTES = 4  # two channels of 16 bits
_GAP = SOUND_RATE_HZ // 20  # samples; below it, counting them is more exact than the file's clock

_CLOCK_HZ = 90_000  # the frames of every usual rate last whole ticks
_MAX_SIDE_PX = 1920
_LONGEST_S = 3600  # as for any video: the clock in the file is broken
_LIKE_SHAPE = 0.02  # a shape this close to the film's is stretched to it: nobody sees that
# What a player of level 4 takes at once, and holds in advance: ITU-T H.264, table A-1, High profile.
_MAX_BITS_PER_S = 20_000_000
_MAX_BUFFER_BITS = 25_000_000
_BLACK = (16, 128, 128)  # light, blue, red; limited range


def join_videos(first: Path, second: Path, target: Path, max_bytes: int = MAX_BYTES) -> VideoInfo:
    """Write one film of both to `target`: H.264 and AAC in an MP4 that plays while it loads.

    `second` begins with the last frame of `first`, which is shown once. It is brought to the size of `first`
    (at most 1920 pixels a side), with black beside it if its shape is another. Frames keep their times; a
    video without sound is silent. A damaged part is bridged by the frame before it. The film takes
    `max_bytes` at most: longer ones get fewer bits a second. `target` appears only when it is complete.

    Both are always encoded again: copied streams would need the same encoder in both, could not drop the
    frame at the seam, since all others are drawn upon it, and would leave a gap in the sound.

    Raises `MediaError`: `not_a_video`, `video_too_large` (pixels), `too_large` (bytes), and
    `disk_full`.
    """
    return join_shots([first, second], [False, True], target, max_bytes)


def join_shots(
    sources: Sequence[Path], continues: Sequence[bool], target: Path, max_bytes: int = MAX_BYTES
) -> VideoInfo:
    """Write one film of any number of videos, as `join_videos` does. One that `continues` begins with the
    last frame of the one before; of the others every frame is shown."""
    _film(list(zip(sources, continues, strict=True)), target, max_bytes)
    return probe_video(target)


def shrink_video(source: Path, target: Path, max_bytes: int, provenance: Provenance) -> VideoInfo:
    """Write `source` to `target` again, as `join_videos` does, in `max_bytes` at most, and mark it. Its facts
    say so if it was larger."""
    comment = SHRUNK if source.stat().st_size > max_bytes else ""
    _film([(source, False)], target, max_bytes, comment, provenance)
    return probe_video(target)


def _film(
    sources: Sequence[tuple[Path, bool]],
    target: Path,
    max_bytes: int,
    comment: str = "",
    provenance: Provenance | None = None,
) -> None:
    length_s = sum((clip_length_s(source) for source, _ in sources), Fraction(0))
    if not 0 < length_s <= _LONGEST_S:
        raise MediaError("not_a_video", f"{float(length_s):g} s long")
    with atomic_write(target) as part:
        try:
            _write(part, sources, _bounds(length_s, max_bytes), comment)
        except av.FFmpegError as error:  # reading translates its own
            raise MediaError("disk_full" if is_disk_error(error) else "media_crashed", str(error)) from error
        if provenance is not None:
            mark_video(part, provenance)
        if (size := part.stat().st_size) > max_bytes:
            raise MediaError("too_large", f"{size} bytes")


def _write(part: Path, sources: Sequence[tuple[Path, bool]], bounds: _Bounds, comment: str) -> None:
    (first, _), *others = sources
    shots = read_shots(first)
    opening = next(shots)
    with av.open(part, "w", format="mp4", options={"movflags": "+faststart"}) as new:
        if comment:
            new.metadata["comment"] = comment
        film = _Film(new, opening, bounds)
        film.add(chain([opening], shots), first)
        for source, continues in others:
            shots = read_shots(source)
            if continues:
                next(shots)  # the last frame of the one before
            film.add(shots, source)
        film.end()


class _Bounds(NamedTuple):
    """The limits of the video's rate control: the size of its buffer, and how fast that fills."""

    bits_per_s: int
    buffer_bits: int


class _Film:
    """Write a film: picture and sound grow side by side."""

    def __init__(self, new: OutputContainer, opening: TimedFrame, bounds: _Bounds) -> None:
        self._new = new
        self._size = _film_size(opening.size)
        rate = min(max(round(1 / opening.length_s), 1), 120)
        self._picture = _add_picture(new, self._size, rate, bounds)
        self._sound = add_aac(new)
        self._to_aac = av.AudioResampler("fltp", "stereo", SOUND_RATE_HZ, frame_size=1024)
        self._ends_s = Fraction(0)
        self._samples = 0

    def add(self, shots: Iterator[TimedFrame], path: Path) -> None:
        """Add the shots of one file, and its sound."""
        stage = _Stage(self._size)
        sound: _Sound | None = None
        for shot in shots:
            sound = sound or _Sound(path, shot.starts_s)
            self._add_frame(stage.show(shot), shot.length_s)
            self._add_sound(sound)

    def end(self) -> None:
        self._new.mux(self._picture.encode(None))
        for frame in self._to_aac.resample(None):
            self._new.mux(self._sound.encode(frame))
        self._new.mux(self._sound.encode(None))

    def _add_frame(self, frame: av.VideoFrame, length_s: Fraction) -> None:
        frame.time_base = Fraction(1, _CLOCK_HZ)
        frame.pts = round(self._ends_s * _CLOCK_HZ)
        self._ends_s += length_s
        frame.duration = round(self._ends_s * _CLOCK_HZ) - frame.pts
        frame.pict_type = PictureType.NONE  # or the encoder would repeat what its first one chose
        self._new.mux(self._picture.encode(frame))

    def _add_sound(self, sound: _Sound) -> None:
        end = round(self._ends_s * SOUND_RATE_HZ)
        while self._samples < end:
            count = min(end - self._samples, SOUND_RATE_HZ)
            frame = av.AudioFrame("s16", "stereo", samples=count)
            frame.planes[0].update(sound.read(count))
            frame.sample_rate, frame.time_base = SOUND_RATE_HZ, Fraction(1, SOUND_RATE_HZ)
            frame.pts = self._samples
            self._samples += count
            for piece in self._to_aac.resample(frame):
                self._new.mux(self._sound.encode(piece))


def _bounds(length_s: Fraction, max_bytes: int) -> _Bounds:
    """Return the highest rate that surely fits; most films take much less."""
    aim = int(8 * max_bytes * _AIM)
    buffer_bits = min(aim // 4, _MAX_BUFFER_BITS)
    bits_per_s = int((aim - buffer_bits) / length_s) - SOUND_BITS_PER_S
    return _Bounds(max(1000, min(bits_per_s, _MAX_BITS_PER_S)), buffer_bits)


def _film_size(shown: Size) -> Size:
    scale = min(1.0, _MAX_SIDE_PX / max(shown))
    width, height = (max(2, round(side * scale / 2) * 2) for side in shown)
    return width, height


def _add_picture(new: OutputContainer, size: Size, rate: int, bounds: _Bounds) -> VideoStream:
    # A film is encoded once more here: crf 19 keeps what the first encoder kept.
    options = {"preset": "veryfast", "crf": "19", "aq-mode": "3"}
    options |= {"maxrate": str(bounds.bits_per_s), "bufsize": str(bounds.buffer_bits)}
    picture = new.add_stream("libx264", rate=rate, options=options)
    picture.width, picture.height = size
    picture.pix_fmt = "yuv420p"
    picture.codec_context.time_base = Fraction(1, _CLOCK_HZ)
    # Without it the last frame would last as long as the one before.
    picture.codec_context.flags |= Flags.frame_duration
    picture.codec_context.colorspace = Colorspace.ITU709
    picture.codec_context.color_range = ColorRange.MPEG
    picture.codec_context.color_primaries = ColorPrimaries.BT709
    picture.codec_context.color_trc = ColorTrc.BT709
    return picture


class _Stage:
    """Convert frames of any size, turn and colours to frames of the film."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._reformatter = VideoReformatter()

    def show(self, shot: TimedFrame) -> av.VideoFrame:
        size = _size_within(shot.size, self._size)
        flat = self._reformatter.reformat(
            shot.frame,
            *(size[::-1] if shot.turn in SIDEWAYS else size),
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )
        return flat if shot.turn is None and size == self._size else _placed(flat, shot.turn, self._size)


def _size_within(shown: Size, film: Size) -> Size:
    """Return the size of a picture inside the film, so that it can be centred.

    The second was made from the first's last frame: with bars instead of a crop nothing jumps at the seam.
    """
    across, down = film[0] / shown[0], film[1] / shown[1]
    if abs(across / down - 1) <= _LIKE_SHAPE:
        return film
    scale = min(across, down)
    # Bars of an even width on each side: two pixels of light share one of colour.
    width, height = (
        whole - 4 * round((whole - side * scale) / 4) for side, whole in zip(shown, film, strict=True)
    )
    return max(2, width), max(2, height)


def _placed(flat: av.VideoFrame, turn: Image.Transpose | None, size: Size) -> av.VideoFrame:
    placed = av.VideoFrame(*size, "yuv420p")
    for plane, goal, black in zip(flat.planes, placed.planes, _BLACK, strict=True):
        picture = plane_picture(plane, "L")
        if turn is not None:
            picture = picture.transpose(turn)
        ground = Image.new("L", (goal.width, goal.height), black)
        ground.paste(picture, ((goal.width - picture.width) // 2, (goal.height - picture.height) // 2))
        goal.update(ground.tobytes("raw", "L", goal.line_size, 1))
    return placed


class _Sound:
    """Read the sound of a file from `starts_s` on, with silence in gaps."""

    def __init__(self, path: Path, starts_s: Fraction) -> None:
        self._pieces = _without_gaps(_heard(path), round(starts_s * SOUND_RATE_HZ))
        self._held = bytearray()

    def read(self, samples: int) -> bytes:
        """Return exactly so many samples: 16-bit stereo."""
        wanted = samples * _SAMPLE_BYTES
        while len(self._held) < wanted and (piece := next(self._pieces, None)) is not None:
            self._held += piece
        read = bytes(self._held[:wanted])
        del self._held[:wanted]
        return read.ljust(wanted, bytes(1))


def _without_gaps(heard: Iterator[tuple[int, bytes]], start: int) -> Iterator[bytes]:
    """Yield the pieces one after another, with silence between them, from the sample `start` on."""
    for at, piece in heard:
        while start < at:
            count = min(at - start, SOUND_RATE_HZ)
            yield bytes(count * _SAMPLE_BYTES)
            start += count
        rest = piece[(start - at) * _SAMPLE_BYTES :]
        yield rest
        start += len(rest) // _SAMPLE_BYTES


def _heard(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the sound in pieces of 16-bit stereo, each with the time of its first sample, in samples."""
    at: int | None = None
    resampler = av.AudioResampler("s16", "stereo", SOUND_RATE_HZ)
    with open_movie(path) as movie:
        track = sound_track(movie)
        if track is None:
            return
        for frame in _decoded_sound(movie, track):
            if frame.pts is not None and frame.time_base is not None:
                told = round(frame.pts * frame.time_base * SOUND_RATE_HZ)
                at = told if at is None or abs(told - at) > _GAP else at
            at = at or 0
            for piece in resampler.resample(frame):
                yield at, bytes(piece.planes[0])[: piece.samples * _SAMPLE_BYTES]
                at += piece.samples


def _decoded_sound(movie: InputContainer, track: AudioStream) -> Iterator[av.AudioFrame]:
    with suppress(av.FFmpegError):  # the file ends before it should
        for packet in movie.demux(track):
            with suppress(av.FFmpegError):  # damage: a moment of silence
                yield from packet.decode()
