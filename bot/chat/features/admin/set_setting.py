"""/set: shows the settings that admins may change here and who changed them, and changes one.

`/set` · `/set NAME` · `/set NAME value` · `/set NAME default`.
"""

from __future__ import annotations

import html
import re

from bot.admin.live_settings import LiveSetting
from bot.chat.cards.layout import cut, join
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.errors import SettingsError
from bot.store.audit import SET, THE_BOT, THE_MACHINE, AuditEntry
from bot.text import say

_READ = re.compile(r"(\w+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_BACK = "default"
_VALUE_SHOWN = 150
_CHANGES_SHOWN = 8


async def set_rule(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    read = _READ.fullmatch(intent.words)
    await ctx.live_settings.read()
    if read is None:
        answer = await _all(ctx, sender)
    elif read[2]:
        answer = await _change(ctx, sender, read[1], read[2].strip())
    else:
        answer = await _one(ctx, sender.language, read[1])
    await ctx.messenger.answer(sender, answer)


async def _change(ctx: ChatContext, sender: Sender, name: str, text: str) -> str:
    try:
        await ctx.live_settings.change(name, None if text.lower() == _BACK else text, sender.user_id)
    except SettingsError as error:
        return say(sender.language, "rule_wrong", reason=cut(str(error), 1000))
    return await _one(ctx, sender.language, name)


async def _one(ctx: ChatContext, language: str, name: str) -> str:
    setting = ctx.live_settings.row(name)
    if setting is None:
        names = [one.name for one in ctx.live_settings.rows()]
        return say(language, "rule_unknown", name=cut(name, 60), choices=names)
    entries = await ctx.store.audit.entries(100, target=str(THE_BOT), action=SET)
    about = [entry for entry in entries if entry.name == setting.name]
    return join(await _line(ctx, language, setting), await _changes(ctx, language, about))


async def _all(ctx: ChatContext, sender: Sender) -> str:
    language = sender.language
    return join(
        say(language, "rules_heading"),
        "\n".join([await _line(ctx, language, setting) for setting in ctx.live_settings.rows()]),
        say(language, "rules_how", bot=ctx.names.suffix(sender.chat_id)),
        await _changes(ctx, language, await ctx.store.audit.entries(_CHANGES_SHOWN, action=SET)),
    )


async def _line(ctx: ChatContext, language: str, setting: LiveSetting) -> str:
    if setting.changed is None:
        source = say(language, f"rule_from_{setting.source.removeprefix('.')}")
    else:
        name = await _name(ctx, setting.changed.by)
        source = say(language, "rule_changed", name="\0", time=_when(ctx, setting.changed)).replace(
            "\0", name
        )
    value = html.escape(cut(setting.value, _VALUE_SHOWN), quote=False) or "–"
    return f"<code>{setting.name}</code> = <b>{value}</b> · {source}"


async def _changes(ctx: ChatContext, language: str, changes: list[AuditEntry]) -> str:
    """Return the newest entries of the audit log, also those about one person or group."""
    lines = []
    for change in changes[:_CHANGES_SHOWN]:
        about = "" if change.subject == THE_BOT else f"{await ctx.names.link(change.subject)} "
        value = html.escape(cut(change.value or _BACK, _VALUE_SHOWN), quote=False)
        who = await _name(ctx, change.by)
        lines.append(f"• {_when(ctx, change)} · {who}: {about}<code>{change.name}</code> → {value}")
    return "\n".join([say(language, "rules_record"), *lines]) if lines else ""


async def _name(ctx: ChatContext, user_id: int) -> str:
    return "–" if user_id == THE_MACHINE else await ctx.names.link(user_id)


def _when(ctx: ChatContext, change: AuditEntry) -> str:
    return f"{change.at.astimezone(ctx.settings.zone):%Y-%m-%d %H:%M}"


COMMANDS: Commands = (Command(name="set", handle=set_rule, admins_only=True, help="help_set"),)
BUTTONS: Buttons = ()
