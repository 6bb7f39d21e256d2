"""Make videos fit to send: an MP4 that plays while it loads, with sound, a mark and a thumbnail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count
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

from bot.media.atomic_write import atomic_write
from bot.media.boxes import is_indexed_first
from bot.media.media_info import VideoInfo
from bot.media.provenance import Provenance, mark_video
from bot.media.upright import pixel_aspect, upright_picture
from bot.media.videos import VideoReader, open_movie

THUMBNAIL_SIDE_PX = 320  # Telegram's limit, with 200 kB: core.telegram.org/bots/api#inputmediavideo
_THUMBNAIL_QUALITY = 85  # at this size never above 150 kB
_KEPT_SOUND = ("aac", "mp3")  # what phones play inside MP4; anything else becomes AAC
SOUND_RATE_HZ = 48_000
SOUND_BITS_PER_S = 128_000
_SOUND_FRAME = 1024  # samples in a frame of AAC


def take_video(source: Path, target: Path, thumbnail: Path, provenance: Provenance) -> VideoInfo:
    """Make `target` of `source`, as it is to be sent, and a JPEG of a keyframe near its first third.

    A file that plays as it is becomes `target` itself: a mark is added to both, unless it carries one. Of any
    other the packets are copied, never encoded again, and a silent one gets a silent track, because Telegram
    shows a video without sound as a GIF. If phones may not play it as it is meant, `target` is the source as
    it came: it is to be encoded in a step of its own.

    The file is read once. `target` appears only when it is complete. Raises what `probe_video` raises, and
    `MediaError("disk_full")`.
    """
    with open_movie(source) as movie, atomic_write(target) as part:
        reader = VideoReader(movie, source)
        is_kept = _plays_as_it_is(movie, reader, source) or not reader.is_usual_codec
        if is_kept:
            for _ in reader.packets():
                pass
        else:
            _copy(reader, part)
        facts = reader.facts()
        _save_thumbnail(reader, thumbnail, facts.duration_s / 3)
        if is_kept or facts.needs_encoding:
            _link(source, part)
        if facts.needs_encoding:
            return facts
        mark_video(part, provenance)
        return replace(facts, bytes=part.stat().st_size, has_audio=True)


def _plays_as_it_is(movie: InputContainer, reader: VideoReader, path: Path) -> bool:
    has_sound = reader.sound is not None and reader.sound.codec_context.name in _KEPT_SOUND
    return has_sound and len(movie.streams) == 2 and is_indexed_first(path)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        copyfile(source, target)


def _copy(reader: VideoReader, target: Path) -> None:
    with av.open(target, "w", format="mp4", options={"movflags": "+faststart"}) as new:
        picture, sound = reader.picture, reader.sound
        new_picture = new.add_stream_from_template(picture, opaque=True)
        if picture.codec_context.name == "hevc":
            new_picture.codec_context.codec_tag = "hvc1"  # Apple's players know no other
        if sound is None:
            _copy_with_silence(reader, new, new_picture)
        elif sound.codec_context.name in _KEPT_SOUND:
            new_sound = new.add_stream_from_template(sound)
            for packet in reader.packets():
                packet.stream = new_picture if packet.stream is picture else new_sound
                new.mux(packet)
        else:
            _copy_with_new_sound(reader.packets(), sound, new, new_picture)


def _copy_with_silence(reader: VideoReader, new: OutputContainer, new_picture: VideoStream) -> None:
    silence = _silence(add_aac(new))
    at = -_SOUND_FRAME
    for packet in reader.packets():
        # Both tracks grow side by side, or the muxer would keep one of them in memory.
        while at <= (packet.dts or 0) * packet.time_base * SOUND_RATE_HZ:
            new.mux(next(silence))
            at += _SOUND_FRAME
        packet.stream = new_picture
        new.mux(packet)
    for start in range(at, ends := ceil(reader.length_s() * SOUND_RATE_HZ), _SOUND_FRAME):
        silent = next(silence)
        silent.duration = min(_SOUND_FRAME, ends - start)
        new.mux(silent)


def _silence(track: AudioStream) -> Iterator[Packet[Stream]]:
    """Yield silence without end: to encode all of it took most of what a delivery computed."""
    starts = (0, _SOUND_FRAME, 2 * _SOUND_FRAME)
    encoded = [bytes(packet) for start in starts for packet in track.encode(_silent(start))]
    for number in count():
        packet = Packet(encoded[min(number, len(encoded) - 1)])
        packet.stream, packet.time_base = track, Fraction(1, SOUND_RATE_HZ)
        # The first frame only prepares the decoder; it is not heard.
        packet.pts = packet.dts = (number - 1) * _SOUND_FRAME
        packet.duration = _SOUND_FRAME
        yield packet


def _silent(start: int) -> av.AudioFrame:
    frame = av.AudioFrame("fltp", "stereo", samples=_SOUND_FRAME)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = SOUND_RATE_HZ
    frame.time_base = Fraction(1, SOUND_RATE_HZ)
    frame.pts = start
    return frame


def _copy_with_new_sound(
    packets: Iterator[Packet[Stream]], sound: AudioStream, new: OutputContainer, new_picture: VideoStream
) -> None:
    track = add_aac(new)
    resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE_HZ, frame_size=_SOUND_FRAME)
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
    track = new.add_stream("aac", rate=SOUND_RATE_HZ, layout="stereo")
    track.bit_rate = SOUND_BITS_PER_S
    return track


def _save_thumbnail(reader: VideoReader, thumbnail: Path, at_s: float) -> None:
    image = upright_picture(reader.keyframe(at_s), pixel_aspect(reader.picture))
    image.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX), Image.Resampling.LANCZOS)
    image.save(thumbnail, "JPEG", quality=_THUMBNAIL_QUALITY)
