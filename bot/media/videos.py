"""Videos made fit to send: checked, remuxed so that they play while they load, with sound and a thumbnail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import ceil
from pathlib import Path
from shutil import copyfile

import av
from av.audio import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video import VideoStream
from PIL import Image

from bot.errors import MediaError
from bot.media.atomic_write import atomic_write, is_disk_full
from bot.media.media_info import VideoFacts
from bot.media.upright import clean_aperture, cropped, pixel_aspect, shown_size, turn_of, upright_picture

THUMBNAIL_SIDE_PX = 320  # Telegram's limit, with 200 kB: core.telegram.org/bots/api#inputmediavideo
_THUMBNAIL_QUALITY = 85  # at this size never above 150 kB

MAX_PIXELS = 4096 * 4096
"""Of one frame. A decoder keeps up to seventeen of them: 420 MB at 8 bits."""
_MAX_FRAMES = 500_000  # more than two hours at 60 a second: the index in the file is broken

# By the name of the decoder: what phones and models write. FFmpeg carries over 300, most for formats of old
# games and cameras, where faults stay unnoticed for years.
_PICTURE_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "mjpeg"})
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
    "format_whitelist": "mov,mp4,matroska,webm",
    "protocol_whitelist": "file",
    # The library decodes the first frames by itself to learn what a file holds.
    "codec_whitelist": ",".join(sorted(_PICTURE_CODECS | _SOUND_CODECS)),
    "max_pixels": str(MAX_PIXELS),
}
_USUAL_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_LATE_START_S = 0.2
_KEPT_SOUND = ("aac", "mp3")  # what phones play inside MP4; anything else becomes AAC
_SOUND_RATE_HZ = 48_000
_SOUND_FRAME = 1024  # samples in a frame of AAC
_LONGEST_S = 3600  # no model makes more than a minute: the clock in the file is broken
SHRUNK = "made smaller to be sent"
"""The comment in a file that was."""
_NOT_A_VIDEO = "not_a_video"


def probe_video(path: Path) -> VideoFacts:
    """Return the facts of a video, found by reading all of it.

    Raises `MediaError("not_a_video")` unless it is a complete MP4, MOV, MKV or WebM whose picture can be
    decoded, and what `open_movie` and `picture_track` raise.
    """
    with open_movie(path) as movie:
        picture = picture_track(movie)
        frame = next(cropped(movie.decode(picture), clean_aperture(path)), None)
        if frame is None:
            raise MediaError(_NOT_A_VIDEO, "no frame can be decoded")
        movie.seek(0)
        width, height = shown_size(frame, turn_of(frame), pixel_aspect(picture))
        is_odd = bool(frame.width % 2 or frame.height % 2)
        is_plain = (width, height) == (picture.width, picture.height) and turn_of(frame) is None
        duration_s, starts_late = _measured(movie, picture)
        return VideoFacts(
            width=width,
            height=height,
            duration_s=duration_s,
            has_audio=sound_track(movie) is not None,
            video_codec=picture.codec_context.name,
            pix_fmt=frame.format.name,
            bytes=path.stat().st_size,
            is_shrunk=movie.metadata.get("comment") == SHRUNK,
            needs_encoding=is_odd or starts_late or not is_plain or not _is_usual(picture, frame),
        )


def take_video(source: Path, target: Path, thumbnail: Path) -> VideoFacts:
    """Write `source` to `target` as it is to be sent, and a JPEG of its first third as it is shown.

    If phones may not play it as it is meant, `target` is the source as it came: it is to be encoded in a step
    of its own. Raises what `prepare_video` raises.
    """
    facts = probe_video(source)
    if not facts.needs_encoding:
        return _prepare(source, target, thumbnail, facts.duration_s)
    _save_thumbnail(source, thumbnail, facts.duration_s / 3)
    with atomic_write(target) as part:
        copyfile(source, part)
    return facts


def prepare_video(source: Path, target: Path, thumbnail: Path) -> VideoFacts:
    """Write `source` to `target` as an MP4 that plays while it loads, and a JPEG from its first third.

    The picture is copied, never encoded again. A silent video gets a silent track, because Telegram shows a
    video without sound as a GIF. `target` appears only when it is complete. Raises what `probe_video`
    raises, and `MediaError("disk_full")`.
    """
    return _prepare(source, target, thumbnail, probe_video(source).duration_s)


def _prepare(source: Path, target: Path, thumbnail: Path, duration_s: float) -> VideoFacts:
    with (
        open_movie(source) as old,
        atomic_write(target) as part,
        av.open(part, "w", format="mp4", options={"movflags": "+faststart"}) as new,
    ):
        _copy(old, new, duration_s)
    _save_thumbnail(target, thumbnail, duration_s / 3)
    return probe_video(target)


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
        raise MediaError("disk_full" if is_disk_full(error) else _NOT_A_VIDEO, str(error)) from error


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


def _is_usual(picture: VideoStream, frame: av.VideoFrame) -> bool:
    """Return True if every phone plays it: H.264, or HEVC under the name that Apple knows, 8 bits, 4:2:0."""
    codec = picture.codec_context
    is_known = codec.name == "h264" or (codec.name == "hevc" and codec.codec_tag == "hvc1")
    return is_known and frame.format.name in _USUAL_PIXELS


def _measured(movie: InputContainer, picture: VideoStream) -> tuple[float, bool]:
    """Return how long the picture is shown, until the end of the last frame, and whether something else is
    shown first or left out. What a header promises may be missing or wrong."""
    first: int | None = None
    end = count = left_out = 0
    for packet in _packets(movie, picture):
        if packet.is_corrupt:
            raise MediaError(_NOT_A_VIDEO, f"packet {count} is corrupt")
        count += 1
        if packet.is_discard:  # an edit list begins later
            left_out += 1
            continue
        at = packet.pts if packet.pts is not None else packet.dts or 0
        first = at if first is None else min(first, at)
        end = max(end, at + (packet.duration or 0))
    if count < picture.frames or first is None:
        raise MediaError(_NOT_A_VIDEO, f"{count} of {picture.frames} frames")
    duration_s = float((end - first) * (picture.time_base or Fraction(1)))
    if not 0 < duration_s <= _LONGEST_S:
        raise MediaError(_NOT_A_VIDEO, f"{duration_s:g} s long")
    starts_s = float(first * (picture.time_base or Fraction(1)))
    return duration_s, bool(left_out) or starts_s > _LATE_START_S


def _packets(movie: InputContainer, *streams: VideoStream | AudioStream) -> Iterator[Packet[Stream]]:
    for packet in movie.demux(*streams):
        if packet.size:  # the empty one at the end is meant for decoders
            yield packet


def _copy(old: InputContainer, new: OutputContainer, duration_s: float) -> None:
    picture = picture_track(old)
    try:
        new_picture = new.add_stream_from_template(picture, opaque=True)
    except ValueError as error:
        raise MediaError(_NOT_A_VIDEO, str(error)) from error  # a codec that MP4 cannot carry
    if picture.codec_context.name == "hevc":
        new_picture.codec_context.codec_tag = "hvc1"  # Apple's players know no other
    sound = sound_track(old)
    if sound is None:
        _copy_with_silence(_packets(old, picture), new, new_picture, duration_s)
    elif sound.codec_context.name in _KEPT_SOUND:
        new_sound = new.add_stream_from_template(sound)
        for packet in _packets(old, picture, sound):
            packet.stream = new_picture if packet.stream is picture else new_sound
            new.mux(packet)
    else:
        _copy_with_new_sound(_packets(old, picture, sound), sound, new, new_picture)


def _copy_with_silence(
    packets: Iterator[Packet[Stream]], new: OutputContainer, new_picture: VideoStream, duration_s: float
) -> None:
    track = add_aac(new)
    count = ceil(duration_s * _SOUND_RATE_HZ)
    starts = range(0, count, _SOUND_FRAME)
    silence = (_silent(start, min(_SOUND_FRAME, count - start)) for start in starts)
    ready_s = 0.0
    for packet in packets:
        # Both tracks grow side by side, or the muxer would keep one of them in memory.
        while ready_s <= float((packet.dts or 0) * packet.time_base) and (frame := next(silence, None)):
            new.mux(track.encode(frame))
            ready_s += _SOUND_FRAME / _SOUND_RATE_HZ
        packet.stream = new_picture
        new.mux(packet)
    for frame in silence:
        new.mux(track.encode(frame))
    new.mux(track.encode(None))


def _copy_with_new_sound(
    packets: Iterator[Packet[Stream]], sound: AudioStream, new: OutputContainer, new_picture: VideoStream
) -> None:
    track = add_aac(new)
    resampler = av.AudioResampler("fltp", "stereo", _SOUND_RATE_HZ, frame_size=_SOUND_FRAME)
    for packet in packets:
        if packet.stream is sound:
            for heard in sound.decode(packet):
                for frame in resampler.resample(heard):
                    new.mux(track.encode(frame))
        else:
            packet.stream = new_picture
            new.mux(packet)
    rest = [frame for heard in sound.decode(None) for frame in resampler.resample(heard)]
    for frame in (*rest, *resampler.resample(None)):
        new.mux(track.encode(frame))
    new.mux(track.encode(None))


def add_aac(new: OutputContainer) -> AudioStream:
    """Add an AAC track in stereo."""
    track = new.add_stream("aac", rate=_SOUND_RATE_HZ, layout="stereo")
    track.bit_rate = 128_000
    return track


def _silent(start: int, samples: int) -> av.AudioFrame:
    frame = av.AudioFrame("fltp", "stereo", samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = _SOUND_RATE_HZ
    frame.time_base = Fraction(1, _SOUND_RATE_HZ)
    frame.pts = start
    return frame


def _save_thumbnail(path: Path, thumbnail: Path, at_s: float) -> None:
    with open_movie(path) as movie:
        picture = picture_track(movie)
        at_s = _cheap_moment_s(picture, at_s)
        movie.seek(round(at_s / (picture.time_base or 1)), stream=picture)
        chosen = None
        for chosen in cropped(movie.decode(picture), clean_aperture(path)):
            if (chosen.time or 0.0) >= at_s:
                break
        if chosen is None:
            raise MediaError(_NOT_A_VIDEO, "no frame for a thumbnail")
        image = upright_picture(chosen, pixel_aspect(picture))
    image.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX), Image.Resampling.LANCZOS)
    image.save(thumbnail, "JPEG", quality=_THUMBNAIL_QUALITY)


def _cheap_moment_s(picture: VideoStream, at_s: float) -> float:
    """Return when a keyframe is shown that is as good, else the same moment.

    All frames since the keyframe before have to be decoded, which is most of what a delivery computes.
    """
    tick_s = float(picture.time_base or 1)
    starts_s = (entry.timestamp * tick_s for entry in picture.index_entries if entry.is_keyframe)
    nearest_s = min(starts_s, key=lambda start_s: abs(start_s - at_s), default=at_s)
    return nearest_s if abs(nearest_s - at_s) <= at_s / 2 else at_s
