"""What moves behind the words: light, and the motifs that the words name, one behind the other."""

from __future__ import annotations

import random
from collections.abc import Iterator

from PIL import ImageChops

from bot.media.drawing.backdrop import Ground, light_discs, make_grains
from bot.media.drawing.cutouts import Layer
from bot.media.drawing.landmarks import boat, lighthouse, orb
from bot.media.drawing.landscape import forest, hills
from bot.media.drawing.palettes import Palette, mix
from bot.media.drawing.scene_words import Motif
from bot.media.drawing.titles import WHOLE, Area
from bot.media.drawing.water import glints, glow_below, make_sea, rings
from bot.media.drawing.weather import embers, leaves, rain, snow, stars
from bot.media.yuv import RGB, Planes, Size

_WATER = frozenset({Motif.WAVES, Motif.BOAT, Motif.LIGHTHOUSE})
_SUNNY = frozenset({"dusk", "dawn"})
_FALLING = (
    (Motif.EMBERS, embers),
    (Motif.LEAVES, leaves),
    (Motif.RAIN, rain),
    (Motif.SNOW, snow),
)


def area_for(motifs: frozenset[Motif], size: Size) -> Area:
    """Return where the words leave room for what is drawn."""
    wide = size[0] > size[1] * 1.1
    if Motif.LIGHTHOUSE in motifs:
        return Area(0.38, 0.36, 0.6, 0.46) if wide else Area(0.5, 0.24, 0.8, 0.34)
    if motifs & _WATER:
        return Area(0.5, 0.33 if wide else 0.32, 0.8, 0.46)
    if motifs & {Motif.FOREST, Motif.HILLS, Motif.STARS}:
        return Area(0.5, 0.38, 0.8, 0.52)
    return WHOLE


def paint_scene(
    size: Size,
    palette: Palette,
    motifs: frozenset[Motif],
    chance: random.Random,
    *,
    count: int,
    frames_per_s: int,
    backdrop: Planes | None = None,
) -> Iterator[Planes]:
    """Yield `count` frames of the moving background; `backdrop` stands in for the drifting colours."""
    ground = Ground(size, palette, chance, frames_per_s)
    layers = _layers(size, palette, motifs, chance, frames_per_s)
    grains = make_grains(size, chance)
    for index in range(count):
        planes = Planes(*(plane.copy() for plane in backdrop.all())) if backdrop else ground.frame(index)
        for layer in layers:
            layer(planes, index / frames_per_s)
        grain = grains[index % len(grains)]
        yield Planes(ImageChops.add(planes.luma, grain, 1, -128), planes.blue, planes.red)


def weather_layers(
    size: Size, palette: Palette, motifs: frozenset[Motif], chance: random.Random
) -> list[Layer]:
    """Return what falls or rises in front of everything."""
    return [make(size, palette, chance) for motif, make in _FALLING if motif in motifs]


def _layers(
    size: Size, palette: Palette, motifs: frozenset[Motif], chance: random.Random, frames_per_s: int
) -> list[Layer]:
    layers: list[Layer] = []
    if Motif.STARS in motifs and not motifs & {Motif.RAIN, Motif.SNOW}:
        layers.append(stars(size, palette, chance))
    if motifs & _WATER:
        layers += _waterside(size, palette, motifs, chance, frames_per_s)
    elif motifs & {Motif.FOREST, Motif.HILLS, Motif.SNOW, Motif.STARS}:
        snowy = Motif.SNOW in motifs
        land = forest if Motif.FOREST in motifs else hills
        if not snowy and Motif.RAIN not in motifs:
            layers.append(
                orb(size, (size[0] * 0.87, size[1] * (0.16 if size[0] > size[1] * 1.1 else 0.1)), palette)
            )
        layers.append(land(size, palette, chance, snowy=snowy))
    else:
        layers.append(light_discs(size, palette, chance))
        if Motif.EMBERS in motifs:
            layers.append(glow_below(size, size[1], (255, 120, 40), (255, 176, 84)))
    return [*layers, *weather_layers(size, palette, motifs, chance)]


def _air(palette: Palette) -> RGB:
    return mix(mix(palette.bottom, palette.lights[1], 0.55), palette.lights[2], 0.25)


def _waterside(
    size: Size, palette: Palette, motifs: frozenset[Motif], chance: random.Random, frames_per_s: int
) -> list[Layer]:
    width, height = size
    wide = width > height * 1.1
    horizon = round(height * (0.64 if wide else 0.68)) // 2 * 2
    wet = bool(motifs & {Motif.RAIN, Motif.SNOW})
    sea = make_sea(
        size, horizon, palette, chance, calm=Motif.WAVES not in motifs and Motif.LIGHTHOUSE not in motifs
    )
    layers: list[Layer] = [glow_below(size, horizon, palette.lights[0], _air(palette))]
    light_x = width * (0.1 if Motif.LIGHTHOUSE in motifs else 0.8 if palette.name in _SUNNY else 0.88)
    if not wet:
        is_sun = palette.name in _SUNNY
        light_y = horizon - height * 0.03 if is_sun else height * (0.14 if wide else 0.1)
        layers.append(orb(size, (light_x, light_y), palette, is_sun=is_sun))
    if Motif.FOREST in motifs or Motif.HILLS in motifs:
        layers.append(hills(size, palette, chance, snowy=Motif.SNOW in motifs))
    tower: Layer | None = None
    if Motif.LIGHTHOUSE in motifs:
        tall = height * 0.52 if wide else height * 0.32
        shine, tower = lighthouse(
            size, width * (0.82 if wide else 0.68), sea.swells[1].top - 0.035 * tall, tall, palette
        )
        layers.append(shine)
    back, front = (slice(0, 1), slice(1, 5)) if tower else (slice(0, 2), slice(2, 5))
    layers.append(lambda planes, at_s: sea.draw(planes, at_s, back))
    if tower:
        layers.append(tower)
    if Motif.BOAT in motifs:
        middle, front = slice(back.stop, 3), slice(3, 5)
        layers.append(lambda planes, at_s: sea.draw(planes, at_s, middle))
        layers.append(boat(size, width * (0.36 if tower else 0.5), sea.swells[2], palette))
    layers.append(lambda planes, at_s: sea.draw(planes, at_s, front))
    if not wet:
        layers.append(glints(size, horizon, light_x, mix(palette.lights[2], (255, 244, 224), 0.7), chance))
    if Motif.RAIN in motifs:
        layers.append(rings(size, horizon, chance, frames_per_s))
    return layers
