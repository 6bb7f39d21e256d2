"""The crop preview: the whole photo, with the part that will be cut away darkened."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bot.media.photo.crop import crop_box
from bot.media.photo.photos import decode_photo, open_photo, photo_bytes
from bot.request import Crop

_LONG_SIDE_PX = 1280  # a chat shows no more
_MAX_LONG_TO_SHORT = 20  # Telegram refuses longer photos; core.telegram.org/bots/api#sendphoto
_COLOUR = 0.35  # the saturation that is left in the part that is cut away
# A veil rather than plain darkening: a photo taken at night still shows what it would lose.
_VEIL, _VEIL_DENSITY = (18, 20, 26), 0.66
_FRAME, _SHADE = (255, 255, 255), (0, 0, 0, 70)
_QUALITY = 88


def draw_crop(source: bytes | Path, crop: Crop) -> bytes:
    """Return the photo as a JPEG of at most 1280 pixels a side, with a frame around what is kept.

    Upright, without metadata. Raises what `open_photo` raises.
    """
    photo = decode_photo(open_photo(photo_bytes(source)), enough_px=_LONG_SIDE_PX)
    photo.thumbnail((_LONG_SIDE_PX, _LONG_SIDE_PX), Image.Resampling.LANCZOS)
    left, top, right, bottom = crop_box(*photo.size, crop)
    kept = photo.crop((left, top, right, bottom))
    veil = Image.new("RGB", photo.size, _VEIL)
    drawn = Image.blend(ImageEnhance.Color(photo).enhance(_COLOUR), veil, _VEIL_DENSITY)
    drawn.paste(kept, (left, top))
    _draw_frame(drawn, (left, top, right - 1, bottom - 1))
    encoded = BytesIO()
    _raised(drawn).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def _draw_frame(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Draw a white frame with a faint shade on its inner side: it is visible on snow too."""
    pen = ImageDraw.Draw(picture, "RGBA")
    width = max(2, round(max(picture.size) / 420))
    pen.rectangle(box, outline=_FRAME, width=width)
    inner = (box[0] + width, box[1] + width, box[2] - width, box[3] - width)
    if inner[0] < inner[2] and inner[1] < inner[3]:
        pen.rectangle(inner, outline=_SHADE, width=2)


def _raised(picture: Image.Image) -> Image.Image:
    """Return the picture, with a margin if it is too long for a chat."""
    least = -(-max(picture.size) // _MAX_LONG_TO_SHORT)
    if min(picture.size) >= least:
        return picture
    return ImageOps.pad(picture, (max(picture.width, least), max(picture.height, least)), color=_VEIL)
