"""List every setting with its value and where that comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from bot.admin.live_settings import apply_changes
from bot.admin.setting_sources import names, shown_value, source_of
from bot.settings import Settings
from bot.store.audit import THE_BOT, THE_MACHINE, AuditEntry
from bot.stores.open import stored_settings


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    value: str
    """As it could be typed; for a secret only `set`."""
    source: str
    """`default`, `environment`, `.env`, or who changed it and when."""


async def list_values(settings: Settings) -> list[Value]:
    """Return all settings in the order of `.env.example`, as a bot that starts now would have them."""
    in_force = apply_changes(settings, await stored_settings(settings.database_url, THE_BOT))
    return [
        Value(
            name,
            shown_value(in_force.settings, name),
            _changed(in_force.changes[name]) if name in in_force.changes else source_of(settings, name),
        )
        for name in names(settings)
    ]


def draw_values(values: Sequence[Value]) -> str:
    """Return a table for a terminal; empty if there are no settings."""
    if not values:
        return ""
    longest = max(len(value.name) for value in values)
    lines = [f"  {one.name:<{longest}}  {one.value or '-'}{_aside(one.source)}" for one in values]
    return "\n".join(["", "  Settings, and where each comes from", "", *lines])


def _aside(source: str) -> str:
    # Defaults are the least interesting.
    return click.style(f"  ({source})", dim=source == "default", bold=source.startswith("changed"))


def _changed(change: AuditEntry) -> str:
    who = "at this machine" if change.by == THE_MACHINE else f"by {change.by}"
    return f"changed {who}, {change.at:%Y-%m-%d %H:%M} UTC"
