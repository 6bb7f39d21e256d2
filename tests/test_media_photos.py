"""Photos before they are sent: what is changed, what is kept, what is refused."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from media_samples import encoded, waves_photo
from PIL import Image, ImageCms, PngImagePlugin

from bot.errors import MediaError
from bot.media.photos import normalise_photo
from bot.request import PhotoRules

RULES = PhotoRules()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def refusal(data: bytes, rules: PhotoRules = RULES) -> MediaError:
    with pytest.raises(MediaError) as caught:
        normalise_photo(data, rules)
    return caught.value


def with_exif(picture: Image.Image, **tags: int | str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    for name, value in tags.items():
        exif[{"orientation": 0x0112}[name]] = value
    return encoded(picture, "JPEG", exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_that_fits_keeps_its_bytes(kind: str) -> None:
    data = encoded(waves_photo(), kind)
    assert normalise_photo(data, RULES) == data


def test_a_sideways_photo_is_turned_upright() -> None:
    sideways = Image.new("RGB", (640, 480), "red")
    sideways.paste("blue", (0, 0, 320, 480))
    upright = opened(normalise_photo(with_exif(sideways, orientation=6), RULES))
    assert upright.size == (480, 640)
    blue, red = pixel(upright, 240, 100), pixel(upright, 240, 540)
    assert blue[2] > 200 > 60 > blue[0]
    assert red[0] > 200 > 60 > red[2]
    assert not upright.getexif()


def test_metadata_does_not_leave_the_house() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret place")
    photo = waves_photo()
    for data in (
        with_exif(photo),
        encoded(photo, "PNG", pnginfo=text),
        encoded(photo, "JPEG", comment=b"secret"),
    ):
        cleaned = normalise_photo(data, RULES)
        assert b"secret" not in cleaned
        assert b"A camera" not in cleaned
        assert b"Exif" not in cleaned


def test_what_is_transparent_becomes_white() -> None:
    half_clear = waves_photo().convert("RGBA")
    half_clear.paste((0, 0, 0, 0), (0, 0, 320, 360))
    for kind in ("PNG", "WEBP"):
        flat = opened(normalise_photo(encoded(half_clear, kind), RULES))
        assert flat.mode == "RGB"
        assert min(pixel(flat, 100, 180)) > 245


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    photo = waves_photo()
    picture = Image.new("I;16", photo.size, 30_000) if mode == "I;16" else photo.convert(mode)
    data = encoded(picture, "JPEG" if mode == "CMYK" else "PNG")
    assert opened(normalise_photo(data, RULES)).mode == "RGB"


def test_webp_becomes_a_format_that_the_provider_takes() -> None:
    assert opened(normalise_photo(encoded(waves_photo(), "WEBP"), RULES)).format == "JPEG"
    only_png = PhotoRules(formats=("PNG",))
    assert opened(normalise_photo(encoded(waves_photo()), only_png)).format == "JPEG"


def test_wide_colours_are_brought_into_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(waves_photo(), "JPEG", icc_profile=profile)
    assert opened(normalise_photo(data, RULES)).info.get("icc_profile") is None
    broken = encoded(waves_photo(), "JPEG", icc_profile=b"not a profile")
    assert opened(normalise_photo(broken, RULES)).mode == "RGB"


def test_a_large_photo_is_shrunk_and_keeps_its_shape() -> None:
    data = encoded(Image.new("RGB", (5000, 2500), "green"))
    assert opened(normalise_photo(data, RULES)).size == (4096, 2048)


def test_a_heavy_photo_is_made_lighter_until_it_fits() -> None:
    noise = Image.frombytes("RGB", (1000, 800), random.Random(1).randbytes(2_400_000))
    heavy = encoded(noise, "PNG")
    for max_bytes in (900_000, 300_000, 90_000):
        light = normalise_photo(heavy, PhotoRules(max_bytes=max_bytes))
        assert len(light) <= max_bytes
        assert min(opened(light).size) >= RULES.min_side


def test_a_photo_that_can_never_fit_is_refused() -> None:
    noise = Image.frombytes("RGB", (400, 400), random.Random(1).randbytes(480_000))
    assert refusal(encoded(noise, "PNG"), PhotoRules(max_bytes=2_000)).code == "photo_too_large"


def test_a_small_photo_is_refused_with_its_size() -> None:
    error = refusal(encoded(Image.new("RGB", (500, 319))))
    assert error.code == "photo_too_small"
    assert error.values == {"min_side": 320, "width": 500, "height": 319}


def test_a_strip_is_refused() -> None:
    error = refusal(encoded(Image.new("RGB", (1300, 400))))
    assert error.code == "photo_too_long"
    assert error.values == {"times": 3.0, "width": 1300, "height": 400}


def test_what_is_not_a_photo_is_refused() -> None:
    whole = encoded(waves_photo())
    png = encoded(waves_photo(), "PNG")
    gif = encoded(waves_photo(), "GIF")
    for data in (b"", b"<html>", bytes(5000), whole[:3000], whole[:-2000], png[:2000], gif):
        assert refusal(data).code == "not_a_photo"


@pytest.mark.parametrize("side", [8_500, 10_000, 60_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side: int) -> None:
    # A header that promises the pixels, and nothing behind it: decoding would fail with another code.
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    empty = b"IDAT" + zlib.compress(b"")
    data += struct.pack(">I", len(empty) - 4) + empty + struct.pack(">I", zlib.crc32(empty))
    assert refusal(data).code == "photo_too_large"
