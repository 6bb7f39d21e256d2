"""The recipe "add a command": one file that declares it, and its texts. Nothing else knows its name."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from running import BotHarness, stage
from telegram_side import a_conversation

from bot.app import utc_now
from bot.chat.features import FEATURES
from bot.chat.handlers import Feature
from bot.text import LANGUAGES, has_phrase
from bot.text.phrasebook import book

FILE = '''
"""/toast: to your health."""

from telegram import InlineKeyboardMarkup

from bot.chat.cards.layout import button
from bot.chat.handlers import ChatButton, Command
from bot.chat.reply import Reply
from bot.text import say


async def toast(ctx, sender, intent):
    keyboard = InlineKeyboardMarkup([[button("Cheers", "toast", 1)]])
    await ctx.messenger.answer(sender, say(sender.language, "toast", words=intent.words), keyboard)


async def cheer(ctx, press):
    return Reply("toast_pressed", {"number": press.choice})


COMMANDS = (Command(name="toast", handle=toast, menu="private", help="help_toast"),)
BUTTONS = (ChatButton(verb="toast", handle=cheer, used_by="allowed"),)
'''
TEXTS = {
    "command_toast": "Raise a glass",
    "help_toast": "/toast raises a glass",
    "toast": "To {words}!",
    "toast_pressed": "Cheers for {number}",
}


def a_feature(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Feature:
    for language in LANGUAGES:
        for key, text in TEXTS.items():
            monkeypatch.setitem(book(language), key, text)
    path = folder / "toast.py"
    path.write_text(FILE)
    spec = importlib.util.spec_from_file_location("toast", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Feature", module)


def menu_of(live_bot: BotHarness, scope: str) -> list[str]:
    shown = live_bot.world.commands.get({"type": scope}) or []
    return [one["command"] for one in shown]


async def test_a_command_is_added_by_one_file_and_its_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = [*FEATURES, a_feature(tmp_path, monkeypatch)]
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, utc_now, features):
        ada, chat = live_bot.newcomer()
        answer = await live_bot.answer(live_bot.world.say(ada, chat, "/toast the night"))
        assert answer["text"] == "To the night!"
        assert await live_bot.tap(ada, answer, "Cheers") == "Cheers for 1"
        help_text = await live_bot.answer(live_bot.world.say(ada, chat, "/help"))
        assert TEXTS["help_toast"] in help_text["text"]
        assert menu_of(live_bot, "all_private_chats")[-1] == "toast"
        assert "toast" not in menu_of(live_bot, "all_group_chats")


async def test_a_command_that_no_feature_declares_is_unknown_everywhere(tmp_path: Path) -> None:
    features = [one for one in FEATURES if "queue" not in {command.name for command in one.COMMANDS}]
    async with stage(tmp_path) as live_bot, a_conversation(live_bot, utc_now, features):
        ada, chat = live_bot.newcomer()
        answer = await live_bot.answer(live_bot.world.say(ada, chat, "/queue"))
        assert "/help" in answer["text"]
        assert "queue" not in menu_of(live_bot, "all_private_chats")


def test_no_name_and_no_verb_is_declared_twice() -> None:
    names = Counter(command.name for feature in FEATURES for command in feature.COMMANDS)
    verbs = Counter(button.verb for feature in FEATURES for button in feature.BUTTONS)
    assert set(names.values()) == set(verbs.values()) == {1}


def test_each_command_that_is_listed_has_its_texts() -> None:
    for command in (command for feature in FEATURES for command in feature.COMMANDS):
        assert command.menu == "nowhere" or has_phrase(f"command_{command.name}"), command.name
        assert not command.help or has_phrase(command.help), command.name
