"""The settings that admins may change: what each is, where it comes from, and a form to change it."""

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
    """`wrong`: why what was `tried` (a name and a value) does not work."""
    await rules.read()
    return {"rules": rules.rows(), "sources": _SOURCES, "wrong": wrong, "tried": tried}


async def grant(permissions: Permissions, subject: int, texts: dict[str, str], by: int) -> None:
    """What a person or a group has of their own: empty is as the settings say. ValueError changes nothing."""
    wishes = {figure: read_own(texts.get(figure, "").strip() or "default") for figure in FIGURES}
    for figure, most in wishes.items():
        await permissions.grant(subject, figure, most, by)
