"""Camera moves over a still photo: where each frame's points lie in the photo.

A flat photo has no depth, so every move is a change of framing, turn and tilt, chosen so that the eye
recognises the move that the name promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import cos, exp, log, pi, radians, sin

from PIL import Image

from bot.media.yuv import Planes, Size, half

_CELLS = (16, 12)
_EASED_S = 2.0
_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees at one moment. The photo spans -1 to 1 both ways, y downwards."""

    zoom: float
    """1 shows the whole photo, 2 a quarter of it."""
    x: float = 0.0
    y: float = 0.0
    """The photo's point in the middle of the frame."""
    roll: float = 0.0
    """Radians; the picture turns clockwise."""
    yaw: float = 0.0
    """Perspective: above 0 the right side comes nearer."""
    pitch: float = 0.0
    """Perspective: above 0 the bottom comes nearer."""
    depth: float = 0.0
    """How much closer the middle is than the rim: the picture swells like a wide-angle view."""


Move = Callable[[float], View]


def view_at(camera: str | None, progress: float, *, mirrored: bool = False) -> View:
    """Return the view of a named move at `progress` from 0 to 1; without a name, of a slow push in.

    `mirrored` swaps left and right in the moves whose name leaves that open.
    """
    view = _MOVES[camera](progress)
    if mirrored and camera in _EITHER_WAY:
        return replace(view, x=-view.x, roll=-view.roll, yaw=-view.yaw)
    return view


def whole_view(zoom: float) -> View:
    """Return the view straight on the middle."""
    return View(zoom=zoom)


def eased_from(view: View, at_s: float) -> View:
    """Return a view that begins with the whole photo, and has become `view` after two seconds."""
    e = _ease(at_s / _EASED_S)
    parts = {name: getattr(view, name) * e for name in ("x", "y", "roll", "yaw", "pitch", "depth")}
    return View(zoom=_between(1.0, view.zoom, e), **parts)


def look(photo: Planes, view: View, size: Size) -> Planes:
    """Return one frame of `size`: the photo as `view` shows it. The photo is about twice as large."""
    luma = _look_at_plane(photo.luma, view, size, size[0] / size[1])
    blue, red = (
        _look_at_plane(plane, view, half(size), size[0] / size[1]) for plane in (photo.blue, photo.red)
    )
    return Planes(luma, blue, red)


def photo_point(view: View, u: float, v: float, aspect: float) -> _Point:
    """Return the point of the photo at (u, v) of the frame; all from -1 to 1. `aspect` is width : height."""
    nearness = 1 + view.yaw * u + view.pitch * v
    rim = (1 + view.depth * (u * u + v * v) / 2) / (nearness * view.zoom)
    x, y = u * aspect * rim, v * rim
    turned_x = x * cos(view.roll) + y * sin(view.roll)
    turned_y = y * cos(view.roll) - x * sin(view.roll)
    return turned_x / aspect + view.x, turned_y + view.y


def _look_at_plane(plane: Image.Image, view: View, size: Size, aspect: float) -> Image.Image:
    # Bilinear, and still sharp: the photo has twice the frame's detail, so a frame's pixel is about the mean
    # of its four neighbours, wherever between them it lies. It is also twice as fast as bicubic.
    columns = [round(size[0] * index / _CELLS[0]) for index in range(_CELLS[0] + 1)]
    rows = [round(size[1] * index / _CELLS[1]) for index in range(_CELLS[1] + 1)]
    width, height = plane.size

    def corner(column: int, row: int) -> _Point:
        x, y = photo_point(view, 2 * columns[column] / size[0] - 1, 2 * rows[row] / size[1] - 1, aspect)
        return (x + 1) / 2 * width, (y + 1) / 2 * height

    grid = [[corner(column, row) for row in range(len(rows))] for column in range(len(columns))]
    mesh = [
        (
            (columns[column], rows[row], columns[column + 1], rows[row + 1]),
            (*grid[column][row], *grid[column][row + 1], *grid[column + 1][row + 1], *grid[column + 1][row]),
        )
        for column in range(_CELLS[0])
        for row in range(_CELLS[1])
    ]
    return plane.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _push_in(t: float) -> View:
    e = _ease(t)
    return View(zoom=_between(1.05, 1.2, e), x=_line(-0.012, 0.016, e), y=_line(0.01, -0.012, e))


def _hitchcock_dolly_in(t: float) -> View:
    # The middle grows while the rim stays: the background seems to fall away.
    e = _ease(t)
    return View(zoom=_between(1.03, 1.5, e), depth=_line(0.0, 0.44, e))


def _hitchcock_dolly_out(t: float) -> View:
    return _hitchcock_dolly_in(1 - t)


def _robo_arm(t: float) -> View:
    # A wide arc from low left over the top to low right, leaning into the turn.
    e = _ease(t)
    sweep = pi * e
    return View(
        zoom=1.3 + 0.08 * sin(sweep),
        x=-0.16 * cos(sweep),
        y=0.12 - 0.2 * sin(sweep),
        roll=radians(2.4) * cos(sweep),
        yaw=-0.03 * cos(sweep),
    )


def _dynamic_orbit(t: float) -> View:
    e = _ease(t)
    return View(
        zoom=_between(1.3, 1.42, e),
        x=_line(-0.15, 0.15, e),
        yaw=_line(-0.13, 0.13, e),
        roll=radians(_line(-1.5, 1.5, e)),
    )


def _central_orbit(t: float) -> View:
    e = _ease(t)
    return View(zoom=1.24, yaw=_line(0.17, -0.17, e), pitch=0.03 * sin(pi * e))


def _crane_push(t: float) -> View:
    e = _ease(t)
    return View(zoom=_between(1.24, 1.5, e), y=_line(0.17, -0.14, e), pitch=_line(0.05, -0.06, e))


def _quick_pull_back(t: float) -> View:
    # Most of the way in the first third, then it settles.
    e = (1 - exp(-6 * _ease(min(1.0, t * 1.15)))) / (1 - exp(-6))
    return View(zoom=_between(1.9, 1.04, e))


def _clockwise_swivel(t: float) -> View:
    e = _ease(t)
    return View(zoom=_between(1.34, 1.3, e), roll=radians(_line(-7, 7, e)))


def _counterclockwise_swivel(t: float) -> View:
    e = _ease(t)
    return View(zoom=_between(1.34, 1.3, e), roll=radians(_line(7, -7, e)))


def _handheld(t: float) -> View:
    # Sines whose periods share no multiple never repeat: breath, steps and a slow drift.
    turn = 2 * pi * t
    still = sin(pi * min(1.0, t * 8, (1 - t) * 8) / 2)
    return View(
        zoom=1.14 + 0.012 * sin(1.3 * turn),
        x=still * (0.022 * sin(1.7 * turn) + 0.009 * sin(4.3 * turn + 1)),
        y=still * (0.02 * sin(2.3 * turn + 2) + 0.008 * sin(5.1 * turn)),
        roll=still * radians(0.5) * sin(1.9 * turn + 0.5),
    )


def _rapid_push_pull(t: float) -> View:
    e = _ease(t / 0.45) if t < 0.45 else 1 - _ease((t - 0.45) / 0.55)
    return View(zoom=_between(1.05, 1.6, e))


_MOVES: dict[str | None, Move] = {
    None: _push_in,
    "hitchcock_dolly_in": _hitchcock_dolly_in,
    "hitchcock_dolly_out": _hitchcock_dolly_out,
    "robo_arm": _robo_arm,
    "dynamic_orbit": _dynamic_orbit,
    "central_orbit": _central_orbit,
    "crane_push": _crane_push,
    "quick_pull_back": _quick_pull_back,
    "counterclockwise_swivel": _counterclockwise_swivel,
    "clockwise_swivel": _clockwise_swivel,
    "handheld": _handheld,
    "rapid_push_pull": _rapid_push_pull,
}
_EITHER_WAY = {None, "robo_arm", "dynamic_orbit", "central_orbit", "handheld"}


def _ease(t: float) -> float:
    """Ease `t` from 0 to 1, starting and ending at rest."""
    return 0.5 - 0.5 * cos(pi * min(1.0, max(0.0, t)))


def _line(start: float, end: float, e: float) -> float:
    return start + (end - start) * e


def _between(start: float, end: float, e: float) -> float:
    """Interpolate a zoom: equal factors in equal times look even."""
    return exp(_line(log(start), log(end), e))
