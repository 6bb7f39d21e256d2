"""Two photos in one crop preview: both whole, at one height, in a picture that Telegram takes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pictures import is_red_and_blue, photo
from PIL import Image

from bot.media.photo.crop_pair import draw_crops
from bot.media.photo.crop_preview import draw_crop
from bot.request import Crop


def drawn(*photos: bytes, ratio: str = "4:3") -> Image.Image:
    return Image.open(BytesIO(draw_crops(photos, Crop(ratio))))


def test_one_photo_is_drawn_as_ever() -> None:
    assert draw_crops([photo(400, 1000)], Crop("9:16")) == draw_crop(photo(400, 1000), Crop("9:16"))


def test_two_photos_stand_side_by_side_in_their_order() -> None:
    picture = drawn(photo(800, 600), photo(600, 800))
    assert picture.size == (960 + 12 + 540, 720)
    assert is_red_and_blue(picture.crop((0, 0, 960, 720)))
    second = picture.crop((972, 0, picture.width, 720))
    kept = second.crop((0, 180, 540, 540))
    assert is_red_and_blue(kept)
    cut_away: Any = second.convert("L").getpixel((270, 20))
    assert cut_away < 90, "what is cut away is dark"


@pytest.mark.parametrize("sides", [(4000, 200), (200, 4000), (1, 4000), (4000, 1), (2000, 1900)])
def test_two_photos_of_any_shape_fit_a_message(sides: tuple[int, int]) -> None:
    picture = drawn(photo(*sides), photo(*sides))
    assert max(picture.size) <= 20 * min(picture.size)
    assert sum(picture.size) <= 10_000
