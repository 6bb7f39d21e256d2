"""The documented crop, and the preview that shows it before it happens."""

from __future__ import annotations

from io import BytesIO
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_samples import encoded, exif_bytes, stored_turned, waves_photo
from PIL import Image, ImageChops, ImageStat

from bot.errors import MediaError
from bot.media.photo.crop import crop_box, lost_share
from bot.media.photo.crop_preview import draw_crop
from bot.media.process import run_in_process
from bot.request import Crop, closest_ratio

PRO_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")

sides = st.integers(1, 70_000)
ratios = st.sampled_from((*PRO_RATIOS, "2:3", "3:2", "1:4", "4:1"))


def parts(ratio: str) -> tuple[int, int]:
    across, down = ratio.split(":")
    return int(across), int(down)


@pytest.mark.parametrize(
    ("size", "ratio", "box"),
    [
        ((3380, 1072), "21:9", (439, 0, 2940, 1072)),
        ((936, 1664), "9:16", (0, 0, 936, 1664)),
    ],
)
def test_the_documented_examples(size: tuple[int, int], ratio: str, box: tuple[int, int, int, int]) -> None:
    assert closest_ratio(*size, PRO_RATIOS) == ratio
    assert crop_box(*size, Crop(ratio)) == box


@pytest.mark.parametrize(
    "size", [(2176, 928), (1920, 1088), (1664, 1248), (1440, 1440), (1248, 1664), (1088, 1920)]
)
def test_what_the_model_itself_makes_loses_next_to_nothing(size: tuple[int, int]) -> None:
    assert lost_share(*size, closest_ratio(*size, PRO_RATIOS)) < 0.01


def test_the_share_that_is_lost() -> None:
    assert lost_share(1600, 900, "16:9") == 0
    assert isclose(lost_share(1000, 1000, "1:1"), 0)
    assert isclose(lost_share(2000, 1000, "1:1"), 0.5)
    assert isclose(lost_share(900, 1600, "16:9"), 1 - (9 / 16) ** 2, abs_tol=0.001)


@given(sides, sides, ratios)
def test_the_kept_part_lies_inside_the_picture_and_in_its_middle(width: int, height: int, ratio: str) -> None:
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (width - right) - left in {0, 1}
    assert (height - bottom) - top in {0, 1}


@given(sides, sides, ratios, st.floats(0, 1))
def test_the_kept_part_can_lie_anywhere_along_the_side_that_is_cut(
    width: int, height: int, ratio: str, share: float
) -> None:
    centre = crop_box(width, height, Crop(ratio))
    left, top, right, bottom = crop_box(width, height, Crop(ratio, share, share))
    assert (right - left, bottom - top) == (centre[2] - centre[0], centre[3] - centre[1])
    assert 0 <= left <= right <= width
    assert 0 <= top <= bottom <= height
    assert crop_box(width, height, Crop(ratio, 0, 0))[:2] == (0, 0)
    assert crop_box(width, height, Crop(ratio, 1, 1))[2:] == (width, height)


def test_the_preview_shows_where_the_kept_part_lies() -> None:
    photo = encoded(Image.new("RGB", (600, 1200), (180, 170, 160)))
    for y, bright, dark in ((0.0, 100, 1100), (1.0, 1100, 100), (0.5, 600, 100)):
        preview = Image.open(BytesIO(draw_crop(photo, Crop("1:1", y=y))))
        assert light(preview, 20, bright - 20, 580, bright + 20) > 150
        assert light(preview, 20, dark - 20, 580, dark + 20) < 100


@given(sides, sides, ratios)
def test_one_side_stays_whole_and_the_other_is_right_within_a_pixel(
    width: int, height: int, ratio: str
) -> None:
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    kept_width, kept_height = right - left, bottom - top
    across, down = parts(ratio)
    assert kept_width == width or kept_height == height
    if kept_width == width:
        assert abs(kept_height - width * down / across) < 1
    if kept_height == height:
        assert abs(kept_width - height * across / down) < 1


@given(sides, sides, ratios)
def test_a_turned_picture_is_cropped_alike(width: int, height: int, ratio: str) -> None:
    across, down = parts(ratio)
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    assert crop_box(height, width, Crop(f"{down}:{across}")) == (top, left, bottom, right)


@given(sides, sides, ratios)
def test_what_was_cropped_is_not_cropped_again_by_more_than_a_pixel(
    width: int, height: int, ratio: str
) -> None:
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    again = crop_box(right - left, bottom - top, Crop(ratio))
    across, down = parts(ratio)
    # One pixel of the side that was cut is as many of the other as the ratio says.
    pixels = max(1, across / down, down / across)
    assert right - left - (again[2] - again[0]) <= pixels
    assert bottom - top - (again[3] - again[1]) <= pixels


@given(sides, sides, ratios)
def test_lost_and_kept_are_the_whole(width: int, height: int, ratio: str) -> None:
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    kept = (right - left) * (bottom - top) / (width * height)
    assert 0 <= lost_share(width, height, ratio) < 1
    assert isclose(kept + lost_share(width, height, ratio), 1)


def drawn(data: bytes, ratio: str) -> Image.Image:
    picture = Image.open(BytesIO(draw_crop(data, Crop(ratio))))
    picture.load()
    assert picture.format == "JPEG"
    assert picture.mode == "RGB"
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    return picture


def light(picture: Image.Image, left: int, top: int, right: int, bottom: int) -> float:
    return ImageStat.Stat(picture.crop((left, top, right, bottom)).convert("L")).mean[0]


def test_the_preview_darkens_what_is_lost_and_leaves_the_rest_alone() -> None:
    photo = Image.new("RGB", (900, 1200), (180, 170, 160))
    preview = drawn(encoded(photo), "16:9")
    assert preview.size == (900, 1200)
    left, top, right, bottom = crop_box(900, 1200, Crop("16:9"))
    inside = preview.crop((left + 20, top + 20, right - 20, bottom - 20))
    assert max(ImageStat.Stat(ImageChops.difference(inside, photo.crop((0, 0, *inside.size)))).mean) < 2
    for lost in ((0, 0, 900, top - 8), (0, bottom + 8, 900, 1200)):
        assert 40 < light(preview, *lost) < 100


def test_a_bright_frame_surrounds_what_is_kept() -> None:
    for colour in ("black", (200, 60, 40), "white"):
        preview = drawn(encoded(Image.new("RGB", (1200, 900), colour)), "1:1")
        left, _, right, _ = crop_box(1200, 900, Crop("1:1"))
        for edge in (left, right - 2):
            assert light(preview, edge, 100, edge + 2, 800) > 200
        assert light(preview, left - 12, 100, left - 6, 800) < 110


def test_a_preview_is_upright_and_small_enough_for_a_chat() -> None:
    upright = Image.new("RGB", (1500, 2000), "white")
    upright.paste("red", (0, 0, 1500, 700))
    preview = drawn(encoded(stored_turned(upright, 6), exif=exif_bytes(6)), "3:4")
    assert preview.size == (960, 1280)
    red, white = preview.getpixel((480, 60)), preview.getpixel((480, 1200))
    assert isinstance(red, tuple)
    assert isinstance(white, tuple)
    assert red[0] > 200 > 80 > red[1]
    assert min(white) > 240


def test_a_preview_that_a_chat_would_refuse_gets_a_margin() -> None:
    strip = drawn(encoded(waves_photo(6000, 250)), "21:9")
    assert strip.size == (1280, 64)
    assert drawn(encoded(waves_photo(250, 6000)), "9:16").size == (64, 1280)


def test_nothing_but_a_photo_is_drawn() -> None:
    with pytest.raises(MediaError, match="not_a_photo"):
        draw_crop(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Crop("1:1"))


async def test_a_preview_is_drawn_in_a_process_of_its_own() -> None:
    preview = await run_in_process(draw_crop, encoded(waves_photo()), Crop("1:1"), limit_s=30)
    assert Image.open(BytesIO(preview)).size == (640, 360)
