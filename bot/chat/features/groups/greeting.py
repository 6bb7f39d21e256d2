"""The greeting in a group: what works there, and what would have to be allowed for more. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.chat.telegram_io.bot_permissions import Rights
from bot.request import VideoModel
from bot.text import say


def draw_greeting(language: str, rights: Rights, bot_username: str, models: Mapping[str, VideoModel]) -> str:
    """Draw the greeting for the group: up to three lines, only what works there."""
    if not rights.send_videos:
        return say(language, "press_no_videos_here")
    words = "group_words_topics" if rights.topics else "group_words"
    lines = [say(language, words, bot=bot_username)]
    if _any_can(models, "first_frame"):
        lines.append(say(language, "group_photos", bot=bot_username))
    lines.append(say(language, "group_hears_all" if rights.hear_all else "group_hears_commands"))
    return "\n".join(lines)


def draw_needs(language: str, group: str, rights: Rights, models: Mapping[str, VideoModel]) -> str:
    """Draw what the bot would need to do more, for the person who added it, in private; empty if nothing is
    missing."""
    needs = []
    if not rights.write:
        needs.append("group_needs_words")
    elif not rights.send_videos:
        needs.append("group_needs_videos")
    elif not rights.send_photos and any(model.crops_photo for model in models.values()):
        needs.append("group_needs_photos")
    if not rights.hear_all and _any_can(models, "first_last"):
        needs.append("group_needs_albums")
    if not needs:
        return ""
    return "\n".join(
        [say(language, "group_needs", group=group), *(f"• {say(language, key)}" for key in needs)]
    )


def _any_can(models: Mapping[str, VideoModel], mode: str) -> bool:
    return any(mode in model.modes and model.photo_reachable for model in models.values())
