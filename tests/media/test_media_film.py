"""Preview films: real MP4s in the asked shape and length, the same each time, and quick to make."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import pytest
from media_samples import boxes, encoded, frames_of, waves_photo
from PIL import Image, ImageChops, ImageStat

from bot.errors import MediaError
from bot.media.drawing.encode import FRAMES_PER_S, write_film
from bot.media.drawing.film import film_photo, film_photos, film_words
from bot.media.drawing.sound import PAD_RATE_HZ, play_pad
from bot.media.drawing.titles import set_mark, without_mark
from bot.media.frames import last_frame
from bot.media.media_info import SIZES
from bot.media.process import run_in_process
from bot.media.videos import probe_video
from bot.media.yuv import Planes, planes_of
from bot.request import CAMERAS, VideoRequest, closest_ratio

SMALL = 0.25


def last_picture(film: Path) -> Image.Image:
    return Image.open(BytesIO(last_frame(film)))


def picture_of_planes(planes: Planes) -> Image.Image:
    sides = planes.luma.size
    luma = planes.luma.point([max(0, min(255, round((value - 16) * 255 / 219))) for value in range(256)])
    return Image.merge("RGB", [luma.resize(sides)] * 3)


def wish(prompt: str = "", seconds: int = 1, **fields: object) -> VideoRequest:
    return VideoRequest.model_validate({"model": "preview", "prompt": prompt, "seconds": seconds} | fields)


def words(
    target: Path,
    prompt: str = "a paper boat",
    seconds: int = 1,
    *,
    progress: Path | None = None,
    scale: float = SMALL,
    **fields: object,
) -> Path:
    film_words(wish(prompt, seconds, **({"ratio": "16:9"} | fields)), target, progress, scale=scale)
    return target


def over_photo(
    target: Path, photo: bytes, seconds: int = 1, words: str = "", *, scale: float = SMALL, **fields: object
) -> Path:
    if fields.pop("extends", False):
        fields["extends"] = "a film"
    film_photo(photo, wish(words, seconds, **fields), target, None, scale=scale)
    return target


def difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


@pytest.mark.parametrize("ratio", SIZES)
def test_a_film_of_words_is_a_real_video_in_the_asked_ratio(ratio: str, tmp_path: Path) -> None:
    path = words(tmp_path / "film.mp4", ratio=ratio, seconds=2)
    facts = probe_video(path)
    assert (facts.video_codec, facts.pix_fmt, facts.has_audio) == ("h264", "yuv420p", True)
    assert facts.duration_s == pytest.approx(2, abs=0.01)
    across, down = map(int, ratio.split(":"))
    assert facts.width / facts.height == pytest.approx(across / down, rel=0.04)
    assert facts.width % 16 == facts.height % 16 == 0
    assert boxes(path).index("moov") < boxes(path).index("mdat")
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


def test_full_size_films_are_about_720p() -> None:
    for ratio, (width, height) in SIZES.items():
        across, down = map(int, ratio.split(":"))
        assert width / height == pytest.approx(across / down, rel=0.02)
        assert width * height == pytest.approx(1280 * 720, rel=0.03)
        assert width % 16 == height % 16 == 0


def test_the_sound_is_aac_as_long_as_the_picture(tmp_path: Path) -> None:
    with av.open(words(tmp_path / "film.mp4", seconds=2)) as film:
        track = film.streams.audio[0]
        assert (track.codec_context.name, track.codec_context.sample_rate) == ("aac", 48_000)
        assert track.codec_context.layout.name == "stereo"
        assert track.duration is not None
        assert track.time_base is not None
        assert float(track.duration * track.time_base) == pytest.approx(2, abs=0.03)


def test_the_same_wish_makes_the_same_film(tmp_path: Path) -> None:
    first = words(tmp_path / "1.mp4", seed=7).read_bytes()
    assert first == words(tmp_path / "2.mp4", seed=7).read_bytes()
    assert first != words(tmp_path / "3.mp4", seed=8).read_bytes()
    assert first != words(tmp_path / "4.mp4", "another boat", seed=7).read_bytes()


def test_progress_grows_to_one(tmp_path: Path) -> None:
    """Each fraction is seen at the moment when a frame is asked for."""
    place = tmp_path / "progress"
    seen: list[float] = []

    def frames() -> Iterator[Planes]:
        for _ in range(20):
            if place.exists():
                seen.append(float(place.read_text()))
            yield planes_of(Image.new("RGB", (64, 64)))

    write_film(tmp_path / "film.mp4", (64, 64), frames(), 20, sound=bytes(4 * PAD_RATE_HZ), progress=place)
    seen.append(float(place.read_text()))
    assert seen == sorted(seen)
    assert sorted(set(seen)) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_film_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with pytest.raises(MediaError):
        over_photo(target, b"not a photo")
    with pytest.raises(OSError, match="progress"):
        words(target, progress=tmp_path / "nowhere" / "progress")
    assert list(tmp_path.iterdir()) == []


def test_a_photo_is_shown_in_the_closest_ratio() -> None:
    assert closest_ratio(1600, 1200, tuple(SIZES)) == "4:3"
    assert closest_ratio(1200, 1600, tuple(SIZES)) == "3:4"
    assert closest_ratio(1000, 1010, tuple(SIZES)) == "1:1"
    assert closest_ratio(4000, 1400, tuple(SIZES)) == "21:9"
    assert closest_ratio(1500, 1000, tuple(SIZES)) == "4:3"
    assert closest_ratio(500, 1400, tuple(SIZES)) == "9:16"


def test_that_very_photo_is_seen_and_fills_the_frame(tmp_path: Path) -> None:
    photo = waves_photo(640, 360)
    first = frames_of(over_photo(tmp_path / "film.mp4", encoded(photo)))[0]
    expected = photo.convert("L").resize(first.size, Image.Resampling.LANCZOS)
    assert difference(first, expected) < 20 < difference(first, ImageChops.invert(expected))
    white = frames_of(over_photo(tmp_path / "white.mp4", encoded(Image.new("RGB", (640, 640), "white"))))
    for frame in white:
        edge = ImageChops.darker(
            frame.crop((0, 0, 8, frame.height)), frame.crop((frame.width - 8, 0, frame.width, frame.height))
        )
        assert edge.histogram()[:226] == [0] * 226


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_camera_move_can_be_filmed(camera: str, tmp_path: Path) -> None:
    frames = frames_of(over_photo(tmp_path / "film.mp4", encoded(waves_photo()), camera=camera))
    assert len(frames) == FRAMES_PER_S
    assert difference(frames[0], frames[len(frames) // 2]) > 1


def test_a_transparent_photo_is_filmed_on_white(tmp_path: Path) -> None:
    clear = encoded(Image.new("RGBA", (400, 400), (0, 0, 0, 0)), "PNG")
    middle = frames_of(over_photo(tmp_path / "film.mp4", clear))[0].crop((60, 60, 120, 120))
    assert middle.histogram()[:226] == [0] * 226


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = probe_video(over_photo(tmp_path / "film.mp4", encoded(waves_photo(640, 360), exif=exif)))
    assert facts.width < facts.height


def test_an_extension_begins_with_the_last_frame_and_shows_its_own_words(tmp_path: Path) -> None:
    before = words(tmp_path / "before.mp4", seconds=2, scale=0.5)
    last = encoded(last_picture(before))
    frames = frames_of(
        over_photo(tmp_path / "after.mp4", last, seconds=4, words="a lighthouse", extends=True, scale=0.5)
    )
    assert difference(frames[0], last_picture(before).convert("L")) < 3
    assert all(difference(one, other) < 4 for one, other in pairwise(frames))
    assert difference(frames[-1], frames[0]) > 10
    plain = frames_of(over_photo(tmp_path / "plain.mp4", last, words="", extends=True, scale=0.5))
    assert difference(plain[0], last_picture(before).convert("L")) < 3


def test_a_frame_of_a_preview_bears_the_mark_once(tmp_path: Path) -> None:
    """The mark of the photo would move with it, beside the film's own."""
    size = (640, 368)
    gradient = planes_of(Image.linear_gradient("L").resize(size).convert("RGB"))
    large = (size[0] * 2, size[1] * 2)
    ground = picture_of_planes(gradient).resize(large)
    marked = picture_of_planes(set_mark(size)(gradient)).resize(large)
    corner = (ground.width // 2, ground.height * 4 // 5, *ground.size)
    assert difference(marked.crop(corner).convert("L"), ground.crop(corner).convert("L")) > 1.5
    cleaned = without_mark(marked, size)
    assert difference(cleaned.crop(corner).convert("L"), ground.crop(corner).convert("L")) < 0.7
    assert without_mark(ground, size) is ground


def test_two_photos_dissolve_from_the_whole_first_to_the_whole_last(tmp_path: Path) -> None:
    first, last = waves_photo(640, 360), Image.new("RGB", (640, 360), (200, 60, 40))
    target = tmp_path / "film.mp4"
    film_photos([encoded(first), encoded(last)], wish(seconds=2), target, None, scale=SMALL)
    frames = frames_of(target)
    size = frames[0].size
    assert difference(frames[0], first.convert("L").resize(size)) < 12
    assert difference(frames[-1], last.convert("L").resize(size)) < 6
    middle = Image.blend(frames[0], frames[-1], 0.5)
    assert difference(frames[len(frames) // 2], middle) < 12
    assert all(difference(one, other) < 12 for one, other in pairwise(frames))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_references_are_all_seen(count: int, tmp_path: Path) -> None:
    greys = [encoded(Image.new("RGB", (400, 300), (20, 20 + 30 * index, 60))) for index in range(count)]
    target = tmp_path / "film.mp4"
    friends = wish("friends", ratio="16:9", photos_as="references")
    film_photos(greys, friends, target, None, scale=SMALL)
    assert difference(frames_of(target)[0], frames_of(target)[-1]) > 2


@pytest.mark.parametrize("kind", ["words", "photo", "photos"])
def test_a_film_without_sound_has_no_track(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    photo = encoded(waves_photo())
    match kind:
        case "words":
            words(target, audio=False)
        case "photo":
            over_photo(target, photo, audio=False)
        case _:
            film_photos([photo, photo], wish(audio=False), target, None, scale=SMALL)
    assert not probe_video(target).has_audio


async def test_a_full_size_film_is_made_apart(tmp_path: Path) -> None:
    """As the bot does it: in another process, well within its time limit."""
    target = tmp_path / "film.mp4"
    boat = wish("雨中的纸船", 5, ratio="16:9")
    await run_in_process(film_words, boat, target, tmp_path / "progress", limit_s=60)
    facts = probe_video(target)
    assert (facts.width, facts.height) == (1280, 720)
    assert facts.duration_s == pytest.approx(5, abs=0.01)
    assert facts.bytes < 5_000_000


def test_the_pad_is_quiet_and_has_no_clicks() -> None:
    samples = array("h", play_pad(random.Random("rain"), 4))
    assert len(samples) == 4 * PAD_RATE_HZ * 2
    left = samples[0::2]
    assert max(map(abs, left)) <= 0.2 * 32767 + 1
    assert max(map(abs, left)) > 2_000
    assert max(map(abs, (*left[:100], *left[-100:]))) < 40
    # A click is a leap between neighbours; the highest note of the pad moves far slower than this.
    assert max(abs(b - a) for a, b in pairwise(left)) < 1_600


def test_the_words_choose_the_pad() -> None:
    def pad(name: str) -> bytes:
        return play_pad(random.Random(name), 1)

    assert pad("rain") == pad("rain")
    assert len({pad(name) for name in ("rain", "snow", "sun", "fox")}) > 1
