"""What the preview draws for words: their colours, and things that move smoothly, in every shape of frame."""

from __future__ import annotations

import itertools
import random

import pytest
from PIL import Image, ImageChops, ImageStat

from bot.media.drawing.cutouts import Sprite, cutout_of, soft_dot
from bot.media.drawing.palettes import palette_named
from bot.media.drawing.scene import paint_scene
from bot.media.drawing.scene_words import Motif, read_scene_words
from bot.media.media_info import SIZES
from bot.media.yuv import Planes

SMALL = (320, 176)


def frames(
    motifs: set[Motif], count: int = 2, size: tuple[int, int] = SMALL, name: str = "night"
) -> list[Planes]:
    chance = random.Random("a scene")
    return list(
        paint_scene(size, palette_named(name), frozenset(motifs), chance, count=count, frames_per_s=24)
    )


def difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


@pytest.mark.parametrize(
    ("motif", "prompts"),
    [
        (
            Motif.RAIN,
            (
                "a boat in the rain",
                "雨中的纸船",
                "雨中的紙船",
                "лодка под дождём",
                "un barco bajo la lluvia",
                "chuva",
            ),
        ),
        (Motif.SNOW, ("Snowy street", "下雪了", "снег идёт", "nieve en la calle", "neve", "❄")),
        (Motif.STARS, ("a starry sky", "星空", "звёзды", "estrellas", "estrelas", "🌌")),
        (Motif.WAVES, ("waves", "海浪", "волны", "olas", "ondas", "🌊")),
        (Motif.EMBERS, ("a campfire", "火焰", "костёр", "fogata", "fogueira", "🔥")),
        (Motif.LEAVES, ("falling leaves", "落叶", "落葉", "листопад", "hojas", "folhas")),
        (Motif.BOAT, ("a sailboat", "帆船", "кораблик", "un velero", "um barquinho", "⛵")),
        (Motif.LIGHTHOUSE, ("the lighthouse", "灯塔", "燈塔", "у маяка", "un faro", "um farol")),
    ],
)
def test_a_motif_is_found_in_every_language(motif: Motif, prompts: tuple[str, ...]) -> None:
    for prompt in prompts:
        assert motif in read_scene_words(prompt).motifs, prompt


@pytest.mark.parametrize(
    ("prompt", "palette"),
    [
        ("a red lake", "crimson"),
        ("蓝色的湖", "azure"),
        ("зелёный лес ночью", "moss"),
        ("bosque de noche", "night"),
        ("uma floresta", "moss"),
        ("a lake at night", "night"),
        ("fuego", "ember"),
        ("森林", "moss"),
        ("gold and purple smoke", "dawn and violet"),
        ("purple and gold smoke", "violet and dawn"),
    ],
)
def test_colours_outweigh_times_and_these_places(prompt: str, palette: str) -> None:
    chosen = read_scene_words(prompt).palette
    assert chosen is not None
    assert chosen.name in (palette, f"{palette} and night")


@pytest.mark.parametrize(
    "prompt", ["", "a cat", "redo it", "белка на лестнице", "hola", "trainer", "a shipment"]
)
def test_words_that_only_resemble_a_subject_name_none(prompt: str) -> None:
    found = read_scene_words(prompt)
    assert (found.palette, found.motifs) == (None, frozenset())


@pytest.mark.parametrize("motif", Motif)
def test_every_motif_is_seen_and_moves(motif: Motif) -> None:
    first, later = frames({motif}, 12)[::11]
    plain = frames(set())[0]
    assert difference(first.luma, plain.luma) > 1
    assert difference(first.luma, later.luma) > 0.05
    assert first.luma.tobytes() == frames({motif})[0].luma.tobytes()


@pytest.mark.parametrize("ratio", SIZES)
def test_everything_at_once_can_be_drawn_in_every_shape(ratio: str) -> None:
    size = (SIZES[ratio][0] // 64 * 16, SIZES[ratio][1] // 64 * 16)
    (frame,) = frames(set(Motif), 1, size)
    assert frame.luma.size == size
    assert frame.blue.size == frame.red.size == (size[0] // 2, size[1] // 2)


def middle(planes: Planes) -> tuple[float, float]:
    """Where the light of a dark frame is, on the average."""
    width, _height = planes.luma.size
    lit = [
        (value - 16, index % width, index // width)
        for index, value in enumerate(planes.luma.tobytes())
        if value > 16
    ]
    total = sum(value for value, _, _ in lit)
    return sum(value * x for value, x, _ in lit) / total, sum(value * y for value, _, y in lit) / total


def dark(size: tuple[int, int] = (64, 64)) -> Planes:
    small = (size[0] // 2, size[1] // 2)
    return Planes(Image.new("L", size, 16), Image.new("L", small, 128), Image.new("L", small, 128))


@pytest.mark.parametrize("level", [1.0, 0.5])
def test_a_light_moves_by_the_same_fraction_of_a_pixel_each_frame(level: float) -> None:
    sprite = Sprite(soft_dot(4), (255, 255, 255))
    places = []
    for step in range(24):
        planes = dark()
        sprite.stamp(planes, 24 + step * 0.25, 30 - step * 0.125, level)
        places.append(middle(planes))
    assert all(b[0] - a[0] == pytest.approx(0.25, abs=0.06) for a, b in itertools.pairwise(places))
    assert all(a[1] - b[1] == pytest.approx(0.125, abs=0.06) for a, b in itertools.pairwise(places))


def test_a_cutout_moves_by_the_same_fraction_of_a_pixel_each_frame() -> None:
    shape = Image.new("L", (20, 20))
    shape.paste(255, (4, 4, 16, 16))
    cutout = cutout_of(Image.new("RGB", (20, 20), "white"), shape)
    places = []
    for step in range(24):
        planes = dark()
        cutout.paste(planes, 10 + step * 0.3, 20 + step * 0.1)
        places.append(middle(planes))
    assert all(b[0] - a[0] == pytest.approx(0.3, abs=0.05) for a, b in itertools.pairwise(places))
    assert all(b[1] - a[1] == pytest.approx(0.1, abs=0.05) for a, b in itertools.pairwise(places))


def test_what_is_outside_of_the_frame_is_left_out() -> None:
    cutout = cutout_of(Image.new("RGB", (20, 20), "white"), Image.new("L", (20, 20), 255))
    sprite = Sprite(soft_dot(6), (255, 255, 255))
    for x, y in ((-90.0, 3.0), (3.0, 90.0), (-7.5, -7.5), (61.3, 58.9)):
        planes = dark()
        cutout.paste(planes, x, y)
        sprite.stamp(planes, x, y)
        assert planes.luma.size == (64, 64)
        assert (planes.luma.histogram()[16] < 64 * 64) == (abs(x) < 70 and abs(y) < 70)
