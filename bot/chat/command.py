"""A command with a subject of its own: who answers it gets the asker, and what was said with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.chat.asker import Asker
from bot.chat.intent import Intent

Command = Callable[[Asker, Intent], Awaitable[None]]
"""Handling the same message twice changes nothing."""
