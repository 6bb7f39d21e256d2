"""The state of the sandbox: people, chats and messages, and listeners for changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from itertools import count
from secrets import randbelow

from bot.log import get_log
from bot.sandbox.answer import Json, bad_request
from bot.sandbox.chats import BotAccount, Chat, Member, Person
from bot.sandbox.commands import Commands
from bot.sandbox.files import FileStore
from bot.sandbox.updates import Updates

_log = get_log(__name__)

#: A listener that gets each change, as the page's socket sends it: {"type": "message", "chat_id": …, …}
Listener = Callable[[Json], None]

# As in Telegram: ids of groups are below zero, of supergroups below -10**12.
_FIRST_GROUP_ID = -5001
_FIRST_SUPERGROUP_ID = -1_000_000_005_001


class State:
    """Messages are stored as the Bot API's JSON; `view` is what the page shows."""

    def __init__(self, *, bot: BotAccount, now: Callable[[], float]) -> None:
        self.bot = bot
        self.now = now
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.updates = Updates()
        self.files = FileStore()
        self.commands = Commands()
        #: Calls that the Bot API does not allow, as texts. With a correct bot it stays empty.
        self.complaints: list[str] = []
        self.toasts: list[Json] = []
        self.listeners: list[Listener] = []
        self._group_ids = count(_FIRST_GROUP_ID, -1)
        self._supergroup_ids = count(_FIRST_SUPERGROUP_ID, -1)
        self._changed = asyncio.Event()

    def add_person(self, person: Person) -> Person:
        self.people[person.id] = person
        return person

    def private_chat(self, person: Person) -> Chat:
        """Return the person's chat with the bot; create it at the first call."""
        if person.id not in self.chats:
            self.chats[person.id] = Chat(person.id, "private", person=person)
            self.changed_wholly()
        return self.chats[person.id]

    def add_group(
        self,
        title: str,
        people: list[Person],
        *,
        supergroup: bool = False,
        forum: bool = False,
        with_bot: bool = True,
    ) -> Chat:
        """Create a group of these people, the first as its creator. The bot is a member and is not told."""
        chat = Chat(
            next(self._supergroup_ids if supergroup or forum else self._group_ids),
            "supergroup" if supergroup or forum else "group",
            title=title,
            is_forum=forum,
        )
        for person in people:
            chat.members[person.id] = Member(person.as_json(), "member" if chat.members else "creator")
        if with_bot:
            chat.members[self.bot.id] = Member(self.bot.as_json())
        self.chats[chat.id] = chat
        self.changed_wholly()
        return chat

    def chat_of(self, message: Json) -> Chat:
        return self.chats[message["chat"]["id"]]

    def messages(self, chat: Chat) -> list[Json]:
        """Return the messages of the chat as a person sees them, oldest first."""
        return [self.view(chat, message) for message in chat.messages.values()]

    def bot_messages(self, chat: Chat) -> list[Json]:
        return [
            message for message in self.messages(chat) if message.get("from", {}).get("id") == self.bot.id
        ]

    def post(
        self,
        chat: Chat,
        sender: Json,
        content: Json,
        *,
        reply_to: Json | None = None,
        thread_id: int | None = None,
        date: int | None = None,
    ) -> Json:
        """Add a message to the chat. Raises ApiError if the topic does not exist."""
        message: Json = {
            "message_id": chat.next_message_id,
            "from": sender,
            "chat": chat.as_json(),
            "date": int(self.now()) if date is None else date,
        }
        message |= _placement(chat, reply_to, thread_id) | content
        chat.next_message_id += 1
        chat.messages[message["message_id"]] = message
        self.tell({"type": "message", "chat_id": chat.id, "message": self.view(chat, message)})
        return message

    def replace(self, chat: Chat, message: Json, *, edited: bool = True) -> None:
        """Replace the message with the same number."""
        if edited:
            message["edit_date"] = int(self.now())
        chat.messages[message["message_id"]] = message
        self.tell({"type": "edit", "chat_id": chat.id, "message": self.view(chat, message)})

    def remove(self, chat: Chat, message_id: int) -> None:
        del chat.messages[message_id]
        self.tell({"type": "delete", "chat_id": chat.id, "message_id": message_id})

    def view(self, chat: Chat, message: Json, *, for_bot: bool = False) -> Json:
        """Return a copy with the current message that it replies to, one level deep.

        Only people see keyboards that are not inline. Only the bot sees that messages of a topic reply to its
        first message.
        """
        view = deepcopy(message)
        if "reply_to_message" in view:
            original = chat.messages.get(view.pop("reply_to_message")["message_id"])
            if original is not None and (for_bot or "forum_topic_created" not in original):
                view["reply_to_message"] = self.view(chat, {**original}, for_bot=for_bot)
                view["reply_to_message"].pop("reply_to_message", None)
        if for_bot and "inline_keyboard" not in view.get("reply_markup", {"inline_keyboard": 0}):
            del view["reply_markup"]
        return view

    def complain(self, problem: str) -> None:
        """Record a bug of the bot, for the tests and in the log."""
        self.complaints.append(problem)
        _log.error("the bot made a call that the Bot API does not allow", problem=problem)

    def show_toast(self, chat_id: int, user_id: int, text: str, *, alert: bool) -> None:
        toast = {"type": "toast", "chat_id": chat_id, "user_id": user_id, "text": text, "alert": alert}
        self.toasts.append(toast)
        self.tell(toast)

    def react(self, chat: Chat, message_id: int, emoji: list[str]) -> None:
        """Set the bot's reactions to a message; an empty list removes them."""
        chat.reactions[message_id] = emoji
        self.tell({"type": "reaction", "chat_id": chat.id, "message_id": message_id, "reactions": emoji})

    def has_bot(self, chat: Chat) -> bool:
        return chat.type == "private" or self.bot.id in chat.members

    def commands_in(self, chat: Chat) -> list[Json]:
        """Return the bot's commands that people see there."""
        return self.commands.shown_in(chat) if self.has_bot(chat) else []

    def tell_commands(self) -> None:
        for chat in self.chats.values():
            self.tell({"type": "commands", "chat_id": chat.id, "commands": self.commands_in(chat)})

    def tell(self, change: Json) -> None:
        for listener in list(self.listeners):
            listener(change)
        self.pulse()

    def changed_wholly(self) -> None:
        """Announce a change of a whole chat: a new chat, its members, its title."""
        self.tell({"type": "world"})

    def pulse(self) -> None:
        """Wake all who wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next_change(self) -> None:
        await self._changed.wait()


def new_group_id() -> str:
    """Return a media_group_id, the same for all messages of one album."""
    return str(13_000_000_000_000_000 + randbelow(10**15))


def thread_of(reply_to: Json | None, thread_id: int | None) -> int | None:
    """Return the topic of a message: that of the message it replies to, else the one it names."""
    if reply_to is not None and reply_to.get("is_topic_message"):
        return int(reply_to["message_thread_id"])
    return thread_id


def _placement(chat: Chat, reply_to: Json | None, thread_id: int | None) -> Json:
    """Return the fields for the place of a message: what it replies to, and its thread."""
    thread_id = thread_of(reply_to, thread_id)
    place: Json = {}
    if thread_id is not None:
        if thread_id not in chat.topics:
            raise bad_request("message thread not found")
        place = {"message_thread_id": thread_id, "is_topic_message": True}
        # In a topic, a message without a reply replies to the message that created the topic.
        place["reply_to_message"] = {"message_id": thread_id}
    if reply_to is not None:
        place["reply_to_message"] = {"message_id": reply_to["message_id"]}
        if chat.type == "supergroup" and not place.get("is_topic_message"):
            # Outside of forums, the thread is the chain of replies, not a topic.
            place["message_thread_id"] = reply_to.get("message_thread_id", reply_to["message_id"])
    return place
