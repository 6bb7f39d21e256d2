"""The router: finds a command by its name, and a button by its verb, among what the features declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.chat.handlers import Button, ChatButton, Command, Feature
from bot.chat.parsing.message_intent import CommandKind, Intent


class Router:
    def __init__(self, features: Iterable[Feature]) -> None:
        self.commands: dict[str, Command] = {}
        self.buttons: dict[str, Button | ChatButton] = {}
        for feature in features:
            self.commands |= {command.name: command for command in feature.COMMANDS}
            self.buttons |= {button.verb: button for button in feature.BUTTONS}
        self.kinds: Mapping[str, CommandKind] = {
            name: _kind(command) for name, command in self.commands.items()
        }
        """What kind of command each name is, for `read_intent`."""

    def meant(self, intent: Intent) -> Intent:
        """Return what an intent asks for once its command has put it in other words."""
        command = self.commands.get(intent.command)
        return intent if command is None or command.meant is None else command.meant(intent)


def _kind(command: Command) -> CommandKind:
    if command.admins_only:
        return "admin"
    if command.meant:
        return "reworded"
    if command.needs_photo:
        return "photo_only"
    return "photo" if command.is_about_photo else "other"
