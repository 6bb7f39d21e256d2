"""The buttons under notices to the admins. Pure."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.store import Notice
from bot.text import plain, say

STRANGER: Final = "stranger_asks"
STRANGER_GROUP: Final = "stranger_group_asks"
"""The notices that ask whether to let somebody in."""
ADMIT: Final = "admit"
YES, NO = "yes", "no"


def buttons_of(language: str, notice: Notice) -> InlineKeyboardMarkup | None:
    """None under those that ask nothing."""
    if notice.key not in (STRANGER, STRANGER_GROUP):
        return None
    user_id = notice.values["user_id"]
    subject = notice.values.get("chat_id", user_id)
    asked_by = f":{user_id}" if subject != user_id else ""
    answers = [
        InlineKeyboardButton(plain(say(language, key)), callback_data=f"{ADMIT}:{subject}:{answer}{asked_by}")
        for key, answer in (("button_allow", YES), ("button_ignore", NO))
    ]
    return InlineKeyboardMarkup([answers])
