"""The contact sheet: several photos as one picture, each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageDraw

from bot.media.drawing.glyphs import ink_of
from bot.media.photo.photos import decode_photo, open_photo, photo_bytes

_CELL_PX = 400
_GAP_PX = 12
_BADGE_PX = 72
_DIGIT_PX = 44
_PAPER, _BADGE, _DIGITS = (255, 255, 255), (18, 20, 26), (255, 255, 255)
_QUALITY = 85


def draw_numbered(photos: Sequence[bytes | Path]) -> bytes:
    """Return a JPEG of the photos in their order, numbered from 1, each whole in a square of its own.

    Upright, without metadata. Raises what `open_photo` raises.
    """
    columns = ceil(sqrt(len(photos))) if len(photos) > 3 else len(photos)
    rows, step = ceil(len(photos) / columns), _CELL_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * step - _GAP_PX, rows * step - _GAP_PX), _PAPER)
    for index, source in enumerate(photos):
        photo = decode_photo(open_photo(photo_bytes(source)), enough_px=_CELL_PX)
        photo.thumbnail((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)
        left, top = index % columns * step, index // columns * step
        sheet.paste(photo, (left + (_CELL_PX - photo.width) // 2, top + (_CELL_PX - photo.height) // 2))
        _draw_number(sheet, index + 1, left, top)
    encoded = BytesIO()
    sheet.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def _draw_number(sheet: Image.Image, number: int, left: int, top: int) -> None:
    """Draw the number in a disc with a white rim: it is legible on any photo."""
    box = (left + 8, top + 8, left + 8 + _BADGE_PX, top + 8 + _BADGE_PX)
    ImageDraw.Draw(sheet).ellipse(box, fill=_BADGE, outline=_PAPER, width=4)
    ink = ink_of(str(number), _DIGIT_PX)
    ink = ink.crop(ink.getbbox())
    place = ((box[0] + box[2] - ink.width) // 2, (box[1] + box[3] - ink.height) // 2)
    sheet.paste(_DIGITS, (*place, place[0] + ink.width, place[1] + ink.height), ink)
