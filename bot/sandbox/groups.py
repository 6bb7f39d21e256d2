"""Groups in the sandbox: members, rights and topics, and which changes reach the bot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.chats import ANONYMOUS_ADMIN, CHANNEL_WRITER, BotAccount, Chat, Member, Person, Status
from bot.sandbox.privacy import reaches_bot
from bot.sandbox.state import State


class Where(TypedDict, total=False):
    """Where and when a person's message is sent."""

    reply_to: Json | None
    thread_id: int | None  # of a topic
    date: int | None  # seconds since 1970; now, if it is left out


class Groups(State):
    """`bare_commands`: True if `/x` without a bot's name reaches a bot in privacy mode."""

    def __init__(self, *, bot: BotAccount, now: Callable[[], float], bare_commands: bool) -> None:
        super().__init__(bot=bot, now=now)
        self.bare_commands = bare_commands

    def add_bot(self, person: Person, chat: Chat, *, status: Status = "member", **rights: bool) -> Json:
        """Add the bot to a group, as a person does. `rights` as the Bot API names them."""
        self.set_bot_status(person, chat, status, **rights)
        return self._from_person(person, chat, {"new_chat_members": [self.bot.as_json()]})

    def remove_bot(self, person: Person, chat: Chat) -> None:
        self.post(chat, person.as_json(), {"left_chat_member": self.bot.as_json()})
        self.set_bot_status(person, chat, "kicked")

    def set_bot_status(self, person: Person, chat: Chat, status: Status, **rights: bool) -> None:
        """Change the bot's status, such as `"restricted", can_send_videos=False` or `"administrator"`."""
        before = chat.members.get(self.bot.id, Member(self.bot.as_json(), "left"))
        after = Member(self.bot.as_json(), status, rights)
        chat.members[self.bot.id] = after
        self._bot_membership(chat, person.as_json(), before, after)

    def set_permissions(self, chat: Chat, **permissions: bool) -> None:
        """Change the group's permissions: `can_send_videos=False`. Bots are not told."""
        chat.permissions |= permissions
        self.changed_wholly()

    def set_admin(self, chat: Chat, person: Person, *, is_admin: bool = True) -> None:
        chat.members[person.id] = Member(person.as_json(), "administrator" if is_admin else "member")
        self.changed_wholly()

    def add_topic(self, person: Person, chat: Chat, name: str) -> int:
        """Create a topic of a forum and return its message_thread_id."""
        thread_id = chat.next_message_id
        chat.topics[thread_id] = name
        begun = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        self._from_person(person, chat, begun | _in_topic(thread_id))
        self.changed_wholly()
        return thread_id

    def close_topic(self, person: Person, chat: Chat, thread_id: int) -> None:
        """Close a topic: only administrators can write in it."""
        self._from_person(person, chat, {"forum_topic_closed": {}} | _in_topic(thread_id))
        chat.closed_topics.add(thread_id)
        self.changed_wholly()

    def delete_topic(self, chat: Chat, thread_id: int) -> None:
        """Delete a topic and its messages. Bots are not told."""
        del chat.topics[thread_id]
        for message in list(chat.messages.values()):
            if message.get("message_thread_id") == thread_id:
                self.remove(chat, message["message_id"])
        self.changed_wholly()

    def upgrade_group(self, person: Person, chat: Chat) -> Chat:
        """Upgrade the group to a supergroup, a new chat with a new id; the old one ends.

        The bot joins the new one and never leaves the old one: https://github.com/tdlib/telegram-bot-api/issues/266
        """
        upgraded = self.add_group(chat.title, [], supergroup=True, with_bot=False)
        upgraded.members, upgraded.permissions = dict(chat.members), dict(chat.permissions)
        member = chat.members.get(self.bot.id)
        if member is not None and member.is_in_chat:
            self._bot_membership(upgraded, person.as_json(), Member(self.bot.as_json(), "left"), member)
        self._from_person(person, chat, {"migrate_to_chat_id": upgraded.id})
        self._from_person(person, upgraded, {"migrate_from_chat_id": chat.id})
        chat.migrated_to = upgraded.id
        self.changed_wholly()
        return upgraded

    def bot_left(self, chat: Chat) -> None:
        """Let the bot leave."""
        bot = self.bot.as_json()
        before = chat.members[self.bot.id]
        chat.members[self.bot.id] = Member(bot, "left")
        self.post(chat, bot, {"left_chat_member": bot})
        self._bot_membership(chat, bot, before, chat.members[self.bot.id])

    def _from_person(
        self,
        person: Person,
        chat: Chat,
        content: Json,
        **where: Unpack[Where],
    ) -> Json:
        if chat.type == "private":
            chat.started = True
        elif person.id not in chat.members or not chat.members[person.id].is_in_chat:
            raise bad_request(f"{person.first_name} is not in this chat")
        match content:
            case {"sender_chat": {"type": "channel"}}:
                sender = CHANNEL_WRITER
            case {"sender_chat": _}:
                sender = ANONYMOUS_ADMIN
            case _:
                sender = person.as_json()
        message = self.post(chat, sender, content, **where)
        self._deliver(chat, message, "message")
        return message

    def _deliver(self, chat: Chat, message: Json, kind: str) -> None:
        view = self.view(chat, message, for_bot=True)
        if reaches_bot(view, chat, self.bot, bare_commands=self.bare_commands):
            self.updates.put(kind, view)

    def _bot_membership(self, chat: Chat, by: Json, before: Member, after: Member) -> None:
        change = {
            "chat": chat.as_json(),
            "from": by,
            "date": int(self.now()),
            "old_chat_member": before.as_json(),
            "new_chat_member": after.as_json(),
        }
        self.updates.put("my_chat_member", change)
        self.changed_wholly()


def _in_topic(thread_id: int) -> Json:
    return {"message_thread_id": thread_id, "is_topic_message": True}
