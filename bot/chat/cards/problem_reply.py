"""What is said about a request that cannot work."""

from __future__ import annotations

from bot.chat.cards.layout import name_camera
from bot.chat.reply import Reply
from bot.request import CAMERAS, Problem


def problem_reply(language: str, problem: Problem) -> Reply:
    """Return the reply, with camera moves under the names that people know."""
    if problem.code != "camera_unknown":
        return Reply(problem.code, problem.values)
    return Reply(problem.code, problem.values | {"choices": [name_camera(language, one) for one in CAMERAS]})
