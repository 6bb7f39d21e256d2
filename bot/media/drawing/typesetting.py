"""Set text into a box: its size, its lines, and where it is cut if it is too long."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from bot.media.drawing.glyphs import drawable, is_hanzi, width_of

_NEVER_FIRST = "，。、；：？！）》」』】〉”’…—,.;:?!)]}»"
_NEVER_LAST = "（《「『【〈“‘([{«"
_LEADING = 1.34  # line height in ems
_HANZI_LEADING = 1.5  # a line of hanzi has no ascenders to keep it airy


@dataclass(frozen=True, slots=True)
class SetText:
    size_px: int
    lines: tuple[str, ...]
    leading_px: float
    is_cut: bool

    @property
    def height_px(self) -> float:
        return self.leading_px * len(self.lines)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that no line break may divide. `gap`: whether there is a space before it."""

    text: str
    gap: bool


def set_text(text: str, width_px: float, height_px: float, largest_px: float, smallest_px: float) -> SetText:
    """Return the largest setting that fits; at the smallest size the end is cut, with an ellipsis.

    A short text starts at `largest_px`; the longer it is, the smaller it starts, so that it stays calm.
    """
    pieces = _pieces(drawable(text))
    hanzi = sum(map(is_hanzi, text)) * 3 > len(text)
    leading = _HANZI_LEADING if hanzi else _LEADING
    ems = max(1.0, sum(width_of(piece.text) for piece in pieces))
    size = max(smallest_px, largest_px * min(1.0, (6 / ems) ** 0.3))
    # A smaller title is better than a broken word; only a word as long as an address is broken.
    widest = max((width_of(piece.text) for piece in pieces), default=1.0)
    size = max(smallest_px, size / 2, min(size, 0.99 * width_px / widest))
    while True:
        fitting = [part for piece in pieces for part in _narrow(piece, width_px / size)]
        lines = _wrap(fitting, width_px / size)
        room = max(1, int(height_px / (leading * size)))
        if len(lines) <= room or size <= smallest_px:
            break
        size = max(smallest_px, size * 0.96)
    is_cut = len(lines) > room
    lines = _cut(lines[:room], width_px / size) if is_cut else _balanced(fitting, len(lines), width_px / size)
    return SetText(round(size), tuple(_joined(line) for line in lines), leading * size, is_cut)


def _pieces(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    gap = False
    for character in text:
        if character == " ":
            gap = True
            continue
        last = pieces[-1].text if pieces else ""
        if last and not gap and _sticks(last[-1], character):
            pieces[-1] = _Piece(last + character, pieces[-1].gap)
        else:
            pieces.append(_Piece(character, gap and bool(pieces)))
        gap = False
    return pieces


def _sticks(before: str, character: str) -> bool:
    if character in _NEVER_FIRST or before in _NEVER_LAST:
        return True
    return not is_hanzi(before) and not is_hanzi(character)


def _narrow(piece: _Piece, width: float) -> list[_Piece]:
    """Divide a word that is wider than the line into as few parts as possible, about equally long."""
    parts = ceil(width_of(piece.text) / width)
    while parts > 1:
        step = ceil(len(piece.text) / parts)
        texts = [piece.text[start : start + step] for start in range(0, len(piece.text), step)]
        if step == 1 or all(width_of(text) <= width for text in texts):
            return [_Piece(text, piece.gap and index == 0) for index, text in enumerate(texts)]
        parts += 1
    return [piece]


def _wrap(pieces: list[_Piece], width: float) -> list[list[_Piece]]:
    """Fill lines from the start; `width` is in ems."""
    lines: list[list[_Piece]] = []
    used = 0.0
    space = width_of(" ")
    for piece in pieces:
        wide = width_of(piece.text)
        gap = space if piece.gap else 0.0
        if lines and used + gap + wide <= width:
            lines[-1].append(piece)
            used += gap + wide
        else:
            lines.append([piece])
            used = wide
    return lines


def _balanced(pieces: list[_Piece], count: int, width: float) -> list[list[_Piece]]:
    """Return as many lines, as equal in length as possible."""
    narrowest, widest = width / 2, width
    for _ in range(10):
        middle = (narrowest + widest) / 2
        if len(_wrap(pieces, middle)) <= count:
            widest = middle
        else:
            narrowest = middle
    return _wrap(pieces, widest)


def _cut(lines: list[list[_Piece]], width: float) -> list[list[_Piece]]:
    last = list(lines[-1])
    while len(last) > 1 and width_of(_joined(last) + "…") > width:
        last.pop()
    end = last[-1].text.rstrip(_NEVER_FIRST + _NEVER_LAST) + "…"
    return [*lines[:-1], [*last[:-1], _Piece(end, last[-1].gap)]]


def _joined(line: list[_Piece]) -> str:
    return "".join((" " if piece.gap and index else "") + piece.text for index, piece in enumerate(line))
