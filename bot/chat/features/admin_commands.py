"""The commands of the bot's admins: who may use it, how much, and by which settings."""

from __future__ import annotations

from bot.chat.command import Command
from bot.chat.context import ChatContext
from bot.chat.features.admin_allow_ban import AllowBan
from bot.chat.features.admin_limit import AdminLimit
from bot.chat.features.admin_page import AdminPage
from bot.chat.features.admin_pause import AdminPause
from bot.chat.features.admin_set import AdminSet
from bot.chat.handlers import ChatButtonHandler
from bot.chat.operators.notice_buttons import PAUSE, RESUME, STAY
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.text import say


def admin_commands(ctx: ChatContext) -> dict[str, Command]:
    """By name. For everybody else they do not exist."""
    guests = AllowBan(
        access=ctx.access,
        permissions=ctx.permissions,
        rules=ctx.rules,
        tasks=ctx.store.tasks,
        people=ctx.store.people,
        names=ctx.names,
        access_requests=ctx.access_requests,
        messenger=ctx.messenger,
    )
    limits = AdminLimit(
        access=ctx.access,
        permissions=ctx.permissions,
        tasks=ctx.store.tasks,
        names=ctx.names,
        messenger=ctx.messenger,
    )
    book = AdminSet(
        rules=ctx.rules,
        record=ctx.store.audit,
        names=ctx.names,
        messenger=ctx.messenger,
        zone=ctx.settings.zone,
    )
    pausing = _pausing(ctx)
    commands: dict[str, Command] = {
        "admin": AdminPage(ctx.messenger, ctx.open_page).command,
        "allow": guests.allow,
        "ban": guests.ban,
        "limit": limits.command,
        "set": book.command,
        PAUSE: pausing.pause,
        RESUME: pausing.resume,
    }
    return {name: _admins_only(command, ctx.access, ctx.messenger) for name, command in commands.items()}


def pausing_acts(ctx: ChatContext) -> dict[str, ChatButtonHandler]:
    """By verb. They check by themselves who taps."""
    pausing = _pausing(ctx)
    return {PAUSE: pausing.tap_pause, RESUME: pausing.tap_resume, STAY: pausing.tap_stay}


def _pausing(ctx: ChatContext) -> AdminPause:
    return AdminPause(
        purchase_guard=ctx.purchase_guard,
        access=ctx.access,
        tasks=ctx.store.tasks,
        names=ctx.names,
        messenger=ctx.messenger,
        models=ctx.models,
        zone=ctx.settings.zone,
    )


def _admins_only(command: Command, access: Access, messenger: Messenger) -> Command:
    async def checked(sender: Sender, intent: Intent) -> None:
        if await access.is_admin(sender.user_id):
            await command(sender, intent)
        elif sender.chat_id > 0:
            await messenger.answer(sender, say(sender.language, "unknown_command"))

    return checked
