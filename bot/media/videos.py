"""Open videos of others, within bounds, and check them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video import VideoStream

from bot.errors import MediaError
from bot.media.atomic_write import is_disk_error
from bot.media.boxes import is_cut_short
from bot.media.media_info import VideoInfo
from bot.media.upright import clean_aperture, cropped, pixel_aspect, shown_size, turn_of

MAX_PIXELS = 4096 * 4096
"""Of one frame. A decoder keeps up to seventeen of them: 420 MB at 8 bits."""
_MAX_FRAMES = 500_000  # more than two hours at 60 a second: the index in the file is broken

# By the name of the decoder: what phones and models write. FFmpeg carries over 300, most for formats of old
# games and cameras, where faults stay unnoticed for years.
_PICTURE_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "mjpeg", "gif"})
_SOUND_CODECS = frozenset(
    {
        *("aac", "mp3float", "mp3", "opus", "libopus", "vorbis", "flac", "alac"),
        *("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"),
        *("pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw"),
        *(f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")),
    }
)
_OPEN_OPTIONS = {
    # Without these a playlist would make the library open whatever addresses and files it names.
    "format_whitelist": "mov,mp4,matroska,webm,gif",
    "protocol_whitelist": "file",
    # The library decodes the first frames by itself to learn what a file holds.
    "codec_whitelist": ",".join(sorted(_PICTURE_CODECS | _SOUND_CODECS)),
    "max_pixels": str(MAX_PIXELS),
}
_USUAL_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_LATE_START_S = 0.2
_NEARLY_ALL = 0.95
_LONGEST_S = 3600  # no model makes more than a minute: the clock in the file is broken
SHRUNK = "made smaller to be sent"
"""The comment in a file that was."""
_NOT_A_VIDEO = "not_a_video"


def probe_video(path: Path) -> VideoInfo:
    """Return the facts of a video, found by reading all of it.

    Raises `MediaError("not_a_video")` unless it is a complete MP4, MOV, MKV, WebM or GIF whose picture can be
    decoded, and what `open_movie` and `picture_track` raise.
    """
    with open_movie(path) as movie:
        reader = VideoReader(movie, path)
        for _ in reader.packets():
            pass
        return reader.facts()


class VideoReader:
    """One pass over an open file, in which its picture is checked while somebody takes the packets."""

    def __init__(self, movie: InputContainer, path: Path) -> None:
        self.picture = picture_track(movie)
        self.sound = sound_track(movie)
        self._movie = movie
        self._path = path
        self._first: av.VideoFrame | None = None
        self._starts: int | None = None
        self._ends = self._count = self._left_out = 0
        self._is_cut = False
        """Begins with frames that are drawn upon one that is missing."""

    @property
    def is_usual_codec(self) -> bool:
        """True if every phone plays it: H.264 with its parameters in the header, or HEVC under the name that
        Apple knows."""
        codec = self.picture.codec_context
        return (codec.name == "h264" and codec.codec_tag != "avc3") or (
            codec.name == "hevc" and codec.codec_tag == "hvc1"
        )

    def packets(self) -> Iterator[Packet[Stream]]:
        """Yield the packets of picture and sound, in the order of the file. Raises as `probe_video` does."""
        tracks = [self.picture] if self.sound is None else [self.picture, self.sound]
        for packet in self._movie.demux(*tracks):
            if packet.size:  # the empty one at the end is meant for decoders
                if packet.stream is self.picture:
                    self._check(cast("Packet[VideoStream]", packet))
                yield packet

    def _check(self, packet: Packet[VideoStream]) -> None:
        if packet.is_corrupt:
            raise MediaError(_NOT_A_VIDEO, f"packet {self._count} is corrupt")
        if not self._count:
            self._is_cut = not packet.is_keyframe
        self._count += 1
        if self._first is None:
            self._first = next(iter(packet.decode()), None)
        if packet.is_discard:  # an edit list begins later
            self._left_out += 1
            return
        at = packet.pts if packet.pts is not None else packet.dts or 0
        self._starts = at if self._starts is None else min(self._starts, at)
        self._ends = max(self._ends, at + (packet.duration or 0))

    def length_s(self) -> float:
        """Return how long the picture is shown, to the end of its last frame, after all packets were taken.

        What a header promises may be missing or wrong.
        """
        if self._count < self.picture.frames or self._starts is None:
            raise MediaError(_NOT_A_VIDEO, f"{self._count} of {self.picture.frames} frames")
        length_s = float((self._ends - self._starts) * self._tick_s)
        if not 0 < length_s <= _LONGEST_S:
            raise MediaError(_NOT_A_VIDEO, f"{length_s:g} s long")
        told_s = (self._movie.duration or 0) / av.time_base
        if is_cut_short(self._path) and not length_s > _NEARLY_ALL * told_s > 0:
            raise MediaError(_NOT_A_VIDEO, f"{length_s:g} of {told_s:g} s")
        return length_s

    def facts(self) -> VideoInfo:
        """Return the facts of the file, after all packets were taken. Raises what `probe_video` raises."""
        length_s = self.length_s()
        frame = self.first_frame()
        size = shown_size(frame, turn_of(frame), pixel_aspect(self.picture))
        is_odd = bool(frame.width % 2 or frame.height % 2)
        is_plain = size == (self.picture.width, self.picture.height) and turn_of(frame) is None
        is_usual = self.is_usual_codec and frame.format.name in _USUAL_PIXELS
        is_late = bool(self._left_out) or float((self._starts or 0) * self._tick_s) > _LATE_START_S
        return VideoInfo(
            *size,
            duration_s=length_s,
            has_audio=self.sound is not None,
            video_codec=self.picture.codec_context.name,
            pix_fmt=frame.format.name,
            bytes=self._path.stat().st_size,
            is_shrunk=self._movie.metadata.get("comment") == SHRUNK,
            needs_encoding=is_odd or is_late or self._is_cut or not is_plain or not is_usual,
        )

    def first_frame(self) -> av.VideoFrame:
        """Return the first frame as it is shown, but for its turn."""
        return self._cropped(self._first or next(iter(self.picture.decode(None)), None))

    def keyframe(self, at_s: float) -> av.VideoFrame:
        """Return the keyframe nearest to a time: others could not be had without all frames before them."""
        at = round(at_s / self._tick_s)
        starts = [entry.timestamp for entry in self.picture.index_entries if entry.is_keyframe]
        nearest = min(starts, key=lambda start: abs(start - at), default=at)
        if starts[:1] == [nearest]:
            return self.first_frame()
        self._movie.seek(nearest, stream=self.picture)
        return self._cropped(next(self._movie.decode(self.picture), None))

    @property
    def _tick_s(self) -> Fraction:
        return self.picture.time_base or Fraction(1)

    def _cropped(self, frame: av.VideoFrame | None) -> av.VideoFrame:
        if frame is None:
            raise MediaError(_NOT_A_VIDEO, "no frame can be decoded")
        return next(cropped(iter([frame]), clean_aperture(self._path)))


@contextmanager
def open_movie(path: Path) -> Iterator[InputContainer]:
    """Open a file that somebody sent: the only place where that is done. Raises `MediaError`: `not_a_video`,
    `media_crashed` (too much memory), `disk_full`.
    """
    try:
        with av.open(path, options=dict(_OPEN_OPTIONS), metadata_errors="replace") as movie:
            yield movie
    except MemoryError as error:
        raise MediaError("media_crashed", "too much memory") from error
    except av.FFmpegError as error:
        raise MediaError("disk_full" if is_disk_error(error) else _NOT_A_VIDEO, str(error)) from error


def picture_track(movie: InputContainer) -> VideoStream:
    """Return the first video stream that is no cover picture, not yet decoded.

    Raises `MediaError`: `not_a_video`, `video_too_large` (pixels).
    """
    for stream in movie.streams.video:
        if _has_decoder(stream, _PICTURE_CODECS) and not stream.disposition & stream.disposition.attached_pic:
            _check_bounds(stream)
            return stream
    raise MediaError(_NOT_A_VIDEO, "no picture")


def sound_track(movie: InputContainer) -> AudioStream | None:
    """Return the first audio stream; None if there is none."""
    return next((one for one in movie.streams.audio if _has_decoder(one, _SOUND_CODECS)), None)


def _has_decoder(stream: Stream, names: frozenset[str]) -> bool:
    codec = getattr(stream, "codec_context", None)  # the stubs promise one; a broken file has none
    return codec is not None and codec.name in names


def _check_bounds(picture: VideoStream) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        shape = f"{picture.width} x {picture.height}"
        raise MediaError("video_too_large", shape, width=picture.width, height=picture.height)
    if picture.frames > _MAX_FRAMES:
        raise MediaError(_NOT_A_VIDEO, f"{picture.frames} frames", is_final=True)
    length_s = (picture.duration or 0) * (picture.time_base or Fraction(1))
    if length_s > _LONGEST_S:
        raise MediaError(_NOT_A_VIDEO, f"{float(length_s):g} s long", is_final=True)
    # A stream may hold larger frames than its file says.
    picture.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
