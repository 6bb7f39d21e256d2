"""The commands of the bot's admins: who may use it, how much, and by which settings."""

from __future__ import annotations

from bot.chat.command import Command
from bot.chat.context import Desk
from bot.chat.features.admin_allow_ban import Guests
from bot.chat.features.admin_limit import OwnLimits
from bot.chat.features.admin_page import OperatorPage
from bot.chat.features.admin_pause import Pausing
from bot.chat.features.admin_set import RuleBook
from bot.chat.handlers import PlainAct
from bot.chat.operators.notice_buttons import PAUSE, RESUME, STAY
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Asker
from bot.chat.telegram_io.messenger import Voice
from bot.text import say


def admin_commands(desk: Desk) -> dict[str, Command]:
    """By name. For everybody else they do not exist."""
    guests = Guests(
        access=desk.access,
        standings=desk.standings,
        rules=desk.rules,
        tasks=desk.store,
        people=desk.store,
        names=desk.names,
        strangers=desk.strangers,
        voice=desk.voice,
    )
    limits = OwnLimits(
        access=desk.access,
        standings=desk.standings,
        tasks=desk.store,
        names=desk.names,
        voice=desk.voice,
    )
    book = RuleBook(
        rules=desk.rules,
        record=desk.store,
        names=desk.names,
        voice=desk.voice,
        zone=desk.settings.zone,
    )
    pausing = _pausing(desk)
    commands: dict[str, Command] = {
        "admin": OperatorPage(desk.voice, desk.open_page).command,
        "allow": guests.allow,
        "ban": guests.ban,
        "limit": limits.command,
        "set": book.command,
        PAUSE: pausing.pause,
        RESUME: pausing.resume,
    }
    return {name: _admins_only(command, desk.access, desk.voice) for name, command in commands.items()}


def pausing_acts(desk: Desk) -> dict[str, PlainAct]:
    """By verb. They check by themselves who taps."""
    pausing = _pausing(desk)
    return {PAUSE: pausing.tap_pause, RESUME: pausing.tap_resume, STAY: pausing.tap_stay}


def _pausing(desk: Desk) -> Pausing:
    return Pausing(
        brake=desk.brake,
        access=desk.access,
        tasks=desk.store,
        names=desk.names,
        voice=desk.voice,
        models=desk.models,
        zone=desk.settings.zone,
    )


def _admins_only(command: Command, access: Access, voice: Voice) -> Command:
    async def checked(asker: Asker, intent: Intent) -> None:
        if await access.is_admin(asker.user_id):
            await command(asker, intent)
        elif asker.chat_id > 0:
            await voice.answer(asker, say(asker.language, "unknown_command"))

    return checked
