"""The plot for a chat: bars of the right height in the right colours, whatever the numbers."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.media.drawing.chart import COLOURS, draw_chart
from bot.media.drawing.glyphs import drawable
from bot.media.media_info import ChartSeries
from bot.text import LANGUAGES, plain, say

DAYS = tuple(f"05-{day:02}" for day in range(1, 15))


def drawn(*parts: ChartSeries) -> Image.Image:
    picture = Image.open(io.BytesIO(draw_chart(DAYS, parts)))
    assert (picture.format, picture.size) == ("PNG", (1080, 760))
    return picture.convert("RGB")


def pixels(picture: Image.Image, colour: str) -> int:
    """How many there are of a colour below the line that names the colours."""
    plot = picture.crop((0, 150, *picture.size))
    colours = {pixel: count for count, pixel in plot.getcolors(plot.width * plot.height) or []}
    return colours.get(COLOURS[colour], 0)


def test_a_bar_is_as_high_as_its_number() -> None:
    counts = (0,) * 12 + (1, 3)
    picture = drawn(ChartSeries("made", "made", counts))
    heights = [
        sum(picture.getpixel((x, y)) == COLOURS["made"] for y in range(150, 760))
        for x in (round(96 + (day + 0.5) * 944 / 14) for day in range(14))
    ]
    assert heights[:12] == [0] * 12
    assert heights[13] == pytest.approx(3 * heights[12], abs=6)
    assert heights[12] > 100


def test_parts_stand_on_each_other() -> None:
    counts = (5,) * 14
    picture = drawn(ChartSeries("made", "made", counts), ChartSeries("failed", "failed", counts))
    assert pixels(picture, "made") == pytest.approx(pixels(picture, "failed"), rel=0.05)
    x = round(96 + 0.5 * 944 / 14)
    column = [picture.getpixel((x, y)) for y in range(150, 760)]
    assert column.index(COLOURS["failed"]) < column.index(COLOURS["made"])


@pytest.mark.parametrize("count", [0, 1, 7, 99, 1000, 123_456])
def test_any_number_fits(count: int) -> None:
    picture = drawn(ChartSeries("made", "made", (0,) * 13 + (count,)))
    assert picture.crop((0, 0, 1080, 20)).getcolors() == [(1080 * 20, (250, 250, 248))], (
        "the margin stays free"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_have_every_word_of_it(language: str) -> None:
    for outcome in COLOURS:
        word = plain(say(language, f"stats_{outcome}"))
        assert drawable(word) == word
