"""The crop that Jimeng Pro documents: to a ratio, one side kept whole, and around the centre or elsewhere."""

from __future__ import annotations

from bot.request import Crop

_CENTRE = 0.5


def crop_box(width: int, height: int, crop: Crop) -> tuple[int, int, int, int]:
    """Return what a crop keeps of a picture: left, top, right and bottom in pixels.

    With W x H the picture and A:B the ratio: if W/H < A/B the height becomes W * B / A, if W/H > A/B the
    width becomes H * A / B. Around the centre both sides lose the same; an odd pixel falls to the right or
    below.
    """
    across, down = _parts(crop.ratio)
    kept_width, kept_height = width, height
    if width * down < height * across:
        kept_height = max(1, round(width * down / across))
    else:
        kept_width = max(1, round(height * across / down))
    left = int((width - kept_width) * (_CENTRE if crop.x is None else crop.x))
    top = int((height - kept_height) * (_CENTRE if crop.y is None else crop.y))
    return left, top, left + kept_width, top + kept_height


def lost_share(width: int, height: int, ratio: str) -> float:
    """Return the share of a picture that a crop to `ratio` ("21:9") cuts away, from 0 to 1."""
    left, top, right, bottom = crop_box(width, height, Crop(ratio))
    return 1 - (right - left) * (bottom - top) / (width * height)


def _parts(ratio: str) -> tuple[int, int]:
    across, _, down = ratio.partition(":")
    return int(across), int(down)
