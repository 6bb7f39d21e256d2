"""Frames as players show them: one after another, or the last one, with which an extension begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video import VideoStream
from PIL import Image

from bot.errors import MediaError
from bot.media.upright import (
    clean_aperture,
    cropped,
    name_colours,
    pixel_aspect,
    shown_size,
    turn_of,
    upright_picture,
)
from bot.media.videos import open_movie, picture_track
from bot.media.yuv import Size

_QUALITY = 95  # of JPEG; a provider makes a whole film out of it
_USUAL_LENGTH_S = Fraction(1, 24)
_NOT_A_VIDEO = "not_a_video"


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame, and how and when it is shown."""

    frame: av.VideoFrame
    turn: Image.Transpose | None
    """The rotation that brings it upright."""
    size: Size
    """Upright and with square pixels, at most 4096 a side."""
    starts_s: Fraction
    """On the clock of its file, which need not begin at zero."""
    length_s: Fraction


def last_frame(video: Path) -> bytes:
    """Return the last picture that a player shows, as a JPEG without metadata of at most 4096 pixels a side.

    Upright, with square pixels. Of a file whose end is damaged it is the last picture before the damage.
    Only the end is decoded. Raises `MediaError`: `not_a_video`, `video_too_large` (pixels).
    """
    with open_movie(video) as movie:
        picture = picture_track(movie)
        for start in _starts(_keyframes(movie, picture)):
            movie.seek(start, stream=picture)
            last = None
            for frame in cropped(_whole_frames(movie, picture), clean_aperture(video)):
                last = frame
            if last is not None:
                return _jpeg(last, pixel_aspect(picture))
    raise MediaError(_NOT_A_VIDEO, "no frame can be decoded")


def read_shots(video: Path) -> Iterator[TimedFrame]:
    """Yield all frames, at least one, in the order of their times; each is decoded when it is needed.

    A damaged part is bridged by the frame before it. Raises what `last_frame` raises.
    """
    shot: TimedFrame | None = None
    with open_movie(video) as movie:
        picture = picture_track(movie)
        tick_s = picture.time_base or Fraction(1)
        for frame in cropped(_whole_frames(movie, picture), clean_aperture(video)):
            if frame.pts is None:
                continue
            at_s, length_s = frame.pts * tick_s, frame.duration * tick_s
            if shot is None:
                turn = turn_of(frame)
            elif at_s > shot.starts_s:
                yield replace(shot, length_s=at_s - shot.starts_s)
            else:
                continue
            name_colours(frame)
            size = shown_size(frame, turn, pixel_aspect(picture))
            shot = TimedFrame(frame, turn, size, at_s, length_s or _USUAL_LENGTH_S)
    if shot is None:
        raise MediaError(_NOT_A_VIDEO, "no frame can be decoded")
    yield shot


def clip_length_s(video: Path) -> Fraction:
    """Return the length without decoding anything. Raises what `last_frame` raises."""
    first = end = None
    with open_movie(video) as movie:
        picture = picture_track(movie)
        with suppress(av.FFmpegError):  # the file ends before it should
            for packet in movie.demux(picture):
                if packet.pts is not None and not packet.is_discard:
                    first = packet.pts if first is None else min(first, packet.pts)
                    end = max(end or first, packet.pts + (packet.duration or 0))
        return ((end or 0) - (first or 0)) * (picture.time_base or Fraction(1))


def _whole_frames(movie: InputContainer, picture: VideoStream) -> Iterator[av.VideoFrame]:
    """Yield decoded frames in the order in which they are shown.

    After damage nothing comes until the next keyframe: what is drawn upon a damaged frame is not whole.
    """
    whole = True
    held: list[av.VideoFrame] = []
    before: int | None = None
    with suppress(av.FFmpegError):  # the file ends before it should
        for packet in movie.demux(picture):
            if not whole and not packet.is_keyframe:
                continue
            frames = _decoded(packet)
            whole = frames is not None
            if frames is not None:
                yield from held
                held, before = frames, packet.pts
                continue
            # Damage may begin in the packet before the one that cannot be read at all.
            suspects = {packet.pts} if packet.is_corrupt else {packet.pts, before}
            yield from (frame for frame in (*held, *_rest(picture)) if frame.pts not in suspects)
            held = []
    yield from (*held, *_rest(picture))


def _decoded(packet: Packet[VideoStream]) -> list[av.VideoFrame] | None:
    if packet.is_corrupt:
        return None
    try:
        return packet.decode()
    except av.FFmpegError:
        return None


def _rest(picture: VideoStream) -> list[av.VideoFrame]:
    """Return the frames that the decoder still holds."""
    frames = []
    with suppress(av.FFmpegError):
        frames = picture.decode(None)
    picture.codec_context.flush_buffers()
    return frames


def _keyframes(movie: InputContainer, picture: VideoStream) -> list[int]:
    """Return the times of the keyframes, in units of the track, without decoding anything."""
    found = []
    with suppress(av.FFmpegError):  # the file ends before it should
        for packet in movie.demux(picture):
            at = packet.pts if packet.pts is not None else packet.dts
            if packet.is_keyframe and at is not None:
                found.append(at)
    return found


def _starts(keyframes: list[int]) -> Iterator[int]:
    """Yield keyframes to start from: the last one, then twice as far back each time, for damaged ends."""
    back = 1
    while back < len(keyframes):
        yield keyframes[-back]
        back *= 2
    yield from keyframes[:1]


def _jpeg(frame: av.VideoFrame, aspect: Fraction) -> bytes:
    encoded = BytesIO()
    upright_picture(frame, aspect).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()
