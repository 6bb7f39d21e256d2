"""The last frame: the very last picture of any video, as a player shows it."""

from __future__ import annotations

import random
import time
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from media_samples import Clip, frames_of
from PIL import Image, ImageChops, ImageStat

from bot.errors import MediaError
from bot.media.frames import last_frame
from bot.media.process import run_in_process

X265 = (("x265-params", "log-level=none:keyint=12"),)
SOURCES = {
    "h264": Clip(),
    "one keyframe": Clip(options=(("g", "240"),)),
    "keyframes only": Clip(options=(("g", "1"),)),
    "with sound": Clip(sound="aac"),
    "fragmented": Clip(flags="+frag_keyframe+empty_moov+default_base_moof"),
    "mov": Clip(kind="mov"),
    "webm": Clip(kind="webm", codec="libvpx-vp9", sound="libopus"),
    "mkv": Clip(kind="matroska"),
    "hevc": Clip(codec="libx265", options=X265),
    "vp9": Clip(codec="libvpx-vp9"),
    "old phone": Clip(codec="mpeg4"),
}
RED, GREEN, BLUE, WHITE = (230, 30, 30), (30, 200, 30), (30, 30, 230), (240, 240, 240)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    assert picture.format == "JPEG"
    picture.load()
    return picture


def difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0]


def closest(picture: Image.Image, frames: list[Image.Image]) -> int:
    """Which of the frames it is; none looks like another."""
    apart = [difference(picture, frame) for frame in frames]
    assert min(apart) < 4
    return apart.index(min(apart))


def quarters(size: tuple[int, int] = (160, 96)) -> Image.Image:
    """Red and green above, blue and white below."""
    picture = Image.new("RGB", size, WHITE)
    width, height = size[0] // 2, size[1] // 2
    picture.paste(RED, (0, 0, width, height))
    picture.paste(GREEN, (width, 0, size[0], height))
    picture.paste(BLUE, (0, height, width, size[1]))
    return picture


def write(path: Path, pictures: list[Image.Image], turn: dict[str, Any] | None = None, **shape: Any) -> Path:
    """A video of these pictures, each with its time where `times` are given (thousandths)."""
    times = shape.pop("times", range(0, 40 * len(pictures), 40))
    colours = shape.pop("dst_colorspace", None)
    with av.open(path, "w", format=shape.pop("kind", "mp4")) as movie:
        picture = movie.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
        picture.width, picture.height = pictures[0].size
        picture.pix_fmt = "yuv420p"
        picture.codec_context.time_base = Fraction(1, 1000)
        for name, value in shape.items():
            setattr(picture.codec_context, name, value)
        if turn:
            picture.set_display_rotation(**turn)
        for image, at in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_bytes(image.tobytes("raw", "RGBX"), *image.size, format="rgba")
            frame = frame.reformat(format="yuv420p", dst_colorspace=colours, dst_color_range="MPEG")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            movie.mux(picture.encode(frame))
        movie.mux(picture.encode(None))
    return path


def stored(path: Path) -> list[tuple[int, int, int]]:
    """Where each frame begins and ends in the file, and its place in the order of showing."""
    with av.open(path) as movie:
        packets = [packet for packet in movie.demux(video=0) if packet.pos is not None]
    times = sorted(packet.pts or 0 for packet in packets)
    return [(p.pos or 0, (p.pos or 0) + p.size, times.index(p.pts or 0)) for p in packets]


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The named colours nearest to what is in the corners, row by row."""
    found: list[tuple[int, ...]] = []
    for y in (picture.height // 8, picture.height * 7 // 8):
        for x in (picture.width // 8, picture.width * 7 // 8):
            colour = picture.getpixel((x, y))
            assert isinstance(colour, tuple)
            found.append(min((RED, GREEN, BLUE, WHITE), key=lambda named: _apart(named, colour)))
    return found


@pytest.mark.parametrize("clip", SOURCES.values(), ids=SOURCES)
def test_it_is_the_very_last_frame_of_any_video(clip: Clip, tmp_path: Path) -> None:
    path = clip.write(tmp_path / "video")
    frames = frames_of(path)
    picture = opened(last_frame(path))
    assert picture.size == (160, 96)
    assert closest(picture, frames) == len(frames) - 1


def test_the_last_frame_is_the_last_whatever_the_times_between_them(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (64, 64), (shade, shade, shade)) for shade in (40, 90, 140, 190)]
    path = write(tmp_path / "video", pictures, times=[0, 7, 900, 4000])
    assert opened(last_frame(path)).convert("L").getpixel((32, 32)) == pytest.approx(190, abs=3)


def test_only_the_end_is_decoded(tmp_path: Path) -> None:
    path = Clip(seconds=40).write(tmp_path / "video")
    began = time.process_time()
    with av.open(path) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 960
    all_s = time.process_time() - began
    last_frame(path)
    assert time.process_time() - began - all_s < all_s / 3


@pytest.mark.parametrize(
    ("turn", "upright"),
    [
        ({"degrees": 90}, [GREEN, WHITE, RED, BLUE]),
        ({"degrees": 180}, [WHITE, BLUE, GREEN, RED]),
        ({"degrees": -90}, [BLUE, RED, WHITE, GREEN]),
        ({"degrees": 0, "hflip": True}, [GREEN, RED, WHITE, BLUE]),
        ({"degrees": 0, "vflip": True}, [BLUE, WHITE, RED, GREEN]),
        ({"degrees": 45}, [RED, GREEN, BLUE, WHITE]),
    ],
    ids=str,
)
def test_a_video_that_its_file_turns_comes_upright(
    turn: dict[str, Any], upright: list[tuple[int, ...]], tmp_path: Path
) -> None:
    picture = opened(last_frame(write(tmp_path / "video", [quarters()] * 2, turn)))
    assert corners(picture) == upright
    assert picture.size == ((96, 160) if abs(turn["degrees"]) == 90 else (160, 96))


def test_wide_pixels_become_square_ones(tmp_path: Path) -> None:
    wide = write(tmp_path / "wide", [quarters()], sample_aspect_ratio=Fraction(4, 3))
    narrow = write(tmp_path / "narrow", [quarters()], {"degrees": 90}, sample_aspect_ratio=Fraction(3, 4))
    assert opened(last_frame(wide)).size == (213, 96)
    assert opened(last_frame(narrow)).size == (128, 160)


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "ITU709"), ((160, 96), "ITU601")], ids=str)
def test_colours_are_those_that_players_show_where_the_file_names_none(
    size: tuple[int, int], matrix: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "video", [quarters(size)], dst_colorspace=matrix)
    picture = opened(last_frame(path))
    for named, (x, y) in ((RED, (1, 1)), (GREEN, (3, 1)), (BLUE, (1, 3))):
        colour = picture.getpixel((x * size[0] // 4, y * size[1] // 4))
        assert isinstance(colour, tuple)
        assert _apart(named, colour) <= 8


def test_the_picture_has_no_metadata_and_little_loss(tmp_path: Path) -> None:
    path = Clip(sound="aac").write(tmp_path / "video")
    picture = opened(last_frame(path))
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not picture.getexif()
    assert difference(picture, frames_of(path)[-1]) < 1


def test_no_side_is_over_4096_pixels(tmp_path: Path) -> None:
    path = write(tmp_path / "video", [Image.new("RGB", (5120, 256), RED)])
    assert opened(last_frame(path)).size == (4096, 205)


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "video", [Image.new("RGB", (4112, 4096), RED)])
    with pytest.raises(MediaError) as caught:
        last_frame(path)
    assert caught.value.code == "video_too_large"
    assert caught.value.values == {"width": 4112, "height": 4096}


@pytest.mark.parametrize("clip", ["h264", "webm", "vp9", "hevc", "keyframes only"])
def test_of_a_video_that_is_cut_off_it_is_the_last_whole_frame(clip: str, tmp_path: Path) -> None:
    flags = "" if clip == "webm" else "+faststart"
    path = Clip(**vars(SOURCES[clip]) | {"seconds": 3, "flags": flags}).write(tmp_path / "video")
    frames, data, places = frames_of(path), path.read_bytes(), stored(path)
    for share in (0.4, 0.5, 0.75, 0.9):
        cut = int(len(data) * share)
        path.write_bytes(data[:cut])
        expected = max(shown for _, end, shown in places if end <= cut)
        assert closest(opened(last_frame(path)), frames) == expected


@pytest.mark.parametrize("clip", ["h264", "hevc"])
def test_of_a_video_with_a_broken_end_it_is_a_whole_frame_shortly_before(clip: str, tmp_path: Path) -> None:
    path = Clip(**vars(SOURCES[clip]) | {"seconds": 3, "flags": "+faststart"}).write(tmp_path / "video")
    frames, data, places = frames_of(path), path.read_bytes(), stored(path)
    noise = random.Random(5).randbytes(len(data))
    for share in (0.4, 0.6, 0.8, 0.95):
        for filling in (noise, bytes(len(data))):
            broken = int(len(data) * share)
            path.write_bytes(data[:broken] + filling[broken:])
            latest = max(shown for _, end, shown in places if end <= broken)
            assert latest - 12 <= closest(opened(last_frame(path)), frames) <= latest


@pytest.mark.parametrize("clip", ["h264", "hevc", "old phone"])
def test_a_frame_drawn_upon_a_broken_one_is_not_taken(clip: str, tmp_path: Path) -> None:
    path = Clip(**vars(SOURCES[clip]) | {"flags": "+faststart"}).write(tmp_path / "video")
    frames, data, places = frames_of(path), bytearray(path.read_bytes()), stored(path)
    begin, end, shown = places[-6]
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    assert shown - 12 <= closest(opened(last_frame(path)), frames) < shown


def test_what_is_not_a_video_is_refused(tmp_path: Path) -> None:
    index_last = Clip().write(tmp_path / "last").read_bytes()
    photo = tmp_path / "photo.jpg"
    quarters().save(photo)
    refused = {
        "empty": b"",
        "text": b"<!doctype html>" * 50,
        "photo": photo.read_bytes(),
        "cut before its index": index_last[: len(index_last) // 2],
        "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        "no whole frame": Clip(flags="+faststart").write(tmp_path / "first").read_bytes()[:1600],
    }
    for name, data in refused.items():
        path = tmp_path / "refused"
        path.write_bytes(data)
        with pytest.raises(MediaError) as caught:
            last_frame(path)
        assert caught.value.code == "not_a_video", name


async def test_it_is_found_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "video")
    assert await run_in_process(last_frame, path, limit_s=30) == last_frame(path)


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
