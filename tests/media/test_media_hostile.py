"""Files made to break the programs that open them: each ends as a refusal, soon and in little memory."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import (
    Clip,
    display_p3,
    encoded,
    exif_bytes,
    many_scans,
    png_chunk,
    shared_metadata,
    waves_photo,
)
from PIL import PngImagePlugin

from bot.errors import MediaError
from bot.media.media_info import MAX_BYTES, FitPhoto
from bot.media.photo.crop_preview import draw_crop
from bot.media.photo.photos import normalise_photo, photo_size
from bot.media.process import run_in_process
from bot.request import Crop, PhotoRules

RULES = PhotoRules()
SMALL = waves_photo(400, 320)
SEEDS = (
    encoded(SMALL, exif=exif_bytes(6), icc_profile=display_p3(), quality=50),
    encoded(SMALL, progressive=True, quality=50),
    encoded(SMALL, "PNG", exif=exif_bytes(6), icc_profile=display_p3()),
    encoded(SMALL.convert("P"), "PNG", transparency=3),
    encoded(SMALL, "WEBP", exif=exif_bytes(6), quality=50),
    encoded(SMALL, "AVIF", exif=exif_bytes(6), quality=50),
    encoded(SMALL, "HEIF", exif=exif_bytes(6), quality=50),
)


def refusal(data: bytes) -> MediaError:
    with pytest.raises(MediaError) as caught:
        normalise_photo(data, RULES)
    return caught.value


def outcome(data: bytes) -> FitPhoto | str:
    """The photo, or the word for why there is none."""
    try:
        return normalise_photo(data, RULES)
    except MediaError as error:
        return error.code


async def refusal_apart(data: bytes, limit_s: float) -> MediaError:
    with pytest.raises(MediaError) as caught:
        await run_in_process(normalise_photo, data, RULES, None, limit_s=limit_s)
    return caught.value


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A header that promises these pixels, and next to nothing behind it: decoding says something else."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IDAT", zlib.compress(b""))


def with_sides(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize("side", [8_500, 10_000, 60_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side: int) -> None:
    avif, heic = (encoded(SMALL, kind) for kind in ("AVIF", "HEIF"))
    sides, many = struct.pack(">II", 400, 320), struct.pack(">II", side, side)
    for data in (png(side, side), with_sides(heic, b"ispe\0\0\0\0" + sides, b"ispe\0\0\0\0" + many)):
        assert refusal(data).code == "photo_too_large"
        with pytest.raises(MediaError, match="photo_too_large"):
            photo_size(data)
        with pytest.raises(MediaError, match="photo_too_large"):
            draw_crop(data, Crop("1:1"))
    # The decoder of AVIF refuses sides beyond its own limit as broken.
    lying = with_sides(avif, b"ispe\0\0\0\0" + sides, b"ispe\0\0\0\0" + many)
    assert refusal(lying).code in {"photo_too_large", "not_a_photo"}


def test_sides_that_the_pixels_do_not_have_are_no_harm() -> None:
    sides, other = struct.pack(">II", 400, 320), struct.pack(">II", 4000, 3200)
    for kind in ("AVIF", "HEIF"):
        data = with_sides(encoded(SMALL, kind), b"ispe\0\0\0\0" + sides, b"ispe\0\0\0\0" + other)
        photo = outcome(data)
        assert photo == "not_a_photo" or (isinstance(photo, FitPhoto) and photo.width <= RULES.max_side)


def test_a_file_that_telegram_would_not_hand_out_is_refused_unread() -> None:
    whole = encoded(waves_photo())
    assert refusal(whole + bytes(MAX_BYTES)).code == "photo_too_large"
    assert normalise_photo(whole + bytes(MAX_BYTES - len(whole)), RULES).data == whole


async def test_a_photo_that_takes_too_long_is_given_up() -> None:
    slow = many_scans(side=7_900, scans=2_000)
    assert len(slow) < 1_000_000
    await run_in_process(
        photo_size, SEEDS[0], limit_s=60
    )  # the limit below is the photo's own, not the start's
    error = await refusal_apart(slow, limit_s=1)
    assert error.code == "media_timeout", error.detail


async def test_a_photo_that_takes_too_much_memory_is_given_up() -> None:
    # 110 pictures that share 18 MB of metadata: the decoder would copy two gigabytes before it knows a size.
    greedy = shared_metadata(pictures=110, size=18_000_000)
    assert (await refusal_apart(greedy, limit_s=120)).code == "photo_too_large"
    assert await run_in_process(photo_size, shared_metadata(3, 100), limit_s=60) == (64, 64)


def test_text_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    packed = zlib.compress(bytes(10_000_000))
    bombs = [png_chunk(b"zTXt", b"Comment\0\0" + packed) for _ in range(200)]
    assert refusal(png(400, 400, *bombs)).code == "not_a_photo"
    profile = png_chunk(b"iCCP", b"profile\0\0" + packed)
    assert refusal(png(400, 400, profile)).code == "not_a_photo"


def test_a_thousand_words_in_a_png_are_left_out() -> None:
    text = PngImagePlugin.PngInfo()
    for _ in range(1_000):
        text.add_text("Comment", "word " * 200, zip=True)
    assert normalise_photo(encoded(SMALL, "PNG", pnginfo=text), RULES).data == encoded(SMALL, "PNG")


def test_what_is_not_a_photo_is_refused(tmp_path: Path) -> None:
    film = Clip().write(tmp_path / "film.mp4").read_bytes()
    for data in (
        b"",
        b"\xff",
        b"<html>",
        bytes(5000),
        b"\0\0\0\x18ftyp",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='400' height='400'/>",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n",
        film,
        encoded(SMALL, "GIF"),
        encoded(SMALL, "TIFF"),
        encoded(SMALL, "BMP"),
    ):
        assert refusal(data).code == "not_a_photo"
        with pytest.raises(MediaError, match="not_a_photo"):
            photo_size(data)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_photo_that_is_cut_off_is_refused(seed: bytes) -> None:
    # A progressive photo has the whole picture early, and is only less sharp without its end.
    for share in (0.02, 0.1) if seed is SEEDS[1] else (0.02, 0.1, 0.5, 0.9):
        assert refusal(seed[: int(len(seed) * share)]).code == "not_a_photo"


def test_pixels_that_are_missing_are_found_before_the_photo_is_sent() -> None:
    assert refusal(png(400, 400) + png_chunk(b"IEND", b"")).code == "not_a_photo"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        # Most of what can be said wrongly stands in the first bytes.
        data[draw(st.integers(0, 600) | st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.just(len(data)) | st.integers(0, len(data)))])


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_a_damaged_photo_is_fit_or_refused(data: bytes) -> None:
    photo = outcome(data)
    if isinstance(photo, str):
        assert photo in {"not_a_photo", "photo_too_large", "photo_too_small", "photo_too_long"}
        return
    assert len(photo.data) <= RULES.max_bytes
    assert RULES.min_side <= min(photo.width, photo.height)
    assert max(photo.width, photo.height) <= RULES.max_side
