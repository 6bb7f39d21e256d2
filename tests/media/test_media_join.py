"""Two videos as one film: the seam, the sound, the shapes, and what is refused."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from math import pi, sin
from pathlib import Path
from typing import Any, cast

import av
import pytest
from av.audio import AudioStream
from av.codec.context import Flags
from media_samples import MADE, Clip, boxes
from PIL import Image, ImageStat

from bot.errors import MediaError
from bot.media.frames import last_frame
from bot.media.join import join_shots, join_videos, shrink_video
from bot.media.process import run_in_process
from bot.media.videos import probe_video

SIZE = (160, 96)
RATE_HZ = 48_000
RED, BLUE = (220, 40, 40), (40, 40, 220)
PALE = 250

Places = tuple[Path, Path, Path]


@dataclass(frozen=True)
class Piece:
    """A video to make: a picture for each frame, and 40 ms of sound each: loud, silent, or left out."""

    pictures: Sequence[Image.Image]
    heard: Sequence[bool | None] | None = None
    kind: str = "mp4"
    codec: str = "libx264"
    sound: str = "aac"
    sound_rate_hz: int = RATE_HZ
    layout: str = "stereo"
    step_ms: int | Sequence[int] = 40
    starts_ms: int = 0
    turn: int = 0
    pix_fmt: str = "yuv420p"
    matrix: str | None = None
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "10"})

    def write(self, path: Path) -> Path:
        with av.open(path, "w", format=self.kind) as movie:
            picture = cast(Any, movie.add_stream(self.codec, rate=25, options=self.options))
            picture.width, picture.height = self.pictures[0].size
            picture.pix_fmt = self.pix_fmt
            picture.codec_context.time_base = Fraction(1, 1000)
            picture.codec_context.flags |= Flags.frame_duration
            if self.turn:
                picture.set_display_rotation(self.turn)
            track = None
            if self.heard is not None:
                track = movie.add_stream(self.sound, rate=self.sound_rate_hz, layout=self.layout)
            for index, image in enumerate(self.pictures):
                movie.mux(picture.encode(self._frame(image, index)))
            for index, loud in enumerate(self.heard or ()):
                if loud is not None:
                    movie.mux(cast(AudioStream, track).encode(self._sound_frame(index, loud=loud)))
            movie.mux(picture.encode(None))
            if track is not None:
                movie.mux(cast(AudioStream, track).encode(None))
        return path

    def _frame(self, image: Image.Image, index: int) -> av.VideoFrame:
        frame = av.VideoFrame.from_bytes(image.tobytes("raw", "RGBX"), *image.size, format="rgba")
        frame = frame.reformat(format=self.pix_fmt, dst_colorspace=self.matrix, dst_color_range="MPEG")
        steps = [self.step_ms] * (index + 1) if isinstance(self.step_ms, int) else self.step_ms[: index + 1]
        frame.pts, frame.time_base = self.starts_ms + sum(steps[:-1]), Fraction(1, 1000)
        frame.duration = steps[-1]
        return frame

    def _sound_frame(self, index: int, *, loud: bool) -> av.AudioFrame:
        rate_hz, count = self.sound_rate_hz, self.sound_rate_hz // 25
        wave = [sin(2 * pi * 440 * (index * count + n) / rate_hz) for n in range(count)]
        channels = 2 if self.layout == "stereo" else 1
        samples = array("h", [round(12_000 * loud * value) for value in wave for _ in range(channels)])
        frame = av.AudioFrame("s16", self.layout, samples=count)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        frame.pts = index * count
        return frame


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return tmp_path / "first", tmp_path / "second", tmp_path / "film.mp4"


def greys(*levels: int, size: tuple[int, int] = SIZE) -> list[Image.Image]:
    return [Image.new("RGB", size, (level, level, level)) for level in levels]


def two_halves(
    size: tuple[int, int], left: tuple[int, ...] = RED, right: tuple[int, ...] = BLUE
) -> Image.Image:
    picture = Image.new("RGB", size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    return picture


def noise(size: tuple[int, int], count: int) -> list[Image.Image]:
    chance = random.Random(1)
    return [Image.frombytes("RGB", size, chance.randbytes(3 * size[0] * size[1])) for _ in range(count)]


def shown(path: Path) -> list[Image.Image]:
    with av.open(path) as film:
        return [
            Image.frombytes(
                "RGB",
                (frame.width, frame.height),
                bytes(plane := frame.reformat(format="rgb24").planes[0]),
                "raw",
                "RGB",
                plane.line_size,
            )
            for frame in film.decode(video=0)
        ]


def levels_of(path: Path) -> list[float]:
    return [ImageStat.Stat(picture.convert("L")).mean[0] for picture in shown(path)]


def times_ms(path: Path) -> list[int]:
    """When each frame is shown, and when the last ends."""
    with av.open(path) as film:
        frames = list(film.decode(video=0))
    assert frames[-1].time_base is not None
    end = ((frames[-1].pts or 0) + frames[-1].duration) * frames[-1].time_base
    return [round(1000 * frame.time) for frame in frames] + [round(1000 * end)]


def loudness(path: Path, step_ms: int = 20) -> list[float]:
    """Of the film's sound, step by step: about 0.26 where a piece is loud."""
    samples = array("f")
    with av.open(path) as film:
        (track,) = film.streams.audio
        assert (track.codec_context.name, track.codec_context.layout.name) == ("aac", "stereo")
        assert track.codec_context.sample_rate == RATE_HZ
        for frame in film.decode(track):
            samples.frombytes(bytes(frame.planes[0])[: 4 * frame.samples])
    step = RATE_HZ * step_ms // 1000
    pieces = (samples[at : at + step] for at in range(0, len(samples) - step + 1, step))
    return [(sum(value * value for value in piece) / step) ** 0.5 for piece in pieces]


def is_near(one: tuple[int, ...], picture: Image.Image, at: tuple[int, int]) -> bool:
    colour = cast(tuple[int, ...], picture.getpixel(at))
    return all(abs(a - b) <= 12 for a, b in zip(one, colour, strict=True))


def test_every_frame_is_shown_once_and_the_one_at_the_seam_too(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60, 80, 100, 120)).write(first)
    Piece(greys(120, 140, 160, 180, 200)).write(second)
    facts = join_videos(first, second, target)
    assert levels_of(target) == pytest.approx([40, 60, 80, 100, 120, 140, 160, 180, 200], abs=3)
    assert times_ms(target) == [0, 40, 80, 120, 160, 200, 240, 280, 320, 360]
    assert facts == probe_video(target)
    assert facts.duration_s == pytest.approx(0.36, abs=0.001)


def test_at_a_cut_every_frame_is_shown(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60)).write(first)
    Piece(greys(60, 80)).write(second)
    join_shots([first, second, first], [False, False, True], target)
    assert levels_of(target) == pytest.approx([40, 60, 60, 80, 60], abs=3)


def test_the_film_is_what_telegram_plays_while_it_loads(places: Places) -> None:
    first, second, target = places
    Clip(seconds=2).write(first)
    Clip(kind="webm", codec="libvpx-vp9", sound="libopus", seconds=2).write(second)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height, facts.video_codec, facts.pix_fmt) == (*SIZE, "h264", "yuv420p")
    assert facts.has_audio
    assert facts.duration_s == pytest.approx(4 - 1 / 24, abs=0.005)
    assert boxes(target).index("moov") < boxes(target).index("mdat")
    assert sorted(path.name for path in target.parent.iterdir()) == ["film.mp4", "first", "second"]


def test_frames_keep_their_times_whatever_they_are(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60, 80, 100), step_ms=[10, 300, 33, 40]).write(first)
    Piece(greys(100, 120, 140), step_ms=50).write(second)
    join_videos(first, second, target)
    assert times_ms(target) == [0, 10, 310, 343, 383, 433, 483]


def test_of_frames_with_the_same_time_one_is_shown(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60, 80, 100), kind="matroska", options={"g": "1", "bf": "0"}).write(second)
    with av.open(second) as old, av.open(first, "w", format="matroska") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.pts = packet.dts = (packet.pts or 0) // 80 * 80
                packet.stream = track
                new.mux(packet)
    join_videos(first, second, target)
    assert levels_of(target) == pytest.approx([40, 80, 60, 80, 100], abs=3)


@pytest.mark.parametrize(
    ("first_heard", "second_heard", "loud"),
    [
        ([True] * 25, None, (range(2, 48), range(52, 98))),
        (None, [True] * 25, (range(52, 96), range(48))),
        ([True] * 25, [True] * 25, (range(2, 96), range(0))),
        ([False] * 25, [False] * 12 + [True] * 13, (range(75, 96), range(70))),
        ([True] * 10, [False] * 25, (range(2, 18), range(23, 96))),
        (None, None, (range(0), range(96))),
    ],
    ids=["first", "second", "both", "late in the second", "early in the first", "neither"],
)
def test_each_piece_keeps_its_sound_in_its_place(
    first_heard: list[bool] | None,
    second_heard: list[bool] | None,
    loud: tuple[range, range],
    places: Places,
) -> None:
    first, second, target = places
    Piece(greys(*[90] * 25), first_heard).write(first)
    Piece(greys(*[90] * 25), second_heard).write(second)
    join_videos(first, second, target)
    heard = loudness(target)
    assert len(heard) == pytest.approx((25 + 24) * 2, abs=2)
    for step in loud[0]:
        assert heard[step] == pytest.approx(0.26, abs=0.04), step
    for step in loud[1]:
        assert heard[step] < 0.02, step


def test_sound_and_picture_of_the_second_stay_together(places: Places) -> None:
    first, second, target = places
    Piece(greys(*[90] * 25)).write(first)
    Piece(greys(90, 90, 90, PALE, 90, 90), [False] * 9 + [True] * 9, step_ms=120).write(second)
    join_videos(first, second, target)
    pale = next(index for index, level in enumerate(levels_of(target)) if level > 200)
    loud = next(step for step, level in enumerate(loudness(target, step_ms=5)) if level > 0.1)
    assert 5 * loud == pytest.approx(times_ms(target)[pale], abs=15)


def test_sound_that_begins_before_its_picture_or_stops_for_a_while_stays_in_place(places: Places) -> None:
    first, second, target = places
    shape: dict[str, Any] = {"kind": "matroska", "sound": "pcm_s16le"}
    Piece(greys(*[90] * 20), [True] * 5 + [False] * 5 + [True] * 15, starts_ms=200, **shape).write(first)
    Piece(greys(*[90] * 25), [None] * 5 + [True] * 5 + [None] * 10 + [True] * 5, **shape).write(second)
    join_videos(first, second, target)
    heard = [level > 0.1 for level in loudness(target, step_ms=40)]
    expected = [False] * 5 + [True] * 15 + [False] * 4 + [True] * 5 + [False] * 10 + [True] * 5
    apart = [step for step, pair in enumerate(zip(heard, expected, strict=False)) if pair[0] != pair[1]]
    assert apart == []


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "webm", "codec": "libvpx-vp9", "sound": "libopus", "options": {}},
        {"sound": "libmp3lame"},
        {"sound_rate_hz": 44_100, "layout": "mono"},
        {"kind": "matroska", "sound": "pcm_s16le", "sound_rate_hz": 16_000},
    ],
    ids=["opus", "mp3", "mono", "pcm"],
)
def test_sound_of_any_kind_goes_on_without_a_break(shape: dict[str, Any], places: Places) -> None:
    first, second, target = places
    Piece(greys(*[90] * 25), [True] * 25, **shape).write(first)
    Piece(greys(*[90] * 25), [True] * 25, **shape).write(second)
    join_videos(first, second, target)
    assert min(loudness(target)[3:94]) > 0.15


def test_a_second_of_the_same_shape_fills_the_film(places: Places) -> None:
    first, second, target = places
    Piece([two_halves((320, 192))] * 2).write(first)
    Piece([two_halves((160, 96), BLUE, RED)] * 2).write(second)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height) == (320, 192)
    *_, last = shown(target)
    for x, y in ((2, 2), (150, 96), (2, 189)):
        assert is_near(BLUE, last, (x, y))
        assert is_near(RED, last, (319 - x, y))


def test_a_second_of_nearly_the_same_shape_has_no_bars(places: Places) -> None:
    first, second, target = places
    Piece([two_halves((320, 180))] * 2).write(first)
    Piece([two_halves((316, 180))] * 2).write(second)
    join_videos(first, second, target)
    *_, last = shown(target)
    assert is_near(RED, last, (1, 1))
    assert is_near(BLUE, last, (318, 178))


def test_a_second_of_another_shape_stands_between_bars_undistorted(places: Places) -> None:
    first, second, target = places
    Piece([two_halves((320, 192))] * 2).write(first)
    Piece([two_halves((96, 160))] * 2).write(second)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height) == (320, 192)
    *_, last = shown(target)
    edge = (320 - 192 * 96 / 160) / 2
    for y in (3, 96, 188):
        assert is_near((0, 0, 0), last, (4, y))
        assert is_near((0, 0, 0), last, (int(edge) - 4, y))
        assert is_near(RED, last, (int(edge) + 6, y))
        assert is_near(BLUE, last, (320 - int(edge) - 6, y))
        assert is_near((0, 0, 0), last, (315, y))


def test_a_turned_first_gives_an_upright_film(places: Places) -> None:
    first, second, target = places
    Piece([two_halves((192, 96))] * 2, turn=90).write(first)
    Piece([two_halves((96, 192))] * 2).write(second)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height) == (96, 192)
    opening, *_, last = shown(target)
    # Turned to the left, the right half is above.
    assert is_near(BLUE, opening, (48, 4))
    assert is_near(RED, opening, (48, 187))
    assert is_near(RED, last, (4, 96))
    assert is_near(BLUE, last, (91, 96))
    with av.open(target) as film:
        assert next(film.decode(video=0)).rotation == 0


def test_colours_do_not_change_at_the_seam_where_the_files_differ(places: Places) -> None:
    first, second, target = places
    Piece([Image.new("RGB", (1280, 720), RED)] * 2, matrix="ITU709").write(first)
    Piece([Image.new("RGB", (320, 180), RED)] * 2, matrix="ITU601", pix_fmt="yuv444p").write(second)
    join_videos(first, second, target)
    for picture in shown(target):
        assert is_near(RED, picture, (640, 360))


def test_a_large_first_is_made_smaller_and_odd_sides_even(places: Places) -> None:
    first, second, target = places
    Piece([two_halves((2560, 1440))] * 2).write(first)
    Piece([two_halves((1280, 720))] * 2).write(second)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height) == (1920, 1080)
    Piece([two_halves((161, 97))] * 2, pix_fmt="yuv444p").write(first)
    facts = join_videos(first, second, target)
    assert (facts.width, facts.height) == (160, 96)


def test_keyframes_of_the_sources_are_not_repeated(places: Places) -> None:
    first, second, target = places
    keyframes_only = Clip(options=(("g", "1"),))
    join_videos(keyframes_only.write(first), keyframes_only.write(second), target)
    with av.open(target) as film:
        assert sum(packet.is_keyframe for packet in film.demux(video=0)) <= 2


@pytest.mark.parametrize("max_bytes", [250_000, 400_000])
def test_a_film_that_would_be_too_large_is_made_to_fit(max_bytes: int, places: Places) -> None:
    first, second, target = places
    Piece(noise(SIZE, 50)).write(first)
    Piece(noise(SIZE, 50)).write(second)
    assert join_videos(first, second, target).bytes > 500_000
    facts = join_videos(first, second, target, max_bytes)
    assert max_bytes / 2 < facts.bytes <= max_bytes
    assert facts.duration_s == pytest.approx(99 / 25, abs=0.01)


def test_a_video_that_is_too_large_is_made_smaller_and_its_file_says_so(places: Places) -> None:
    source, _, target = places
    Piece(noise(SIZE, 50)).write(source)
    before = probe_video(source)
    facts = shrink_video(source, target, before.bytes // 2, MADE)
    assert facts.bytes <= before.bytes // 2
    assert facts.duration_s == pytest.approx(before.duration_s, abs=0.01)
    assert (facts.width, facts.height, facts.has_audio) == (before.width, before.height, True)
    assert (before.is_shrunk, facts.is_shrunk) == (False, True)


def test_a_film_that_cannot_be_made_to_fit_is_refused(places: Places) -> None:
    first, second, target = places
    Piece(noise(SIZE, 25)).write(first)
    Piece(noise(SIZE, 25)).write(second)
    with pytest.raises(MediaError) as caught:
        join_videos(first, second, target, 1_000)
    assert caught.value.code == "too_large"
    assert not target.exists()


def test_a_first_that_was_cut_off_goes_on_from_its_last_whole_frame(places: Places) -> None:
    first, second, target = places
    whole = Clip(sound="aac", seconds=3, flags="+faststart").write(first).read_bytes()
    first.write_bytes(whole[: len(whole) * 2 // 3])
    Piece(greys(PALE, PALE, PALE)).write(second)
    join_videos(first, second, target)
    *_, seam, pale, _ = shown(target)
    expected = Image.open(BytesIO(last_frame(first))).convert("L")
    apart = [abs(a - b) for a, b in zip(seam.convert("L").tobytes(), expected.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 3
    assert is_near((PALE,) * 3, pale, (80, 48))


def test_a_second_of_one_frame_adds_nothing(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60, 80)).write(first)
    Piece(greys(80)).write(second)
    join_videos(first, second, target)
    assert levels_of(target) == pytest.approx([40, 60, 80], abs=3)


def test_what_is_not_a_video_is_refused_and_nothing_is_left(places: Places) -> None:
    first, second, target = places
    for broken, whole in ((first, second), (second, first)):
        broken.write_bytes(b"<!doctype html>" * 50)
        Clip().write(whole)
        with pytest.raises(MediaError) as caught:
            join_videos(first, second, target)
        assert caught.value.code == "not_a_video"
        assert sorted(target.parent.iterdir()) == [first, second]


def test_too_many_pixels_are_refused(places: Places) -> None:
    first, second, target = places
    Clip().write(first)
    Piece([Image.new("RGB", (4112, 4096))]).write(second)
    with pytest.raises(MediaError) as caught:
        join_videos(first, second, target)
    assert caught.value.code == "video_too_large"


def test_a_broken_clock_is_refused(places: Places) -> None:
    first, second, target = places
    Piece(greys(40, 60, 80), step_ms=[40, 40_000_000, 40]).write(first)
    Clip().write(second)
    with pytest.raises(MediaError) as caught:
        join_videos(first, second, target)
    assert caught.value.code == "not_a_video"


def test_a_full_disk_is_no_fault_of_the_videos(places: Places) -> None:
    first, second, target = places
    Piece(noise(SIZE, 10)).write(first)
    Piece(noise(SIZE, 10)).write(second)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(MediaError) as caught:
            join_videos(first, second, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "disk_full"
    assert sorted(target.parent.iterdir()) == [first, second]


async def test_it_works_in_a_process_of_its_own(places: Places) -> None:
    first, second, target = places
    Clip().write(first)
    Clip().write(second)
    facts = await run_in_process(join_videos, first, second, target, limit_s=30)
    assert facts == probe_video(target)
    second.write_bytes(b"")
    with pytest.raises(MediaError, match="not_a_video"):
        await run_in_process(join_videos, first, second, target, limit_s=30)


MEASURE = """
import gc, sys
from pathlib import Path
from bot.media.join import join_videos, shrink_video

def peak_kb():
    # The figure of getrusage would begin with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

gc.disable()  # what only the garbage collector would free counts as held
short, long, target = (Path(place) for place in sys.argv[1:])
join_videos(short, short, target)
before_kb = peak_kb()
join_videos(long, long, target)
print(peak_kb() - before_kb)
"""


def test_frames_stream_through(places: Places) -> None:
    """Six hundred frames of 345 kB each, and sound."""
    first, second, target = places
    picture = two_halves((640, 360))
    Piece([picture] * 50, [True] * 50).write(first)
    Piece([picture] * 300, [True] * 300).write(second)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(first), str(second), str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < 20_000
