"""Bot permissions: what Telegram lets the bot do in a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import Bot, ChatFullInfo, ChatMember, ChatMemberRestricted

from bot.bounded_dict import BoundedDict
from bot.chat.reply import Reply
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused
from bot.log import get_log

_REMEMBERED = timedelta(minutes=5)
_GROUPS = 1000
"""How many are remembered at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    write: bool = True
    send_videos: bool = True
    send_photos: bool = True
    hear_all: bool = False
    """Every message arrives, not only commands and answers to the bot's own."""
    topics: bool = False
    """The group is a forum."""


class BotPermissions:
    def __init__(self, bot: Bot, clock: Callable[[], datetime]) -> None:
        self._bot = bot
        self._clock = clock
        self._well_until: BoundedDict[int, datetime] = BoundedDict(_GROUPS)
        self._log = get_log(__name__)

    async def here(self, chat_id: int) -> Rights:
        """Ask Telegram what the bot may do here. Raises ChatError."""
        with translated():
            member = await self._bot.get_chat_member(chat_id, self._bot.id)
            chat = await self._bot.get_chat(chat_id)
        return read_rights(member, chat, bool(self._bot.bot.can_read_all_group_messages))

    async def obstacle(self, chat_id: int) -> Reply | None:
        """Return why no video can be shown here. A yes is remembered for some minutes, a no is not: Telegram
        does not tell a bot that members may do more. Raises ChatError."""
        well_until = self._well_until.get(chat_id)
        if chat_id > 0 or (well_until is not None and self._clock() < well_until):
            return None
        try:
            rights = await self.here(chat_id)
        except CallRefused as error:
            self._log.warning("the bot's permissions in a group are unknown", chat=chat_id, reason=str(error))
            return None
        if not rights.send_videos:
            return Reply("press_no_videos_here")
        self._well_until[chat_id] = self._clock() + _REMEMBERED
        return None

    def drop(self, chat_id: int) -> None:
        """Forget the remembered permissions: they have changed."""
        self._well_until.pop(chat_id, None)


def read_rights(member: ChatMember, chat: ChatFullInfo, hears_all: bool) -> Rights:
    """Read what the bot may do in a group. `hears_all`: privacy mode is off. An admin may do everything;
    other members may do what neither the group's permissions nor a restriction forbids."""
    topics = bool(chat.is_forum)
    if member.status in (ChatMember.ADMINISTRATOR, ChatMember.OWNER):
        return Rights(hear_all=True, topics=topics)
    limits = [chat.permissions, member if isinstance(member, ChatMemberRestricted) else None]

    def may(permission: str) -> bool:
        return all(getattr(limit, permission, True) is not False for limit in limits)

    write = may("can_send_messages")
    return Rights(
        write=write,
        send_videos=write and may("can_send_videos"),
        send_photos=write and may("can_send_photos"),
        hear_all=hears_all,
        topics=topics,
    )
