"""The crop that Jimeng Pro documents: around the centre, to a ratio, one side kept whole."""

from __future__ import annotations


def crop_box(width: int, height: int, ratio: str) -> tuple[int, int, int, int]:
    """Return what a crop to `ratio` ("21:9") keeps of a picture: left, top, right and bottom in pixels.

    With W x H the picture and A:B the ratio: if W/H < A/B the height becomes W * B / A, if W/H > A/B the
    width becomes H * A / B, and both sides lose the same. An odd pixel falls to the right or below.
    """
    across, down = _parts(ratio)
    kept_width, kept_height = width, height
    if width * down < height * across:
        kept_height = max(1, round(width * down / across))
    else:
        kept_width = max(1, round(height * across / down))
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return left, top, left + kept_width, top + kept_height


def lost_share(width: int, height: int, ratio: str) -> float:
    """Return the share of a picture that `crop_box` cuts away, from 0 to 1."""
    left, top, right, bottom = crop_box(width, height, ratio)
    return 1 - (right - left) * (bottom - top) / (width * height)


def _parts(ratio: str) -> tuple[int, int]:
    across, _, down = ratio.partition(":")
    return int(across), int(down)
