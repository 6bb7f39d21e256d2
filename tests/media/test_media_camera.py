"""Camera moves: smooth to a fraction of a pixel, never over the edge, and each its own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from media_samples import waves_photo
from PIL import Image, ImageChops, ImageStat

from bot.media.drawing.camera import View, look, photo_point, view_at
from bot.media.media_info import SIZES
from bot.media.yuv import Planes, planes_of
from bot.request import CAMERAS

MOVES = (None, *CAMERAS)
FRAMES = 120  # five seconds
POINTS = [(u / 4, v / 4) for u in range(-4, 5) for v in range(-4, 5)]


def place(move: str | None, t: float, u: float, v: float, aspect: float = 16 / 9) -> tuple[float, float]:
    return photo_point(view_at(move, t), u, v, aspect)


@pytest.fixture(scope="module")
def photo() -> Planes:
    return planes_of(waves_photo(640, 360))


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("ratio", SIZES)
def test_the_frame_never_leaves_the_photo(move: str | None, ratio: str) -> None:
    aspect = SIZES[ratio][0] / SIZES[ratio][1]
    for index in range(FRAMES):
        for u, v in POINTS:
            x, y = place(move, index / (FRAMES - 1), u, v, aspect)
            assert -1 < x < 1
            assert -1 < y < 1


@pytest.mark.parametrize("move", MOVES)
def test_no_move_jerks(move: str | None) -> None:
    """From frame to frame the speed changes by less than half a pixel, where speed is not the point."""
    for u, v in ((-1, -1), (1, 1), (0, 0), (1, 0), (0, -1)):
        path = [place(move, index / (FRAMES - 1), u, v) for index in range(FRAMES)]
        steps = [((b[0] - a[0]) * 640, (b[1] - a[1]) * 360) for a, b in pairwise(path)]
        changes = [max(abs(b[0] - a[0]), abs(b[1] - a[1])) for a, b in pairwise(steps)]
        limit = 2.5 if move in ("quick_pull_back", "rapid_push_pull") else 0.5
        assert max(changes) < limit


@pytest.mark.parametrize("move", [move for move in MOVES if move != "handheld"])
def test_moves_start_and_end_at_rest(move: str | None) -> None:
    for first, second in ((0.0, 1 / FRAMES), (1 - 1 / FRAMES, 1.0)):
        (x0, y0), (x1, y1) = place(move, first, 1, 1), place(move, second, 1, 1)
        assert abs(x1 - x0) * 640 < 0.6
        assert abs(y1 - y0) * 360 < 0.6


def test_every_move_is_its_own() -> None:
    paths = {
        move: [
            xy
            for step in range(11)
            for uv in ((-1, -1), (0, 0), (0.5, 0.5), (1, 1))
            for xy in place(move, step / 10, *uv)
        ]
        for move in MOVES
    }
    for one in MOVES:
        for other in MOVES:
            if one != other:
                apart = max(abs(a - b) for a, b in zip(paths[one], paths[other], strict=True))
                assert apart > 0.04, (one, other)


def test_the_names_are_kept() -> None:
    def zoom(move: str | None, t: float) -> float:
        return view_at(move, t).zoom

    def turned(move: str) -> float:
        (x0, y0), (x1, y1) = place(move, 1, 0, 0), place(move, 1, 1, 0)
        return (y1 - y0) / (x1 - x0)

    assert zoom(None, 1) > zoom(None, 0)
    assert zoom("hitchcock_dolly_in", 1) > zoom("hitchcock_dolly_in", 0)
    assert zoom("hitchcock_dolly_out", 1) < zoom("hitchcock_dolly_out", 0)
    assert zoom("quick_pull_back", 0.4) < 1.15 < 1.8 < zoom("quick_pull_back", 0)
    assert zoom("rapid_push_pull", 0.45) > 1.5 > 1.1 > zoom("rapid_push_pull", 1)
    assert place("crane_push", 1, 0, 0)[1] < place("crane_push", 0, 0, 0)[1]
    assert place("dynamic_orbit", 1, 0, 0)[0] > place("dynamic_orbit", 0, 0, 0)[0]
    assert place("central_orbit", 1, 0, 0) == place("central_orbit", 0, 0, 0)
    # The photo turns clockwise when the frame's right side looks at a higher place of it.
    assert turned("clockwise_swivel") < 0 < turned("counterclockwise_swivel")


def test_a_picture_moves_by_fractions_of_a_pixel(photo: Planes) -> None:
    """Measured in the pictures themselves: an even pan of 0.3 pixels a frame shows as 0.3 a frame."""
    size = (320, 180)
    # At a zoom of 2 the frame is one unit wide, of the two that the photo spans.
    frames = [look(photo, View(zoom=2, x=0.3 * index / size[0]), size).luma for index in range(12)]
    shifts = [_shift(frames[0], frame) for frame in frames]
    moved = [b - a for a, b in pairwise(shifts)]
    assert min(moved) > 0.22
    assert max(moved) < 0.38


@pytest.mark.parametrize("move", ["robo_arm", "dynamic_orbit", None])
def test_a_film_has_no_jitter(move: str | None, photo: Planes) -> None:
    """The middle of the picture travels one way for a while, and its speed changes little by little."""
    size = (320, 180)
    frames = [look(photo, view_at(move, 0.2 + index / 240), size).luma for index in range(24)]
    shifts = [_shift(a, b) for a, b in pairwise(frames)]
    changes = [abs(b - a) for a, b in pairwise(shifts)]
    assert max(changes) < 0.06
    assert all(shift * shifts[0] > 0 for shift in shifts) or max(map(abs, shifts)) < 0.06


def test_the_picture_stays_sharp(photo: Planes) -> None:
    """No zoom, no turn: the photo at half its size, as a good enlarger would make it."""
    size = (320, 180)
    seen = look(photo, View(zoom=1.0), size).luma
    expected = photo.luma.resize(size, Image.Resampling.BOX)
    inner = (2, 2, 318, 178)
    difference = ImageChops.difference(seen.crop(inner), expected.crop(inner))
    assert ImageStat.Stat(difference).mean[0] < 1.0


def _shift(before: Image.Image, after: Image.Image) -> float:
    """How far the middle moved to the left, by least squares along the gradient (Lucas and Kanade)."""
    width, height = before.size
    box = (width * 3 // 8, height * 3 // 8, width * 5 // 8, height * 5 // 8)
    old, new = before.crop(box), after.crop(box)
    columns = old.width
    a, b = old.tobytes(), new.tobytes()
    slopes = moves = 0.0
    for index in range(1, len(a) - 1):
        if 0 < index % columns < columns - 1:
            slope = (a[index + 1] - a[index - 1] + b[index + 1] - b[index - 1]) / 4
            slopes += slope * slope
            moves += slope * (b[index] - a[index])
    return moves / slopes
