"""The crop preview of the photos of a request: a single one, or two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.media.photo.crop_preview import draw_crop
from bot.request import Crop

_HEIGHT_PX = 720
_WIDTH_PX = 1600
_GAP_PX = 12
_MAX_LONG_TO_SHORT = 20  # Telegram refuses longer photos; core.telegram.org/bots/api#sendphoto
_GROUND = (255, 255, 255)
_QUALITY = 88


def draw_crops(photos: Sequence[bytes | Path], crop: Crop) -> bytes:
    """Return a JPEG of what a crop keeps of one or two photos, each drawn by `draw_crop`.

    Raises what `draw_crop` raises.
    """
    drawn = [draw_crop(photo, crop) for photo in photos]
    return drawn[0] if len(drawn) == 1 else _side_by_side([Image.open(BytesIO(data)) for data in drawn])


def _side_by_side(pictures: Sequence[Image.Image]) -> bytes:
    gaps = _GAP_PX * (len(pictures) - 1)
    shapes = [picture.width / picture.height for picture in pictures]
    height = max(1, min(_HEIGHT_PX, int((_WIDTH_PX - gaps) / sum(shapes))))
    sizes = [(max(1, round(height * shape)), height) for shape in shapes]
    width = sum(size[0] for size in sizes) + gaps
    sheet = Image.new("RGB", (width, max(height, -(-width // _MAX_LONG_TO_SHORT))), _GROUND)
    left = 0
    for picture, size in zip(pictures, sizes, strict=True):
        sheet.paste(picture.resize(size, Image.Resampling.LANCZOS), (left, (sheet.height - height) // 2))
        left += size[0] + _GAP_PX
    encoded = BytesIO()
    sheet.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()
