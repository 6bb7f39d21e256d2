"""Photos made fit to send: upright, plain RGB, without metadata, within a provider's limits."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

from bot.errors import MediaError
from bot.request import PhotoRules

MAX_MEGAPIXELS = 64  # a quarter of a gigabyte once decoded

_QUALITIES = (92, 88, 82, 75, 65)  # of JPEG; below the last, fewer pixels look better than worse ones
_SHRINK = 0.8
_ORIENTATION = 0x0112  # the EXIF tag
# What may stand beside the pixels without telling anything about the person who took the photo.
_HARMLESS = {
    "adobe",
    "adobe_transform",
    "aspect",
    "dpi",
    "gamma",
    "interlace",
    "jfif",
    "jfif_density",
    "jfif_unit",
    "jfif_version",
    "progression",
    "progressive",
    "srgb",
}


def normalise_photo(data: bytes, rules: PhotoRules) -> bytes:
    """The photo (JPEG, PNG or WebP) as `rules` want it: unchanged if it already is so, else as a JPEG.

    Turned upright, transparency on white, colours in sRGB, metadata dropped, shrunk until it fits. Raises
    `MediaError`: `not_a_photo`, `photo_too_large` (pixels), `photo_too_small`, `photo_too_long` (shape).
    """
    picture = open_photo(data)
    _check(picture.size, rules)
    large = max(picture.size) > rules.max_side
    upright = decode_photo(picture, enough_px=rules.max_side)
    if not large and len(data) <= rules.max_bytes and _is_plain(picture, rules):
        return data
    upright.thumbnail((rules.max_side, rules.max_side), Image.Resampling.LANCZOS)
    return _within(upright, rules)


def open_photo(data: bytes) -> Image.Image:
    """The photo with its size known and nothing decoded. Raises `not_a_photo`, `photo_too_large`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MediaError("photo_too_large", str(error), max_megapixels=MAX_MEGAPIXELS) from error
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise MediaError("not_a_photo", str(error)) from error
    if picture.width * picture.height > MAX_MEGAPIXELS * 1_000_000:
        shape = f"{picture.width} x {picture.height}"
        raise MediaError("photo_too_large", shape, max_megapixels=MAX_MEGAPIXELS)
    return picture


def decode_photo(picture: Image.Image, enough_px: int) -> Image.Image:
    """An opened photo upright, in sRGB, on white, without metadata. Raises `not_a_photo`.

    It may come smaller than it is, but with no side under `enough_px`.
    """
    # A JPEG can be decoded at a half or a quarter of its size, which saves most of the memory.
    picture.draft("RGB", (enough_px, enough_px))
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise MediaError("not_a_photo", str(error)) from error
    upright = _in_srgb(_on_white(ImageOps.exif_transpose(picture)), picture.info.get("icc_profile"))
    upright.info.clear()  # an encoder would write some of it again
    return upright


def _check(size: tuple[int, int], rules: PhotoRules) -> None:
    width, height = size
    shape = f"{width} x {height}"
    if min(size) < rules.min_side:
        raise MediaError("photo_too_small", shape, min_side=rules.min_side, width=width, height=height)
    if max(size) > rules.max_long_to_short * min(size):
        raise MediaError("photo_too_long", shape, times=rules.max_long_to_short, width=width, height=height)


def _is_plain(picture: Image.Image, rules: PhotoRules) -> bool:
    return (
        picture.format in rules.formats
        and picture.mode == "RGB"
        and getattr(picture, "n_frames", 1) == 1
        and set(picture.info) <= _HARMLESS
        and picture.getexif().get(_ORIENTATION, 1) == 1
    )


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    white = Image.new("RGB", drawn.size, "white")
    white.paste(drawn, mask=drawn.getchannel("A"))
    return white


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Phones take photos in wider colours; without their profile these would turn pale."""
    if not isinstance(profile, bytes):
        return picture
    try:
        source = ImageCms.getOpenProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(
            picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a broken profile, or one for another kind of picture
    return converted or picture


def _within(picture: Image.Image, rules: PhotoRules) -> bytes:
    while min(picture.size) >= rules.min_side:
        for quality in _QUALITIES:
            encoded = BytesIO()
            picture.save(encoded, "JPEG", quality=quality, optimize=True)
            if encoded.tell() <= rules.max_bytes:
                return encoded.getvalue()
        picture = picture.resize(
            (round(picture.width * _SHRINK), round(picture.height * _SHRINK)), Image.Resampling.LANCZOS
        )
    raise MediaError("photo_too_large", "too many bytes at any quality", max_megapixels=MAX_MEGAPIXELS)
