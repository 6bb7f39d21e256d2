"""The rule book: /set shows the settings that admins may change here, who changed what, and changes one."""

from __future__ import annotations

import html
import re
from zoneinfo import ZoneInfo

from bot.admin.live_settings import LiveSettings, Rule
from bot.chat.cards.layout import cut, join
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import SettingsError
from bot.store.audit import SET, THE_BOT, THE_MACHINE, AuditEntry, AuditStore
from bot.text import say

_READ = re.compile(r"(\w+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_BACK = "default"
_VALUE_SHOWN = 150
_CHANGES_SHOWN = 8


class AdminSet:
    """`/set` · `/set NAME` · `/set NAME value` · `/set NAME default`."""

    def __init__(
        self,
        *,
        rules: LiveSettings,
        record: AuditStore,
        names: DisplayNames,
        messenger: Messenger,
        zone: ZoneInfo,
    ) -> None:
        self._rules = rules
        self._record = record
        self._names = names
        self._messenger = messenger
        self._zone = zone

    async def command(self, sender: Sender, intent: Intent) -> None:
        read = _READ.fullmatch(intent.words)
        await self._rules.read()
        if read is None:
            answer = await self._all(sender)
        elif read[2]:
            answer = await self._change(sender, read[1], read[2].strip())
        else:
            answer = await self._one(sender.language, read[1])
        await self._messenger.answer(sender, answer)

    async def _change(self, sender: Sender, name: str, text: str) -> str:
        try:
            await self._rules.change(name, None if text.lower() == _BACK else text, sender.user_id)
        except SettingsError as error:
            return say(sender.language, "rule_wrong", reason=cut(str(error), 1000))
        return await self._one(sender.language, name)

    async def _one(self, language: str, name: str) -> str:
        rule = self._rules.row(name)
        if rule is None:
            rules = [rule.name for rule in self._rules.rows()]
            return say(language, "rule_unknown", name=cut(name, 60), choices=rules)
        about = [
            change
            for change in await self._record.entries(100, target=str(THE_BOT), action=SET)
            if change.name == rule.name
        ]
        return join(await self._line(language, rule), await self._changes(language, about))

    async def _all(self, sender: Sender) -> str:
        language = sender.language
        return join(
            say(language, "rules_heading"),
            "\n".join([await self._line(language, rule) for rule in self._rules.rows()]),
            say(language, "rules_how", bot=self._names.suffix(sender.chat_id)),
            await self._changes(language, await self._record.entries(_CHANGES_SHOWN, action=SET)),
        )

    async def _line(self, language: str, rule: Rule) -> str:
        if rule.changed is None:
            source = say(language, f"rule_from_{rule.source.removeprefix('.')}")
        else:
            name = await self._name(rule.changed.by)
            source = say(language, "rule_changed", name="\0", time=self._when(rule.changed)).replace(
                "\0", name
            )
        value = html.escape(cut(rule.value, _VALUE_SHOWN), quote=False) or "–"
        return f"<code>{rule.name}</code> = <b>{value}</b> · {source}"

    async def _changes(self, language: str, changes: list[AuditEntry]) -> str:
        """The newest of the record, those about one person or group too."""
        lines = []
        for change in changes[:_CHANGES_SHOWN]:
            about = "" if change.subject == THE_BOT else f"{await self._names.link(change.subject)} "
            value = html.escape(cut(change.value or _BACK, _VALUE_SHOWN), quote=False)
            who = await self._name(change.by)
            lines.append(f"• {self._when(change)} · {who}: {about}<code>{change.name}</code> → {value}")
        return "\n".join([say(language, "rules_record"), *lines]) if lines else ""

    async def _name(self, user_id: int) -> str:
        return "–" if user_id == THE_MACHINE else await self._names.link(user_id)

    def _when(self, change: AuditEntry) -> str:
        return f"{change.at.astimezone(self._zone):%Y-%m-%d %H:%M}"
