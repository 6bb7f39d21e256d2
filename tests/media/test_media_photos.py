"""Photos before they are sent: what is changed, what is kept, what is refused."""

from __future__ import annotations

import random
import struct
import time
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_samples import display_p3, encoded, exif_bytes, png_chunk, stored_turned, waves_photo
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from bot.errors import MediaError
from bot.media.media_info import FitPhoto, fit_size
from bot.media.photo.photos import normalise_photo, photo_size
from bot.request import Crop, PhotoRules

RULES = PhotoRules()
KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")


def opened(photo: FitPhoto) -> Image.Image:
    picture = Image.open(BytesIO(photo.data))
    picture.load()
    assert picture.size == (photo.width, photo.height)
    assert picture.get_format_mimetype() == photo.content_type
    assert not picture.getexif()
    return picture


def fitted(data: bytes, rules: PhotoRules = RULES, crop: Crop | None = None) -> Image.Image:
    return opened(normalise_photo(data, rules, crop))


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def near(one: tuple[int, ...], other: tuple[int, ...], within: int = 6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


def refusal(data: bytes, rules: PhotoRules = RULES, crop: Crop | None = None) -> MediaError:
    with pytest.raises(MediaError) as caught:
        normalise_photo(data, rules, crop)
    return caught.value


def flag() -> Image.Image:
    """Red above, blue below on the left, white on the right: every turn of it looks different."""
    picture = Image.new("RGB", (480, 640), "white")
    picture.paste("red", (0, 0, 480, 320))
    picture.paste("blue", (0, 320, 240, 640))
    return picture


def hidden(kind: str) -> bytes:
    """A photo with its place in every corner where its format has room for one."""
    photo = waves_photo()
    exif = exif_bytes(make="secret place")
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret place</x:xmpmeta>"
    match kind:
        case "JPEG":
            return encoded(photo, exif=exif, xmp=xmp, comment=b"secret place") + b"secret place"
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Comment", "secret place")
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            text.add(b"prVt", b"secret place")
            text.add(b"prVt", b"secret place", after_idat=True)
            return encoded(photo, "PNG", pnginfo=text, exif=exif) + b"secret place"
        case _:
            return encoded(photo, kind, exif=exif, xmp=xmp)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_that_fits_keeps_its_bytes(kind: str) -> None:
    data = encoded(waves_photo(), kind)
    assert normalise_photo(data, RULES).data == data


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_read(kind: str) -> None:
    photo = waves_photo()
    data = encoded(photo, kind)
    assert photo_size(data) == photo.size
    difference = ImageChops.difference(fitted(data), photo)
    assert max(ImageStat.Stat(difference).mean) < 5


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_neutral_brand_hides_neither_format(kind: str) -> None:
    data = encoded(waves_photo(), kind)
    assert fitted(data[:8] + b"mif1" + data[12:]).size == (640, 360)


@pytest.mark.parametrize("kind", KINDS)
def test_asking_for_the_size_decodes_nothing(kind: str) -> None:
    data = encoded(Image.new("RGB", (3000, 2000), "green"), kind)
    cost_s = []
    for act in (photo_size, fitted):
        act(encoded(flag(), kind))
        began = time.process_time()
        act(data)
        cost_s.append(time.process_time() - began)
    assert cost_s[0] < cost_s[1] / 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_set_upright_once(kind: str, orientation: int) -> None:
    data = encoded(stored_turned(flag(), orientation), kind, exif=exif_bytes(orientation))
    assert photo_size(data) == (480, 640)
    upright = fitted(data)
    assert upright.size == (480, 640)
    assert near(pixel(upright, 240, 100), (255, 0, 0), 20)
    assert near(pixel(upright, 100, 540), (0, 0, 255), 20)
    assert near(pixel(upright, 380, 540), (255, 255, 255), 20)


def test_a_heic_turns_as_the_file_says_and_not_again_as_its_metadata_says() -> None:
    data = encoded(flag(), "HEIF", xmp=b'<x/>\0tiff:Orientation="6"')
    assert photo_size(data) == (480, 640)
    assert fitted(data).size == (480, 640)


def test_metadata_that_cannot_be_read_turns_nothing() -> None:
    for exif in (b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff", exif_bytes(9), exif_bytes(0)):
        assert fitted(encoded(flag(), exif=exif)).size == (480, 640)


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_does_not_leave_the_house(kind: str) -> None:
    data = hidden(kind)
    assert b"secret" in data
    light = PhotoRules(max_bytes=20_000)
    for photo in (
        normalise_photo(data, rules, crop) for rules in (RULES, light) for crop in (None, Crop("1:1"))
    ):
        for trace in (b"secret", b"Exif", b"xmp", b"eXIf"):
            assert trace not in photo.data
        opened(photo)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_removing_metadata_changes_no_pixel(kind: str) -> None:
    clean, marked = (Image.open(BytesIO(data)) for data in (encoded(waves_photo(), kind), hidden(kind)))
    assert fitted(hidden(kind)).tobytes() == clean.tobytes() == marked.tobytes()


def test_a_photo_behind_the_photo_stays_here() -> None:
    behind = waves_photo(320, 320)
    several = encoded(waves_photo(), "MPO", save_all=True, append_images=[behind])
    photo = normalise_photo(several, RULES)
    assert photo.data.count(b"\xff\xd8\xff") == 1
    assert opened(photo).size == (640, 360)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_what_is_transparent_becomes_white(kind: str) -> None:
    sticker = waves_photo(512, 512).convert("RGBA")
    sticker.paste((0, 0, 0, 0), (0, 0, 256, 512))
    flat = fitted(encoded(sticker, kind))
    assert flat.mode == "RGB"
    assert min(pixel(flat, 100, 180)) > 245
    assert near(pixel(flat, 400, 180), pixel(waves_photo(512, 512), 400, 180), 12)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_colour_that_stands_for_nothing_becomes_white(mode: str) -> None:
    black = Image.new(mode, (400, 400), 0)
    flat = fitted(encoded(black, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0))
    assert pixel(flat, 200, 200) == (255, 255, 255)


def test_every_kind_of_pixel_becomes_rgb() -> None:
    grey = Image.new("RGB", (400, 400), (120, 120, 120))
    with_alpha = grey.convert("L")
    with_alpha.putalpha(255)
    drawn = {"L": grey.convert("L"), "LA": with_alpha, "P": grey.quantize(2), "CMYK": grey.convert("CMYK")}
    for mode, picture in drawn.items():
        assert picture.mode == mode
        flat = fitted(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
        assert flat.mode == "RGB"
        assert near(pixel(flat, 200, 200), (120, 120, 120))


def test_sixteen_bits_keep_their_light() -> None:
    for value in (0, 30_000, 65_535):
        flat = fitted(encoded(Image.new("I;16", (400, 400), value), "PNG"))
        assert near(pixel(flat, 200, 200), (value >> 8,) * 3, 2)


def test_sixteen_bits_of_each_colour_become_eight() -> None:
    row = b"\0" + struct.pack(">HHH", 60_000, 30_000, 0) * 400
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 400, 400, 16, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(row * 400)) + png_chunk(b"IEND", b"")
    data = b"\x89PNG\r\n\x1a\n" + header + body
    photo = normalise_photo(data, RULES)
    assert photo.content_type == "image/jpeg"
    assert near(pixel(opened(photo), 200, 200), (60_000 >> 8, 30_000 >> 8, 0))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_of_a_moving_picture_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "green", "blue")]
    still = fitted(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100))
    assert near(pixel(still, 200, 200), (255, 0, 0), 12)


def test_of_several_pictures_in_a_heic_the_main_one_is_taken() -> None:
    pictures = [
        Image.new("RGB", (400, 400 + 10 * number), ("red", "green", "blue")[number]) for number in range(3)
    ]
    data = encoded(pictures[0], "HEIF", save_all=True, append_images=pictures[1:], primary_index=2)
    assert photo_size(data) == (400, 420)
    main = fitted(data)
    assert main.size == (400, 420)
    assert near(pixel(main, 200, 200), (0, 0, 255), 12)


def test_other_formats_become_one_that_the_provider_takes() -> None:
    for kind in ("WEBP", "AVIF", "HEIF"):
        assert normalise_photo(encoded(waves_photo(), kind), RULES).content_type == "image/jpeg"
    only_png = PhotoRules(formats=("PNG",))
    data = encoded(waves_photo())
    assert normalise_photo(data, only_png).data != data


@pytest.mark.parametrize("kind", KINDS)
def test_wide_colours_are_brought_into_srgb(kind: str) -> None:
    # Display P3 (200, 100, 100) by the two standards' matrices is (215, 93, 97) in sRGB.
    wide = Image.new("RGB", (400, 400), (200, 100, 100))
    photo = fitted(encoded(wide, kind, icc_profile=display_p3()))
    assert near(pixel(photo, 200, 200), (215, 93, 97), 5)
    assert photo.info.get("icc_profile") is None


def test_a_profile_that_changes_nothing_or_is_broken_is_dropped() -> None:
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (usual, wrong, b"not a profile"):
        photo = fitted(encoded(flag(), "PNG", icc_profile=profile))
        assert photo.info.get("icc_profile") is None
        assert near(pixel(photo, 100, 540), (0, 0, 255), 2)


def test_a_large_photo_is_shrunk_and_keeps_its_shape() -> None:
    assert fitted(encoded(Image.new("RGB", (5000, 2500), "green"))).size == (4096, 2048)
    assert fitted(encoded(Image.new("RGB", (2500, 5000), "green"), "WEBP")).size == (2048, 4096)


def test_shrinking_shows_the_same_picture() -> None:
    large = waves_photo(2400, 1344, waves=60).getchannel("R").convert("RGB")
    photo = fitted(encoded(large, quality=95), PhotoRules(max_side=600))
    expected = large.resize((600, 336), Image.Resampling.LANCZOS)
    assert ImageStat.Stat(ImageChops.difference(photo, expected)).mean[0] < 3


def test_a_heavy_photo_is_made_lighter_until_it_fits() -> None:
    noise = Image.frombytes("RGB", (1000, 800), random.Random(1).randbytes(2_400_000))
    heavy = encoded(noise, "PNG")
    for max_bytes in (900_000, 300_000, 90_000):
        light = normalise_photo(heavy, PhotoRules(max_bytes=max_bytes))
        assert len(light.data) <= max_bytes
        assert min(opened(light).size) >= RULES.min_side


def test_a_photo_that_can_never_fit_is_refused() -> None:
    noise = Image.frombytes("RGB", (400, 400), random.Random(1).randbytes(480_000))
    assert refusal(encoded(noise, "PNG"), PhotoRules(max_bytes=2_000)).code == "photo_too_large"


def test_a_photo_that_is_a_little_too_small_is_enlarged() -> None:
    assert fitted(encoded(waves_photo(500, 319))).size == (502, 320)
    assert fitted(encoded(waves_photo(240, 720), "WEBP")).size == (320, 960)


def test_a_small_photo_is_refused_with_its_size() -> None:
    error = refusal(encoded(Image.new("RGB", (500, 239))))
    assert error.code == "photo_too_small"
    assert error.values == {"min_side": 320, "width": 500, "height": 239}


def test_a_strip_is_refused_as_the_person_sees_it() -> None:
    error = refusal(encoded(Image.new("RGB", (1300, 400)), exif=exif_bytes(6)))
    assert error.code == "photo_too_long"
    assert error.values == {"times": 3.0, "width": 400, "height": 1300}


def test_a_strip_that_is_cropped_fits() -> None:
    strip = Image.new("RGB", (3380, 1072), "white")
    strip.paste("red", (439, 0, 2940, 1072))
    photo = fitted(encoded(strip, quality=95), crop=Crop("21:9"))
    assert photo.size == (2501, 1072)
    for x in (8, 2492):
        assert near(pixel(photo, x, 500), (254, 0, 0))


def test_a_crop_means_the_upright_photo_and_comes_before_shrinking() -> None:
    upright = Image.new("RGB", (3000, 6000), "white")
    upright.paste("red", (0, 1500, 3000, 4500))
    data = encoded(stored_turned(upright, 8), exif=exif_bytes(8), quality=95)
    photo = fitted(data, PhotoRules(max_side=1000), crop=Crop("1:1"))
    assert photo.size == (1000, 1000)
    assert min(pixel(photo, x, y)[0] - pixel(photo, x, y)[1] for x in (5, 995) for y in (5, 995)) > 240


def test_a_crop_that_leaves_too_little_is_refused() -> None:
    assert refusal(encoded(waves_photo(2000, 400)), crop=Crop("9:16")).code == "photo_too_small"


def test_a_photo_that_has_the_ratio_already_keeps_its_bytes() -> None:
    data = encoded(waves_photo(640, 360))
    assert normalise_photo(data, RULES, Crop("16:9")).data == data


@given(st.integers(240, 9_000), st.floats(1, 3), st.booleans(), st.sampled_from([1000, 1500, 4096]))
def test_sides_end_within_every_limit(short: int, shape: float, tall: bool, max_side: int) -> None:
    long = int(short * shape)
    rules = PhotoRules(max_side=max_side)
    width, height = fit_size(*((short, long) if tall else (long, short)), rules)
    assert (width <= height) if tall else (height <= width)
    new_short, new_long = sorted((width, height))
    assert rules.min_side <= new_short
    assert new_long <= rules.max_side
    assert new_long <= rules.max_long_to_short * new_short
    # No side is off by more than the pixel that rounding and the limit of the shape may take.
    scale = new_long / long
    assert abs(new_short - short * scale) <= 1.5


# Files that are a little wrong, while every viewer shows them.


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("letters", [2_000_000, 18_000_000])
def test_a_png_with_long_notes_is_read(is_packed: bool, letters: int) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", "x" * letters, zip=True)
    notes.add_text("parameters", "y" * 2_000_000, zip=is_packed)
    data = encoded(waves_photo(640, 480), "PNG", pnginfo=notes)
    assert near(pixel(fitted(data), 100, 100), pixel(waves_photo(640, 480), 100, 100))
    assert photo_size(data) == (640, 480)


@pytest.mark.parametrize("more", [2_000_000, 40_000_000])
def test_a_png_with_a_large_profile_is_read(more: int) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(more)
    data = encoded(waves_photo(640, 480), "PNG", icc_profile=profile)
    assert near(pixel(fitted(data), 100, 100), pixel(waves_photo(640, 480), 100, 100))


def test_a_wrong_checksum_in_a_note_is_nothing() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("a", "note")
    data = encoded(waves_photo(640, 480), "PNG", pnginfo=notes)
    assert fitted(data.replace(b"note", b"nose")).size == (640, 480)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_last_bytes_is_read(progressive: bool) -> None:
    data = encoded(Image.effect_noise((1200, 900), 80), quality=90, progressive=progressive)
    for end in (-2, -len(data) // 100):
        assert fitted(data[:end]).size == (1200, 900)
        assert photo_size(data[:end]) == (1200, 900)


def test_paper_at_the_bottom_of_a_cut_off_scan_is_not_missing() -> None:
    sheet = Image.new("RGB", (1200, 900), "white")
    sheet.paste(Image.effect_noise((1000, 400), 80), (100, 50))
    assert fitted(encoded(sheet, quality=90)[:-2]).size == (1200, 900)


def test_a_jpeg_that_lacks_a_part_of_its_picture_is_refused() -> None:
    data = encoded(Image.effect_noise((1200, 900), 80), quality=90)
    for share in (0.05, 0.5, 0.9):
        assert refusal(data[: int(len(data) * share)]).code == "not_a_photo"


def test_an_extension_says_nothing_of_what_a_file_is() -> None:
    for kind in ("WEBP", "PNG", "AVIF"):
        assert fitted(encoded(waves_photo(640, 480), kind)).size == (640, 480)
    for kind in ("GIF", "BMP", "TIFF"):
        assert refusal(encoded(waves_photo(640, 480), kind)).code == "not_a_photo"
