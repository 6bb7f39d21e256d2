"""The arrows below a photo that is to be cropped, and what each makes of the crop. Pure.

`crop:<task>:x=3` moves the kept part to three eighths of its way from left to right, `y=3` to as many of that
from top to bottom: where it comes to lie and not by how much, so a press handled twice moves it once.
"""

from __future__ import annotations

import re
from dataclasses import replace

from telegram import InlineKeyboardButton

from bot.chat.cards.layout import button
from bot.request import Crop
from bot.task import Task

VERB = "crop"
_STEPS = 8
"""From one edge of the photo to the other."""
EDGES = ("0", str(_STEPS))
_ARROWS = {"x": "◀▶", "y": "▲▼"}
_PLACE = re.compile(rf"([xy])=([0-{_STEPS}])", re.ASCII)


def crop_rows(task: Task) -> list[list[InlineKeyboardButton]]:
    """Return a row with two arrows for each side that is cut; nothing if no photo is cropped."""
    crop = task.request.crop
    if crop is None or not task.request.photos:
        return []
    arrows = [
        button(arrow, VERB, task.id, f"{axis}={min(max(round(share * _STEPS) + by, 0), _STEPS)}")
        for axis, share in (("x", crop.x), ("y", crop.y))
        if share is not None
        for arrow, by in zip(_ARROWS[axis], (-1, 1), strict=True)
    ]
    return [arrows] if arrows else []


def moved(crop: Crop, choice: str) -> Crop | None:
    """Return the crop with its kept part where a button says; None if it cannot lie there."""
    place = _PLACE.fullmatch(choice)
    share = int(place[2]) / _STEPS if place else 0
    match place and place[1]:
        case "x" if crop.x is not None:
            return replace(crop, x=share)
        case "y" if crop.y is not None:
            return replace(crop, y=share)
        case _:
            return None
