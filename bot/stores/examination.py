"""What examining a database found, whichever engine it is."""

from __future__ import annotations

from dataclasses import dataclass

MEND_OTHER_BOT = "Use that bot's token again, or another DATABASE_URL for this one."


def of_another_bot(owner: int, bot_id: int) -> str:
    """Say that the database belongs to another bot than the token."""
    return f"The database belongs to the bot {owner}, and TELEGRAM_BOT_TOKEN is that of the bot {bot_id}."


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """`problem` is the second half of a sentence, empty if nothing is wrong."""

    exists: bool
    in_use: bool = False
    """A bot is running on it."""
    problem: str = ""
    mend: str = ""
    admins: tuple[int, ...] = ()
    bot_id: int | None = None
    """The bot that it belongs to, if one has used it."""
    key_mark: str | None = None
    """`bot.photo_links.key_mark` of the process that started last."""
