"""Videos that some phones do not show as they are meant, and the form that all of them play."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Stream
from media_samples import MADE, Clip
from PIL import Image
from test_media_frames import BLUE, GREEN, RED, WHITE, corners, quarters, write

from bot.media.join import shrink_video
from bot.media.remux import take_video
from bot.media.upright import Aperture, clean_aperture
from bot.media.videos import probe_video
from bot.media.yuv import picture_of

ROOMY = 50_000_000
UNUSUAL = {
    "vp8": Clip(kind="webm", codec="libvpx", options=()),
    "vp9": Clip(kind="webm", codec="libvpx-vp9", options=()),
    "vp9 in mp4": Clip(codec="libvpx-vp9", options=()),
    "av1": Clip(codec="libsvtav1", options=(("preset", "12"),), seconds=0.5),
    "mpeg4": Clip(codec="mpeg4", options=()),
    "motion jpeg": Clip(kind="mov", codec="mjpeg", pixels="yuvj420p", options=()),
    "hevc without hvc1": Clip(codec="libx265", options=(("x265-params", "log-level=none"),)),
    "10 bit": Clip(pixels="yuv420p10le"),
    "4:2:2": Clip(pixels="yuv422p"),
    "4:4:4": Clip(pixels="yuv444p"),
    "gif": Clip(kind="gif", codec="gif", pixels="rgb8", options=()),
}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "source", tmp_path / "target.mp4", tmp_path / "thumbnail.jpg"


def plays_everywhere(path: Path) -> bool:
    facts = probe_video(path)
    with av.open(path) as movie:
        is_mp4 = "mp4" in movie.format.name
    is_h264 = (facts.video_codec, facts.pix_fmt, facts.has_audio) == ("h264", "yuv420p", True)
    return is_mp4 and is_h264 and not facts.needs_encoding and not facts.is_shrunk


@pytest.mark.parametrize("clip", UNUSUAL.values(), ids=UNUSUAL)
def test_what_some_phones_do_not_play_becomes_h264(clip: Clip, places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    clip.write(source)
    facts = take_video(source, target, thumbnail, MADE)
    assert facts.needs_encoding
    assert target.read_bytes() == source.read_bytes(), "nothing is lost before it is encoded"
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)
    assert probe_video(source).duration_s == pytest.approx(clip.seconds, abs=0.1)


USUAL = {
    "plain": Clip(),
    "with sound": Clip(sound="aac"),
    "mov": Clip(kind="mov"),
    "mkv": Clip(kind="matroska"),
    "fragmented": Clip(flags="+frag_keyframe+empty_moov+default_base_moof"),
    "full range": Clip(pixels="yuvj420p"),
}


@pytest.mark.parametrize("clip", USUAL.values(), ids=USUAL)
def test_what_all_phones_play_is_not_encoded(clip: Clip, places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    clip.write(source)
    assert not take_video(source, target, thumbnail, MADE).needs_encoding
    with av.open(source) as old, av.open(target) as new:
        pictures = [[bytes(one) for one in movie.demux(video=0) if one.size] for movie in (old, new)]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("turn", "upright"),
    [
        ({"degrees": 90}, [GREEN, WHITE, RED, BLUE]),
        ({"degrees": 180}, [WHITE, BLUE, GREEN, RED]),
        ({"degrees": -90}, [BLUE, RED, WHITE, GREEN]),
        ({"degrees": 0, "hflip": True}, [GREEN, RED, WHITE, BLUE]),
        ({"degrees": 0, "vflip": True}, [BLUE, WHITE, RED, GREEN]),
    ],
    ids=str,
)
def test_a_turned_video_is_told_shown_and_encoded_as_it_is_seen(
    turn: dict[str, Any], upright: list[tuple[int, ...]], places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    write(source, [quarters()] * 6, turn)
    facts = take_video(source, target, thumbnail, MADE)
    size = (96, 160) if abs(turn["degrees"]) == 90 else (160, 96)
    assert (facts.width, facts.height, facts.needs_encoding) == (*size, True)
    assert_shown(thumbnail, target, source, size, upright)


def test_square_pixels_are_made_of_others(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    write(source, [quarters()] * 6, sample_aspect_ratio=Fraction(3, 2))
    facts = take_video(source, target, thumbnail, MADE)
    assert (facts.width, facts.height, facts.needs_encoding) == (240, 96, True)
    assert_shown(thumbnail, target, source, (240, 96), [RED, GREEN, BLUE, WHITE])


def test_odd_sides_are_made_even(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    Clip(size=(161, 97), pixels="yuv444p").write(source)
    assert take_video(source, target, thumbnail, MADE).needs_encoding
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)
    assert probe_video(source).width % 2 == probe_video(source).height % 2 == 0


def test_only_the_clean_aperture_is_shown(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    picture = Image.new("RGB", (200, 120), (0, 0, 0))
    picture.paste(quarters(), (30, 14))
    write(source, [picture] * 6)
    # 160 x 96, its middle 10 to the right and 2 below the middle of the frame.
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", 160, 1, 96, 1, 10, 1, 2, 1)
    source.write_bytes(with_entry_box(source.read_bytes(), clap))
    assert clean_aperture(source) == Aperture(160, 96, 30, 14)
    facts = take_video(source, target, thumbnail, MADE)
    assert (facts.width, facts.height, facts.needs_encoding) == (160, 96, True)
    assert_shown(thumbnail, target, source, (160, 96), [RED, GREEN, BLUE, WHITE])


def test_a_picture_that_begins_late_or_in_the_middle_is_brought_to_the_start(
    places: tuple[Path, Path, Path],
) -> None:
    source, target, thumbnail = places
    write(source, [quarters()] * 10, times=range(600, 1000, 40))
    assert take_video(source, target, thumbnail, MADE).needs_encoding
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)
    Clip().write(source)
    source.write_bytes(with_later_start(source.read_bytes(), 0.25))
    facts = take_video(source, target, thumbnail, MADE)
    assert facts.needs_encoding
    assert facts.duration_s == pytest.approx(0.75, abs=0.1)
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)
    assert probe_video(source).duration_s == pytest.approx(0.75, abs=0.1)


def test_a_picture_that_begins_without_its_keyframe_is_brought_to_the_next(
    places: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    source, target, thumbnail = places
    clip = Clip(sound="aac").write(tmp_path / "whole.mp4")
    options = {"movflags": "faststart"}
    with av.open(clip) as whole, av.open(source, "w", format="mp4", options=options) as cut:
        tracks: dict[Stream, Stream] = {
            whole.streams.video[0]: cut.add_stream_from_template(whole.streams.video[0]),
            whole.streams.audio[0]: cut.add_stream_from_template(whole.streams.audio[0]),
        }
        pictures = 0
        for packet in whole.demux():
            pictures += packet.stream.type == "video"
            if packet.size and (packet.stream.type == "audio" or pictures > 3):
                packet.stream = tracks[packet.stream]
                cut.mux(packet)
    assert take_video(source, target, thumbnail, MADE).needs_encoding
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)
    with av.open(source) as shown:
        assert next(shown.demux(video=0)).is_keyframe


def test_h264_whose_parameters_are_among_its_frames_is_encoded(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    data = Clip(sound="aac", flags="+faststart").write(source).read_bytes()
    at = data.index(b"avc1", data.index(b"stsd"))
    source.write_bytes(data[:at] + b"avc3" + data[at + 4 :])
    assert take_video(source, target, thumbnail, MADE).needs_encoding
    shrink_video(target, source, ROOMY, MADE)
    assert plays_everywhere(source)


def assert_shown(
    thumbnail: Path, target: Path, again: Path, size: tuple[int, int], upright: list[tuple[int, ...]]
) -> None:
    """The thumbnail of the file that came, and what is made of it."""
    with Image.open(thumbnail) as picture:
        assert picture.size == size
        assert corners(picture.convert("RGB")) == upright
    shrink_video(target, again, ROOMY, MADE)
    assert plays_everywhere(again)
    with av.open(again) as movie:
        frame = next(movie.decode(video=0))
        assert (frame.width, frame.height) == size
        assert corners(picture_of(frame)) == upright


def with_entry_box(data: bytes, box: bytes) -> bytes:
    """The same MP4, its index last, with a box more in the description of its picture."""
    entry = data.index(b"avc1", data.index(b"stsd")) - 4
    end = entry + int.from_bytes(data[entry : entry + 4])
    changed = bytearray(data[:end] + box + data[end:])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        at = data.rindex(kind, 0, entry) - 4
        changed[at : at + 4] = (int.from_bytes(data[at : at + 4]) + len(box)).to_bytes(4)
    changed[entry : entry + 4] = (end - entry + len(box)).to_bytes(4)
    return bytes(changed)


def with_later_start(data: bytes, later_s: float) -> bytes:
    """The same MP4, whose edit list leaves out the first `later_s`."""
    scale = int.from_bytes(data[data.index(b"mdhd") + 16 :][:4])
    at = data.index(b"elst") + 16
    start = int.from_bytes(data[at : at + 4]) + round(later_s * scale)
    return data[:at] + start.to_bytes(4) + data[at + 4 :]
