"""The words of a title card: every script readable, every length inside the frame, no empty boxes."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from bot.media.drawing.glyphs import drawable, ink_of, width_of
from bot.media.drawing.palettes import PALETTES
from bot.media.drawing.scene import paint_scene
from bot.media.drawing.titles import Title, reveal_title, set_mark, set_title
from bot.media.drawing.typesetting import set_text
from bot.media.media_info import SIZES
from bot.media.yuv import Planes

LATIN = "Zażółć gęślą jaźń, ğüşı ñ ß ø"
CYRILLIC = "бумажный кораблик под дождём, їжак ґанок"
GREEK = "ένα χάρτινο καράβι στη βροχή"
CHINESE = "雨中的纸船，漂過東方的臺灣。"
JAPANESE = "雨の中のペーパーボート"
LONG = ("A long slow shot through a glass house at dawn, where dew hangs from every leaf. " * 10)[:800]
LONG_CHINESE = ("清晨的阳光穿过破碎的玻璃温室，露珠挂在每一片叶子上。" * 40)[:800]
SIZE = (640, 360)
SECONDS = 5.0


def drawn(prompt: str, at_s: float = SECONDS, size: tuple[int, int] = SIZE) -> Image.Image:
    """The ink alone: the light of white words over black."""
    black = Planes(
        Image.new("L", size, 16),
        Image.new("L", (size[0] // 2, size[1] // 2), 128),
        Image.new("L", (size[0] // 2, size[1] // 2), 128),
    )
    title = set_title(prompt, size, SECONDS)
    return reveal_title(title, black, PALETTES[0], at_s, 1.0).luma.point(lambda value: max(0, value - 16))


def amount(ink: Image.Image) -> float:
    return sum(value * count for value, count in enumerate(ink.histogram())) / 255


@pytest.mark.parametrize("prompt", [LATIN, CYRILLIC, GREEK, CHINESE, JAPANESE])
def test_every_script_is_drawn_whole(prompt: str) -> None:
    assert drawable(prompt) == prompt
    for character in prompt:
        assert character == " " or ink_of(character, 40).getbbox()
    assert amount(drawn(prompt)) > 1_000 > amount(drawn(""))


@pytest.mark.parametrize(
    "text",
    [
        "🙂👨‍👩‍👧❤️",
        "سلام شلום",
        "हिन्दी",
        "\u0000\u200f\u202e\ufffe\U000f0000",
        "\u0301\u0308",
    ],
)
def test_what_the_fonts_lack_leaves_no_box(text: str) -> None:
    assert drawable(text) == ""
    assert drawable(f"a boat {text} in rain") == "a boat in rain"
    assert ink_of("", 40).getbbox() is None
    for character in text:
        # A font that lacks a character draws its own sign for that: here it is blank.
        if unicodedata.category(character) == "So":
            assert ink_of(character, 40).getbbox() is None


def test_fancy_letters_become_plain_ones() -> None:
    assert drawable("𝐁𝐨𝐚𝐭 Ⓡain ﬁre ｱ") == "Boat Rain fire ア"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_no_text_whatever_stops_the_film(text: str) -> None:
    kept = drawable(text)
    assert all(ink_of(character, 20).getbbox() for character in kept if character != " ")
    setting = set_text(text, 400, 200, 60, 16)
    assert all(width_of(line, setting.size_px) <= 402 for line in setting.lines)


@pytest.mark.parametrize("ratio", SIZES)
@pytest.mark.parametrize("prompt", ["雨", LATIN, CYRILLIC * 5, LONG, LONG_CHINESE, "x" * 800, "Wort" * 20])
def test_every_prompt_fits_its_frame(prompt: str, ratio: str) -> None:
    width, height = SIZES[ratio]
    box = drawn(prompt, size=(width, height)).getbbox()
    assert box is not None
    assert box[0] > 0.04 * width
    assert box[2] < 0.96 * width
    assert box[1] > 0.1 * height
    assert box[3] < 0.9 * height


@pytest.mark.parametrize("prompt", [LONG, LONG_CHINESE])
def test_long_prompts_stay_large_enough_to_read(prompt: str) -> None:
    for width, height in SIZES.values():
        setting = set_text(
            prompt, width * 0.8, height * 0.64, 0.155 * min(width, height), 0.0385 * min(width, height)
        )
        assert setting.size_px >= 24
        said = "".join(setting.lines)
        assert said.endswith("…") == (len(said.replace(" ", "")) < len(prompt.replace(" ", "")))


def test_short_words_are_large_and_lines_are_even() -> None:
    setting = set_text("a paper boat in the rain", 1000, 450, 110, 28)
    assert setting.size_px > 80
    assert setting.lines == ("a paper boat", "in the rain")


@pytest.mark.parametrize("ratio", SIZES)
def test_a_word_is_rather_set_smaller_than_broken(ratio: str) -> None:
    width, height = SIZES[ratio]
    text = set_text("a lighthouse", width * 0.8, height * 0.64, 0.155 * min(width, height), 20)
    assert "lighthouse" in " ".join(text.lines).split()


def test_no_line_begins_with_a_comma_or_ends_with_an_opening_quote() -> None:
    for width in range(200, 600, 20):
        setting = set_text("雨，中。的「纸」船，漂（在）街上！" * 3, width, 2000, 40, 40)
        assert not any(line[0] in "，。」）！" for line in setting.lines)
        assert not any(line[-1] in "「（" for line in setting.lines)


def test_words_appear_from_the_first_line_on_and_stay() -> None:
    inks = [
        amount(drawn("one two three\n four five six seven eight nine", at))
        for at in (0.0, 0.8, 1.4, 2.1, 3.5, 5.0)
    ]
    assert inks[0] == 0
    assert inks == sorted(inks)
    # The thumbnail is taken at a third.
    assert amount(drawn("a paper boat in the rain", SECONDS / 3)) > 0.8 * amount(
        drawn("a paper boat in the rain")
    )


def test_words_move_smoothly_by_less_than_a_pixel_a_frame() -> None:
    boxes = [drawn("雨中的纸船", 4 + index / 24).getbbox() for index in range(12)]
    assert all(box is not None for box in boxes)
    lefts = [box[0] for box in boxes if box]
    assert max(lefts) - min(lefts) <= 1


def test_the_mark_stands_in_the_corner_of_every_frame() -> None:
    for width, height in SIZES.values():
        plain = Planes(
            Image.new("L", (width, height), 120),
            Image.new("L", (width // 2, height // 2), 128),
            Image.new("L", (width // 2, height // 2), 128),
        )
        before = plain.luma.copy()
        marked = set_mark((width, height))(plain).luma
        box = ImageChops.difference(before, marked).getbbox()
        assert box is not None
        assert width * 0.45 < box[0] < box[2] < width
        assert height * 0.9 < box[1] < box[3] < height


def test_light_moves_and_is_the_same_each_time() -> None:
    def pictures() -> list[bytes]:
        chance = random.Random("same")
        return [
            planes.luma.tobytes()
            for planes in paint_scene((160, 96), PALETTES[2], frozenset(), chance, count=3, frames_per_s=24)
        ]

    first = pictures()
    assert first == pictures()
    assert len(set(first)) == 3


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_words_can_be_read_on_every_palette(palette: object) -> None:
    assert palette in PALETTES
    title: Title = set_title("rain", SIZE, SECONDS)
    for chosen in PALETTES:
        if chosen is palette:
            (light,) = paint_scene(
                SIZE, chosen, frozenset(), random.Random(chosen.name), count=1, frames_per_s=24
            )
            box = (title.x, title.y, title.x + title.size[0], title.y + title.size[1])
            ground = light.luma.crop(box)
            brightest = max(value for value, count in enumerate(ground.histogram()) if count)
            ink = reveal_title(title, light, chosen, SECONDS, 1.0).luma.crop(box)
            assert max(value for value, count in enumerate(ink.histogram()) if count) > brightest + 60
