"""Prepare photos for providers: upright, plain RGB, without metadata, within the provider's limits."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageCms

from bot.errors import MediaError
from bot.media.media_info import MAX_BYTES, FitPhoto, Size, fit_size
from bot.media.photo.crop import crop_box
from bot.media.photo.mend_photo import load_cut_off, without_notes
from bot.media.photo.strip_metadata import strip_metadata
from bot.request import Crop, PhotoRules

MAX_MEGAPIXELS = 64  # a quarter of a gigabyte once decoded
_QUALITIES = (92, 85, 75, 65)  # of JPEG; below the last, fewer pixels look better than worse ones
_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}
# What Pillow and its codecs raise for files that are broken, or made to break them.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, struct.error, zlib.error)

Box = tuple[int, int, int, int]


def normalise_photo(photo: bytes | Path, rules: PhotoRules, crop: Crop | None = None) -> FitPhoto:
    """Convert a photo (JPEG, PNG, WebP, HEIC or AVIF) as `rules` require, first cropped as `crop` says.

    Turned upright, transparency on white, colours in sRGB, metadata dropped, shrunk or slightly enlarged
    until it fits: as a JPEG, or with the very pixels of its file if those can stay. Of several pictures in
    one file it is the first, or the one that the file calls the main one. Raises `MediaError`: `not_a_photo`,
    `photo_too_large` (pixels, bytes), `photo_too_small`, `photo_too_long` (shape).
    """
    data = photo_bytes(photo)
    picture = open_photo(data)
    size = _upright_size(picture)
    box = crop_box(*size, crop) if crop else (0, 0, *size)
    target = fit_size(box[2] - box[0], box[3] - box[1], rules)
    if target == size and (bare := _untouched(picture, data, rules)) is not None:
        return bare
    upright = decode_photo(picture, enough_px=ceil(min(size) * target[0] / (box[2] - box[0])))
    return _encode_within(_cut(upright, size, box, target), rules)


def photo_size(photo: bytes | Path) -> Size:
    """Return the size of the upright photo without decoding it. Raises what `open_photo` raises."""
    return _upright_size(open_photo(photo_bytes(photo)))


def photo_bytes(photo: bytes | Path) -> bytes:
    """Return what a file holds, read only if it may be a photo. Raises `photo_too_large` (bytes)."""
    size = len(photo) if isinstance(photo, bytes) else photo.stat().st_size
    if size > MAX_BYTES:
        raise MediaError("photo_too_large", f"{size} bytes", max_megapixels=MAX_MEGAPIXELS)
    return photo if isinstance(photo, bytes) else photo.read_bytes()


def open_photo(data: bytes) -> Image.Image:
    """Open a photo without decoding it. Raises `not_a_photo`, `photo_too_large`.

    The size is that of the stored picture: an orientation in the metadata is not yet applied.
    """
    try:
        with _out_of_memory_is_too_large(), _quietly():
            picture = Image.open(BytesIO(without_notes(photo_bytes(data))), formats=_formats(data))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MediaError("photo_too_large", str(error), max_megapixels=MAX_MEGAPIXELS) from error
    except _UNREADABLE as error:
        raise MediaError("not_a_photo", str(error)) from error
    if picture.width * picture.height > MAX_MEGAPIXELS * 1_000_000:
        shape = f"{picture.width} x {picture.height}"
        raise MediaError("photo_too_large", shape, max_megapixels=MAX_MEGAPIXELS)
    return picture


def decode_photo(picture: Image.Image, enough_px: int) -> Image.Image:
    """Decode a photo upright, in sRGB, on white, without metadata. Raises `not_a_photo`, `photo_too_large`.

    It may come smaller than it is, but with no side under `enough_px`.
    """
    turn = _TURNS.get(_orientation(picture))
    profile = picture.info.get("icc_profile")
    with _out_of_memory_is_too_large():
        _load(picture, enough_px)
        upright = _in_srgb(picture, profile)
        if turn is not None:
            upright = upright.transpose(turn)
    upright.info.clear()  # an encoder would write some of it again
    return upright


@contextmanager
def _out_of_memory_is_too_large() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise MediaError("photo_too_large", "too much memory", max_megapixels=MAX_MEGAPIXELS) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Ignore Pillow's warnings about small faults, and raise those about decompression bombs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _formats(data: bytes) -> tuple[str, ...]:
    if data[4:8] != b"ftyp":
        return ("JPEG", "PNG", "WEBP")
    _learn_heif()
    # Both know the neutral brand mif1. Only Pillow's AVIF looks further before it takes the file.
    return ("AVIF", "HEIF")


@cache
def _learn_heif() -> None:
    import pillow_heif  # noqa: PLC0415 - only a process that meets such a photo pays for the decoder

    # A preview may show another picture than the photo; depth maps and the like are of no use here.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _orientation(picture: Image.Image) -> int:
    if picture.format == "HEIF":
        return 1  # turned by its decoder, as the file says; the metadata's word would turn it again
    try:
        with _quietly():
            # The PNG plugin's own method decodes the whole picture first, to look behind it.
            orientation = Image.Image.getexif(picture).get(_ORIENTATION)
    except _UNREADABLE:
        return 1
    return orientation if orientation in _TURNS else 1


def _upright_size(picture: Image.Image) -> Size:
    width, height = picture.size
    return (height, width) if _orientation(picture) in _SIDEWAYS else (width, height)


def _untouched(picture: Image.Image, data: bytes, rules: PhotoRules) -> FitPhoto | None:
    """Return the photo with its pixels unchanged, if only metadata has to be removed; else None."""
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)  # MPO: a JPEG with others behind it
    if kind not in rules.formats or picture.mode != "RGB" or _orientation(picture) != 1:
        return None
    if _is_wide(picture.info.get("icc_profile")) or "transparency" in picture.info:
        return None
    bare = strip_metadata(data)
    if bare is None or len(bare) > rules.max_bytes:
        return None
    width, height = picture.size
    with _out_of_memory_is_too_large():
        _load(picture, enough_px=1)  # what cannot be read is found here, not by the provider
    return FitPhoto(bare, width, height, _CONTENT_TYPES[kind])


def _load(picture: Image.Image, enough_px: int) -> None:
    # A JPEG can be decoded at a half, a quarter or an eighth of its size, which saves most of the work.
    picture.draft("RGB", (enough_px, enough_px))
    try:
        with _quietly():
            picture.load()
    except _UNREADABLE as error:
        if picture.format not in ("JPEG", "MPO"):
            raise MediaError("not_a_photo", str(error)) from error
        _load_cut_off(picture, str(error))


def _load_cut_off(picture: Image.Image, reason: str) -> None:
    try:
        with _quietly():
            is_nearly_whole = load_cut_off(picture)
    except _UNREADABLE as error:
        raise MediaError("not_a_photo", str(error)) from error
    if not is_nearly_whole:
        raise MediaError("not_a_photo", reason)


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Convert to sRGB: photos of phones have wider colours, which look pale without their profile."""
    # Profiles are about these kinds of pixels; others are drawn as RGB first.
    plain = picture.mode in ("RGB", "CMYK", "L") and "transparency" not in picture.info
    drawn = picture if plain else _on_white(picture)
    if isinstance(profile, bytes) and _is_wide(profile):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(
                drawn, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken profile, or one for another kind of picture
        if converted is not None:
            return converted
    return drawn if drawn.mode == "RGB" else drawn.convert("RGB")


def _is_wide(profile: object) -> bool:
    """Return True if the profile is another one than that of sRGB."""
    if not isinstance(profile, bytes):
        return False
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True
    return not name.startswith("sRGB")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # On the way to 8 bits Pillow cuts off what is over 255 instead of dividing.
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    white = Image.new("RGB", drawn.size, "white")
    white.paste(drawn, mask=drawn.getchannel("A"))
    return white


def _cut(picture: Image.Image, size: Size, box: Box, target: Size) -> Image.Image:
    """Return the part `box` of a photo of `size`, resized to `target`. It may have been decoded smaller."""
    if picture.size == size and target == (box[2] - box[0], box[3] - box[1]):
        return picture if target == size else picture.crop(box)
    across, down = picture.width / size[0], picture.height / size[1]
    part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    return picture.resize(target, Image.Resampling.LANCZOS, part)


def _encode_within(picture: Image.Image, rules: PhotoRules) -> FitPhoto:
    while min(picture.size) >= rules.min_side:
        for quality in _QUALITIES:
            encoded = BytesIO()
            picture.save(encoded, "JPEG", quality=quality)
            if encoded.tell() <= rules.max_bytes:
                return FitPhoto(encoded.getvalue(), *picture.size, _CONTENT_TYPES["JPEG"])
        side = max(picture.size) * min(0.9, sqrt(rules.max_bytes / encoded.tell()))
        smaller = fit_size(*picture.size, replace(rules, max_side=int(side)))
        picture = picture.resize(smaller, Image.Resampling.LANCZOS)
    raise MediaError("photo_too_large", "too many bytes at any quality", max_megapixels=MAX_MEGAPIXELS)
