"""The contact sheet: each photo whole, in order, with its number."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pictures import photo
from PIL import Image

from bot.errors import MediaError
from bot.media.photo.contact_sheet import draw_numbered


def sheet_of(*photos: bytes) -> Image.Image:
    return Image.open(BytesIO(draw_numbered(photos)))


def plain(colour: str, width: int, height: int) -> bytes:
    data = BytesIO()
    Image.new("RGB", (width, height), colour).save(data, "JPEG", quality=95)
    return data.getvalue()


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (7, 3, 3), (10, 4, 3)]
)
def test_the_photos_stand_in_rows(count: int, columns: int, rows: int) -> None:
    assert sheet_of(*[photo()] * count).size == (412 * columns - 12, 412 * rows - 12)


def test_each_photo_is_whole_and_in_its_place() -> None:
    sheet = sheet_of(plain("red", 900, 300), plain("blue", 300, 900))
    left, right, edge = (sheet.getpixel(at) for at in ((300, 200), (612, 380), (430, 380)))
    values: Any = (left, right, edge)
    assert [max(range(3), key=one.__getitem__) for one in values[:2]] == [0, 2]
    assert min(values[2]) > 240, "nothing is cut off, so there is paper beside a tall photo"


def test_the_numbers_differ() -> None:
    first, second = (
        sheet_of(*[plain("green", 400, 400)] * 2).crop((left, 0, left + 90, 90)) for left in (0, 412)
    )
    assert first.tobytes() != second.tobytes()


def test_what_is_no_photo_is_refused() -> None:
    with pytest.raises(MediaError):
        draw_numbered([photo(), b"no photo"])
