"""People, the bot, and their chats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.answer import Json

#: All anonymous administrators write as this account.
ANONYMOUS_ADMIN_ID = 1087968824
#: All who write in the name of a channel use this account.
CHANNEL_WRITER_ID = 136817688

ChatType = Literal["private", "group", "supergroup"]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]

# https://core.telegram.org/bots/api#chatpermissions
_PERMISSIONS = (
    *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos"),
    *("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages"),
    *("can_add_web_page_previews", "can_react_to_messages", "can_edit_tag", "can_change_info"),
    *("can_invite_users", "can_pin_messages", "can_manage_topics"),
)
# https://core.telegram.org/bots/api#chatadministratorrights
_ADMIN_RIGHTS = (
    *("can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members"),
    *("can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
    *("can_delete_stories", "can_pin_messages", "can_manage_topics", "can_manage_tags"),
)


@dataclass(frozen=True)
class Person:
    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = "en"
    last_name: str | None = None

    def as_json(self) -> Json:
        person: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if value := getattr(self, name):
                person[name] = value
        return person


@dataclass(frozen=True)
class BotAccount:
    id: int = 4242
    first_name: str = "Dreamreel"
    username: str = "dreamreel_bot"
    # As BotFather sets them.
    reads_all_group_messages: bool = False  # False: privacy mode is on
    supports_inline_queries: bool = False
    inline_feedback: bool = False  # it gets chosen_inline_result

    def as_json(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}

    def as_get_me(self) -> Json:
        return self.as_json() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.reads_all_group_messages,
            "supports_inline_queries": self.supports_inline_queries,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }


ANONYMOUS_ADMIN: Json = {
    "id": ANONYMOUS_ADMIN_ID,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_WRITER: Json = {
    "id": CHANNEL_WRITER_ID,
    "is_bot": True,
    "first_name": "Channel",
    "username": "Channel_Bot",
}


@dataclass
class Member:
    """Return a member. `rights`: what a restricted member lacks, or what an administrator has."""

    user: Json
    status: Status = "member"
    rights: dict[str, bool] = field(default_factory=dict)
    is_anonymous: bool = False

    @property
    def is_in_chat(self) -> bool:
        return self.status not in ("left", "kicked")

    @property
    def is_admin(self) -> bool:
        return self.status in ("creator", "administrator")

    def as_json(self) -> Json:
        member: Json = {"user": self.user, "status": self.status}
        match self.status:
            case "creator":
                member["is_anonymous"] = self.is_anonymous
            case "administrator":
                member |= {"can_be_edited": False, "is_anonymous": self.is_anonymous}
                member |= {right: self.rights.get(right, False) for right in _ADMIN_RIGHTS}
            case "restricted":
                member |= {"is_member": True, "until_date": 0}
                member |= {permission: self.rights.get(permission, True) for permission in _PERMISSIONS}
            case "kicked":
                member["until_date"] = 0
        return member


@dataclass
class Chat:
    id: int
    type: ChatType
    title: str = ""
    person: Person | None = None  # the other side of a private chat
    members: dict[int, Member] = field(default_factory=dict)
    is_forum: bool = False
    topics: dict[int, str] = field(default_factory=dict)  # names by message_thread_id
    closed_topics: set[int] = field(default_factory=set)
    permissions: dict[str, bool] = field(default_factory=dict)  # of everybody: those that differ
    messages: dict[int, Json] = field(default_factory=dict)  # by message_id, oldest first
    reactions: dict[int, list[str]] = field(default_factory=dict)  # the bot's, by message_id
    started: bool = False  # private: the person has written to the bot, so the bot may write to them
    blocked: bool = False  # private: the person blocked the bot
    migrated_to: int | None = None
    # Every chat counts from 1, so the same number is a different message in each chat.
    next_message_id: int = 1

    def as_json(self) -> Json:
        chat: Json = {"id": self.id, "type": self.type}
        if self.person is not None:
            person = self.person.as_json()
            chat |= {key: person[key] for key in ("first_name", "last_name", "username") if key in person}
        else:
            chat["title"] = self.title
        if self.is_forum:
            chat["is_forum"] = True
        return chat

    def as_full_json(self) -> Json:
        """getChat: https://core.telegram.org/bots/api#chatfullinfo"""
        chat = self.as_json() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }
        if self.type != "private":
            chat["permissions"] = dict.fromkeys(_PERMISSIONS, True) | self.permissions
        return chat

    def allows(self, member: Member, permission: str) -> bool:
        """Return True if neither the group nor this member lacks the permission; administrators have all."""
        return member.is_admin or all(
            rights.get(permission, True) for rights in (self.permissions, member.rights)
        )

    @property
    def people(self) -> list[Json]:
        """Return the people in the chat."""
        if self.person is not None:
            return [self.person.as_json()]
        return [m.user for m in self.members.values() if m.is_in_chat and not m.user["is_bot"]]
