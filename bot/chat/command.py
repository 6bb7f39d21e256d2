"""A command with a subject of its own: who answers it gets the asker, and what was said with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender

Command = Callable[[Sender, Intent], Awaitable[None]]
"""Handling the same message twice changes nothing."""
