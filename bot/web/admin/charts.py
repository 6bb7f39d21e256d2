"""Charts as SVG: stacked bars, lines, and horizontal bars. Pure: numbers in, markup out.

Colours and fonts come from the style sheet, by class, so that a chart is as light or dark as its page. Every
mark has a title for pointers and screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 440, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 6, 10, 24
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Round times for the axis, in seconds."""
_LABELS = 5
"""More dates would overlap on a phone."""


@dataclass(frozen=True, slots=True)
class Series:
    """One value a day. None: that day is unknown."""

    name: str
    style: str
    """The CSS class of its marks."""
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a horizontal bar."""

    style: str
    value: float
    title: str


def stacked(
    days: Sequence[str], series: Sequence[Series], words: Callable[[float], str], title: str
) -> Markup:
    """Draw a stacked bar for each day, the first series at the bottom."""
    tops = [sum(one.values[day] or 0 for one in series) for day in range(len(days))]
    axis = _axis(max(tops, default=0))
    step = _step(days)
    width = max(step * 0.72, 1)
    bars = Markup()
    for day, name in enumerate(days):
        told = [f"{one.name} {words(one.values[day] or 0)}" for one in series if one.values[day]]
        bar, below = Markup(), 0.0
        for one in series:
            value = one.values[day] or 0
            if value > 0:
                top, bottom = _y(below + value, axis), _y(below, axis)
                bar += Markup(
                    '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
                ).format(
                    one.style, _LEFT + day * step + (step - width) / 2, top, width, max(bottom - top, 0.5)
                )
                below += value
        bars += Markup("<g><title>{}: {}</title>{}{}</g>").format(
            name, ", ".join(told) or "nothing", _catch(day, step), bar
        )
    return _frame(days, axis, words, title, bars)


def lines(days: Sequence[str], series: Sequence[Series], words: Callable[[float], str], title: str) -> Markup:
    """Draw a line for each series of times in seconds, with gaps for unknown days."""
    known = [value for one in series for value in one.values if value is not None]
    axis = _axis(max(known, default=0), _CLOCK)
    step = _step(days)
    marks = Markup()
    for one in series:
        points = [
            None if value is None else (_LEFT + (day + 0.5) * step, _y(value, axis))
            for day, value in enumerate(one.values)
        ]
        for run in _runs(points):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            marks += Markup('<polyline class="line {}" points="{}"/>').format(one.style, path)
        for point in points:
            if point is not None:
                marks += Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
                    one.style, *point
                )
    for day, name in enumerate(days):
        told = [f"{one.name} {words(value)}" for one in series if (value := one.values[day]) is not None]
        marks += Markup("<g><title>{}: {}</title>{}</g>").format(
            name, ", ".join(told) or "nothing", _catch(day, step)
        )
    return _frame(days, axis, words, title, marks)


def lying(parts: Sequence[Segment], most: float) -> Markup:
    """Draw one horizontal bar; its full width is `most`."""
    marks, at = Markup(), 0.0
    for part in parts:
        width = 100 * part.value / most if most > 0 else 0
        marks += Markup(
            '<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="8"><title>{}</title></rect>'
        ).format(part.style, at, width, part.title)
        at += width
    return Markup(
        '<svg class="lying" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(marks)


def _frame(
    days: Sequence[str], axis: Sequence[float], words: Callable[[float], str], title: str, marks: Markup
) -> Markup:
    step = _step(days)
    drawn = Markup()
    for value in axis:
        y = _y(value, axis)
        drawn += Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            _LEFT, _WIDTH - _RIGHT, y, y
        )
        drawn += Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            _LEFT - 6, y + 4, words(value)
        )
    every = math.ceil(len(days) / _LABELS)
    for day, name in enumerate(days):
        # Counted from the last one, so that today always has a date.
        if (len(days) - 1 - day) % every == 0:
            drawn += Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                _LEFT + (day + 0.5) * step, _HEIGHT - 6, name
            )
    return Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        _WIDTH, _HEIGHT, escape(title), drawn, marks
    )


def _step(days: Sequence[str]) -> float:
    """Return the width of a day's column."""
    return (_WIDTH - _LEFT - _RIGHT) / max(len(days), 1)


def _catch(day: int, step: float) -> Markup:
    """Draw an invisible rectangle, so that a day's title shows anywhere in its column."""
    return Markup('<rect class="catch" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        _LEFT + day * step, _TOP, step, _HEIGHT - _TOP - _BOTTOM
    )


def _y(value: float, axis: Sequence[float]) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / axis[-1]


def _axis(most: float, steps: Sequence[float] = ()) -> list[float]:
    """Return the axis from 0 to above `most`, in about four steps of `steps` or of round numbers."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    size = 10 ** math.floor(math.log10(rough))
    rounds = (size * factor for factor in (1, 2, 2.5, 5, 10))
    step = next(step for step in (*steps, *rounds) if step >= rough)
    return [step * count for count in range(math.ceil(most / step - 1e-9) + 1)]


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Return the parts between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if len(run) > 1]
