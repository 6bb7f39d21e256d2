"""The card of /settings: what a chat has chosen, with a button for each choice.

`set:ratio` opens an option, `set:ratio=9:16` takes a choice, `set:` goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton

from bot.chat.cards.chat_defaults import usual_request
from bot.chat.cards.layout import Card, button, join, keyboard, rows
from bot.chat.cards.option_buttons import changed, choices_of, label_of
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.request import VideoModel
from bot.store import ChatSettings
from bot.text import LANGUAGES, language_name, plain, say

VERB = "set"
_VIDEO = ("model", "ratio", "seconds", "resolution", "audio")
_SWITCHES = ("audio", "notify", "quiet", "channels", "crop")
"""The options that one press switches on or off."""
_OPTIONS = (*_VIDEO, "language", "notify", "quiet", "channels", "crop")
_OWN_LANGUAGE = "auto"
_RESET = "reset"
_COLUMNS = 2
_FIGURES = ("ratio", "seconds", "resolution")
_FIGURE_COLUMNS = 3
_TOLD = {
    "notify=on": Reply("press_notify_on"),
    "notify=off": Reply("press_notify_off"),
    "quiet=on": Reply("press_quiet_on"),
    "quiet=off": Reply("press_quiet_off"),
    "channels=on": Reply("press_channels_on"),
    "channels=off": Reply("press_channels_off"),
    "crop=on": Reply("press_crop_on"),
    "crop=off": Reply("press_crop_off"),
}
"""The answer to the press of a switch, which says what it does."""


@dataclass(frozen=True, slots=True)
class SettingsState:
    """What the card of /settings shows."""

    is_group: bool
    settings: ChatSettings
    crop_preview: bool = True
    """The person's own setting, for all chats; only their private chat shows it."""


def draw_settings(
    language: str,
    choices: SettingsState,
    models: Mapping[str, VideoModel],
    default_model: str,
    opened: str | None = None,
    *,
    may_change: bool = True,
) -> Card:
    """Draw the card; `opened` is the option whose choices its buttons show. Each button says the current
    choice; people who may not change it read the choices in the text."""
    offered = {option: offers(choices, models, default_model, option) for option in _OPTIONS}
    lines = [
        _line(language, choices, option, now)
        for option, (now, others) in offered.items()
        if option == "model" or others
        if not (may_change and others) or option == opened
    ]
    text = join(
        say(language, "settings_title"),
        "\n".join(lines),
        say(language, "settings_hint"),
        say(language, "settings_admins") if choices.is_group else "",
    )
    if not may_change:
        return Card(text, None)
    if opened is not None and (found := offered.get(opened)) and found[1]:
        chosen = _choice_rows(language, choices, opened, *found)
        return Card(text, keyboard([*chosen, [_button(plain(say(language, "option_back")), "")]]))
    buttons = [
        _button(plain(_line(language, choices, option, now)), _opening(option, now, others))
        for option, (now, others) in offered.items()
        if others
    ]
    button_rows = rows(buttons, _COLUMNS)
    if any(getattr(choices.settings, option) is not None for option in _VIDEO):
        button_rows.append([_button(plain(say(language, "option_reset")), f"{_RESET}=")])
    return Card(text, keyboard(button_rows))


def offers(
    choices: SettingsState, models: Mapping[str, VideoModel], default_model: str, option: str
) -> tuple[str, list[str]]:
    """Return the current choice of an option, and all choices here: none if nothing can be chosen."""
    settings = choices.settings
    match option:
        case "language":
            return settings.language or _OWN_LANGUAGE, [_OWN_LANGUAGE, *LANGUAGES]
        case "notify":
            return _on_off(settings.notify), ["on", "off"]
        case "quiet" if choices.is_group:
            return _on_off(settings.quiet), ["on", "off"]
        case "channels" if choices.is_group:
            return _on_off(settings.channels), ["on", "off"]
        case "crop" if not choices.is_group and any(model.crops_photo for model in models.values()):
            return _on_off(choices.crop_preview), ["on", "off"]
        case _ if option in _VIDEO:
            return choices_of(usual_request(settings, models, default_model), models, option)
        case _:
            return "", []


def choose(
    choices: SettingsState, models: Mapping[str, VideoModel], default_model: str, option: str, choice: str
) -> SettingsState | None:
    """Return the choices with another one; None if it is not offered. Another model keeps ratio, length and
    resolution as near as it can."""
    settings = choices.settings
    if option == _RESET:
        bare = replace(settings, model=None, ratio=None, seconds=None, resolution=None, audio=None)
        return replace(choices, settings=bare)
    if choice not in offers(choices, models, default_model, option)[1]:
        return None
    match option:
        case "language":
            language = None if choice == _OWN_LANGUAGE else choice
            return replace(choices, settings=replace(settings, language=language))
        case "notify":
            return replace(choices, settings=replace(settings, notify=choice == "on"))
        case "quiet":
            return replace(choices, settings=replace(settings, quiet=choice == "on"))
        case "channels":
            return replace(choices, settings=replace(settings, channels=choice == "on"))
        case "crop":
            return replace(choices, crop_preview=choice == "on")
    after = changed(usual_request(settings, models, default_model), models, option, choice)
    if after is None:
        return None
    # To choose a ratio is not to choose the present default model.
    kept = replace(
        settings,
        model=after.model if option == "model" else settings.model,
        ratio=after.ratio,
        seconds=after.seconds,
        resolution=after.resolution,
        audio=after.audio,
    )
    return replace(choices, settings=kept)


async def settings(ctx: ChatContext, sender: Sender, _: Intent) -> None:
    may_change = await ctx.group_admins.may_manage(sender.chat_id, sender.user_id)
    choices = await _choices(ctx, sender)
    card = draw_settings(sender.language, choices, ctx.models, ctx.default_model(), may_change=may_change)
    await ctx.messenger.answer(sender, card.text, card.buttons)


async def choose_setting(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    sender = press.sender
    if not await ctx.group_admins.may_manage(sender.chat_id, sender.user_id):
        return Reply("press_admins_only")
    choices = await _choices(ctx, sender)
    option, is_choice, choice = press.choice.partition("=")
    if not is_choice:
        await _redraw(ctx, sender, choices, option or None)
        return None
    after = await change(ctx, sender, option, choice)
    if after is None:
        return Reply("press_gone")
    await _redraw(ctx, sender, after)
    if after.settings.language != choices.settings.language:
        await ctx.menu.publish_for(sender.chat_id, after.settings.language, sender.code)
    return _TOLD.get(press.choice)


async def change(ctx: ChatContext, sender: Sender, option: str, choice: str) -> SettingsState | None:
    """Store another choice of a chat; None if it is not offered."""
    choices = await _choices(ctx, sender)
    after = choose(choices, ctx.models, ctx.default_model(), option, choice)
    if after is not None:
        await _keep(ctx, sender, choices, after)
    return after


async def _choices(ctx: ChatContext, sender: Sender) -> SettingsState:
    ctx.preferences.drop(sender.chat_id)
    settings = await ctx.preferences.of(sender.chat_id)
    if sender.is_group:
        return SettingsState(is_group=True, settings=settings)
    person = await ctx.store.people.person(sender.user_id)
    return SettingsState(is_group=False, settings=settings, crop_preview=person.crop_preview)


async def _keep(ctx: ChatContext, sender: Sender, before: SettingsState, after: SettingsState) -> None:
    if after.settings != before.settings:
        await ctx.preferences.put(sender.chat_id, after.settings)
    if after.crop_preview != before.crop_preview:
        person = await ctx.store.people.person(sender.user_id)
        await ctx.store.people.put_person(replace(person, crop_preview=after.crop_preview))


async def _redraw(
    ctx: ChatContext, sender: Sender, choices: SettingsState, opened: str | None = None
) -> None:
    """Draw the card again, in the language that this press may have chosen."""
    language = await ctx.preferences.language_for(sender.chat_id, sender.code, sender.user_id)
    card = draw_settings(language, choices, ctx.models, ctx.default_model(), opened)
    await ctx.messenger.redraw(sender, card)


def _on_off(value: bool) -> str:
    return "on" if value else "off"


def _name(language: str, option: str) -> str:
    return plain(say(language, f"option_name_{option}"))


def _line(language: str, choices: SettingsState, option: str, now: str) -> str:
    """Return the line of an option as HTML, such as `🎬 Model: preview`."""
    name, choice = _name(language, option), _label(language, choices, option, now)
    return say(language, "settings_line", name=name, choice=choice)


def _label(language: str, choices: SettingsState, option: str, choice: str) -> str:
    """Return the name of a choice; not HTML."""
    if option in _SWITCHES:
        return plain(say(language, f"option_{choice}"))
    if option == "language":
        own = "option_askers_language" if choices.is_group else "option_own_language"
        return plain(say(language, own)) if choice == _OWN_LANGUAGE else language_name(choice)
    return label_of(language, option, choice)


def _choice_rows(
    language: str, choices: SettingsState, option: str, now: str, offered: list[str]
) -> list[list[InlineKeyboardButton]]:
    buttons = [
        _button(
            ("✓ " if choice == now else "") + _label(language, choices, option, choice), f"{option}={choice}"
        )
        for choice in offered
    ]
    return rows(buttons, _FIGURE_COLUMNS if option in _FIGURES else _COLUMNS)


def _opening(option: str, now: str, others: list[str]) -> str:
    if option in _SWITCHES:
        return f"{option}={next(one for one in others if one != now)}"
    return option


def _button(label: str, picked: str) -> InlineKeyboardButton:
    return button(label, VERB, picked)


COMMANDS: Commands = (Command(name="settings", handle=settings),)
BUTTONS: Buttons = (ChatButton(verb=VERB, handle=choose_setting, used_by="allowed"),)
