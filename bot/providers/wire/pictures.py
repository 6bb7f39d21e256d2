"""Photos in the fields of a JSON request."""

from __future__ import annotations

import base64

from bot.provider import Photo, PhotoLink


def link_or_base64(photo: Photo, *, data_uri: bool) -> str:
    """Return a link as it is, and bytes as base64: bare, or as `data:image/…` with the format in small
    letters."""
    if isinstance(photo, PhotoLink):
        return photo.url
    kind = "png" if photo.startswith(b"\x89PNG") else "jpeg"
    return (f"data:image/{kind};base64," if data_uri else "") + base64.b64encode(photo).decode()
