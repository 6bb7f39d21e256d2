"""The settings that admins may change: value, source, and a form to change each."""

from __future__ import annotations

from typing import Any

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import FIGURES, Permissions, read_own

_SOURCES = {
    "default": "default",
    "environment": "environment",
    ".env": ".env",
    "start": "given at the start",
}


async def rules_page(
    rules: LiveSettings, *, wrong: str = "", tried: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """Draw the page. `wrong`: why the value that was `tried` (a name and a value) does not work."""
    await rules.read()
    return {"rules": rules.rows(), "sources": _SOURCES, "wrong": wrong, "tried": tried}


async def grant(permissions: Permissions, subject: int, texts: dict[str, str], by: int) -> None:
    """Change the limits of a person or a group; empty means the settings. ValueError: nothing has changed."""
    wishes = {figure: read_own(texts.get(figure, "").strip() or "default") for figure in FIGURES}
    for figure, most in wishes.items():
        await permissions.grant(subject, figure, most, by)
