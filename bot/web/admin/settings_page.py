"""The settings that admins may change: value, source, and a form to change each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.admin.live_settings import CHANGEABLE, LiveSettings
from bot.admin.permissions import FIGURES, Figure, LimitOverride, read_own

_SOURCES = {
    "default": "default",
    "environment": "environment",
    ".env": ".env",
    "start": "given at the start",
}


async def settings_page(
    live_settings: LiveSettings, *, wrong: str = "", tried: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """Draw the page. `wrong`: why the value that was `tried` (a name and a value) does not work."""
    await live_settings.read()
    rows = live_settings.rows()
    return {
        "subjects": {row.changed.by for row in rows if row.changed},
        "settings": rows,
        "meanings": CHANGEABLE,
        "sources": _SOURCES,
        "wrong": wrong,
        "tried": tried,
    }


def read_limits(texts: Mapping[str, str]) -> dict[Figure, LimitOverride]:
    """Return the limits of a person or a group from a form; empty means the settings. Raises ValueError."""
    return {figure: read_own(texts.get(figure, "").strip() or "default") for figure in FIGURES}
