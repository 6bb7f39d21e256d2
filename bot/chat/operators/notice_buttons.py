"""The buttons under notices to the admins. Pure."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.store import Notice
from bot.text import plain, say
from bot.worker.purchase_guard import BRAKE_REACHED

PAUSE, RESUME, STAY = "pause", "resume", "stay"
"""The commands that pause and resume buying, and the verbs of their buttons."""

STRANGER: Final = "stranger_asks"
STRANGER_GROUP: Final = "stranger_group_asks"
"""The notices that ask whether to let somebody in."""
ADMIT: Final = "admit"
YES, NO = "yes", "no"
_OF_BUDGETS = "budget_"


def buttons_of(language: str, notice: Notice) -> InlineKeyboardMarkup | None:
    """None under those that ask nothing."""
    if notice.key in (STRANGER, STRANGER_GROUP):
        answers = _admission(notice)
    elif notice.key == BRAKE_REACHED:
        answers = {"button_resume": f"{RESUME}:@{notice.values['pause']}", "button_stay_paused": f"{STAY}:"}
    elif notice.key.startswith(_OF_BUDGETS):
        answers = {"button_pause_all": f"{PAUSE}:"}
    else:
        return None
    buttons = [
        InlineKeyboardButton(plain(say(language, key)), callback_data=data) for key, data in answers.items()
    ]
    return InlineKeyboardMarkup([buttons])


def _admission(notice: Notice) -> dict[str, str]:
    user_id = notice.values["user_id"]
    subject = notice.values.get("chat_id", user_id)
    asked_by = f":{user_id}" if subject != user_id else ""
    return {
        "button_allow": f"{ADMIT}:{subject}:{YES}{asked_by}",
        "button_ignore": f"{ADMIT}:{subject}:{NO}{asked_by}",
    }
