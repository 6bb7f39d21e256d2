"""The buttons under notices to the admins. Pure."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardMarkup

from bot.chat.cards.layout import button, keyboard
from bot.store import Notice
from bot.text import plain, say
from bot.worker.purchase_guard import BRAKE_REACHED, DISK_REFUSES, DISK_WORKS

PAUSE, RESUME, STAY = "pause", "resume", "stay"
"""The commands that pause and resume buying, and the verbs of their buttons."""

STRANGER: Final = "stranger_asks"
STRANGER_GROUP: Final = "stranger_group_asks"
"""The notices that ask whether to allow somebody."""
ADMIT: Final = "admit"
YES, NO = "yes", "no"
_OF_BUDGETS = "budget_"


def buttons_of(language: str, notice: Notice) -> InlineKeyboardMarkup | None:
    """Return the buttons of a notice; None if it asks nothing."""
    if notice.key in (STRANGER, STRANGER_GROUP):
        answers = _admission(notice)
    elif notice.key in (BRAKE_REACHED, DISK_REFUSES, DISK_WORKS):
        answers = [("button_resume", RESUME, f"@{notice.values['pause']}"), ("button_stay_paused", STAY, "")]
    elif notice.key.startswith(_OF_BUDGETS):
        answers = [("button_pause_all", PAUSE, "")]
    else:
        return None
    return keyboard([[button(plain(say(language, key)), verb, choice) for key, verb, choice in answers]])


def _admission(notice: Notice) -> list[tuple[str, str, str]]:
    user_id = notice.values["user_id"]
    subject = notice.values.get("chat_id", user_id)
    asked_by = f":{user_id}" if subject != user_id else ""
    return [
        ("button_allow", ADMIT, f"{subject}:{YES}{asked_by}"),
        ("button_ignore", ADMIT, f"{subject}:{NO}{asked_by}"),
    ]
