"""Actions of people in the sandbox: write, send pictures, press buttons, block the bot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Unpack

from bot.sandbox.answer import Json
from bot.sandbox.callbacks import Callbacks
from bot.sandbox.chats import BotAccount, Chat, Member, Person
from bot.sandbox.entities import formatted
from bot.sandbox.files import ReceivedFile, document_json, photo_json, video_json
from bot.sandbox.groups import Groups, Where
from bot.sandbox.inline import InlineQueries, InlineQuery, update_of
from bot.sandbox.state import new_group_id


@dataclass(frozen=True)
class Attachment:
    """A file that a person attaches, and its kind in the chat."""

    file: ReceivedFile
    kind: Literal["photo", "video", "animation", "document"] = "photo"
    width: int = 0
    height: int = 0
    duration_s: int = 0


_QUERY_LIMIT = 256  # https://core.telegram.org/bots/api#inlinequery
_STRANGERS = ("Dora", "Emil", "Fatima", "Goran", "Hana", "Ines")
_LOOP = Path(__file__).parent / "loop.mp4"
_THINGS: dict[str, Json] = {
    "voice": {"file_id": "voice-1", "file_unique_id": "voice-1", "duration": 3, "mime_type": "audio/ogg"},
    "sticker": {
        "file_id": "sticker-1",
        "file_unique_id": "sticker-1",
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
        "emoji": "🦊",
    },
    "contact": {"phone_number": "+10000000000", "first_name": "Ada"},
}


class World(Groups):
    def __init__(
        self,
        *,
        bot: BotAccount | None = None,
        now: Callable[[], float] = time.time,
        bare_commands: bool = True,
    ) -> None:
        super().__init__(bot=bot or BotAccount(), now=now, bare_commands=bare_commands)
        self.callbacks = Callbacks(now)
        self.inline = InlineQueries(now)

    def say(
        self,
        person: Person,
        chat: Chat,
        text: str,
        *,
        anonymous: bool = False,
        channel: Json | None = None,
        external: Json | None = None,
        **where: Unpack[Where],
    ) -> Json:
        """Send a text. `anonymous`: as an anonymous administrator; `channel`: in the name of a channel;
        `external`: what Telegram tells of the message of another chat that it replies to."""
        read = formatted(text)
        content: Json = {"text": read.text}
        if external is not None:
            content["external_reply"] = external
        if read.entities:
            content["entities"] = read.entities
        if anonymous or channel is not None:
            content["sender_chat"] = channel or chat.as_json()
        return self._from_person(person, chat, content, **where)

    def send_photo(
        self,
        person: Person,
        chat: Chat,
        data: bytes,
        *,
        caption: str = "",
        as_document: bool = False,
        width: int = 0,
        height: int = 0,
        name: str = "photo.jpg",
        **where: Unpack[Where],
    ) -> Json:
        """Send a photo. Dimensions that are not given are read from the JPEG or PNG."""
        file = self.files.receive(data, name)
        attachment = Attachment(file, "document" if as_document else "photo", width, height)
        return self.share(person, chat, [attachment], caption=caption, **where)[0]

    def send_album(
        self,
        person: Person,
        chat: Chat,
        photos: Sequence[bytes],
        *,
        caption: str = "",
        **where: Unpack[Where],
    ) -> list[Json]:
        """Send several photos: a message each, the caption on the first, one media_group_id."""
        attachments = [Attachment(self.files.receive(data, "photo.jpg")) for data in photos]
        return self.share(person, chat, attachments, caption=caption, **where)

    def send_video(
        self,
        person: Person,
        chat: Chat,
        data: bytes,
        *,
        caption: str = "",
        width: int = 0,
        height: int = 0,
        duration_s: int = 0,
        name: str = "video.mp4",
        **where: Unpack[Where],
    ) -> Json:
        attachment = Attachment(self.files.receive(data, name), "video", width, height, duration_s)
        return self.share(person, chat, [attachment], caption=caption, **where)[0]

    def share(
        self,
        person: Person,
        chat: Chat,
        attachments: Sequence[Attachment],
        *,
        caption: str = "",
        **where: Unpack[Where],
    ) -> list[Json]:
        """Send one message for each attachment; several make an album."""
        album = {"media_group_id": new_group_id()} if len(attachments) > 1 else {}
        sent: list[Json] = []
        for attachment in attachments:
            content = self._attached(attachment) | album
            if caption and not sent:
                read = formatted(caption)
                content |= {"caption": read.text} | (
                    {"caption_entities": read.entities} if read.entities else {}
                )
            sent.append(self._from_person(person, chat, content, **where))
        return sent

    def send_thing(self, person: Person, chat: Chat, kind: str, **where: Unpack[Where]) -> Json:
        """Send a voice message, a sticker, a contact or a GIF. Raises KeyError for another kind."""
        if kind == "animation":
            loop = Attachment(self.files.receive(_LOOP.read_bytes(), "waves.mp4"), "animation")
            return self.share(person, chat, [loop], **where)[0]
        return self._from_person(person, chat, {kind: _THINGS[kind]}, **where)

    def add_stranger(self) -> Person:
        """Add a person with a name that nobody has yet."""
        number = max(self.people, default=1000) + 1
        name = _STRANGERS[(number - 1004) % len(_STRANGERS)]
        return self.add_person(Person(number, name, f"{name.lower()}_{number}", "en"))

    def set_privacy(self, *, on: bool) -> None:
        """Switch the bot's privacy mode, as BotFather does."""
        self.bot = replace(self.bot, reads_all_group_messages=not on)
        self.changed_wholly()

    def set_inline(self, *, on: bool) -> None:
        """Switch the bot's inline mode, as BotFather does."""
        self.bot = replace(self.bot, supports_inline_queries=on)
        self.changed_wholly()

    def ask_inline(self, person: Person, chat: Chat, query: str, offset: str = "") -> InlineQuery:
        """Type `@bot query` in a chat; the bot need not be in it. Raises ValueError if inline mode is off."""
        if not self.bot.supports_inline_queries:
            raise ValueError("the bot has no inline mode")
        asked = self.inline.open(person, query[:_QUERY_LIMIT], offset)
        if not asked.answered.done():
            self.updates.put("inline_query", update_of(asked, chat))
            self.pulse()
        return asked

    def choose(self, person: Person, chat: Chat, query_id: str, result_id: str) -> Json:
        """Send a result that the bot offered this person. Raises KeyError if it did not."""
        asked = self.inline.of(query_id)
        content = self.inline.content(asked.id, result_id)
        sent = self._from_person(person, chat, content | {"via_bot": self.bot.as_json()})
        if self.bot.inline_feedback:
            chosen = {"result_id": result_id, "from": person.as_json(), "query": asked.query}
            self.updates.put("chosen_inline_result", chosen)
        return sent

    def forward(self, person: Person, chat: Chat, message: Json, **where: Unpack[Where]) -> Json:
        """Forward `message`, as another person or to another chat."""
        kept = ("text", "entities", "caption", "caption_entities", "photo", "video", "animation", "document")
        content = {key: message[key] for key in kept if key in message}
        content["forward_origin"] = {"type": "user", "sender_user": message["from"], "date": message["date"]}
        return self._from_person(person, chat, content, **where)

    def edit(self, person: Person, message: Json, text: str) -> Json:
        """Edit a person's own text, or the caption of their photo."""
        chat = self.chat_of(message)
        read = formatted(text)
        words, marks = ("text", "entities") if "text" in message else ("caption", "caption_entities")
        kept = {key: value for key, value in chat.messages[message["message_id"]].items() if key != marks}
        edited = kept | {words: read.text} | ({marks: read.entities} if read.entities else {})
        self.replace(chat, edited)
        self._deliver(chat, edited, "edited_message")
        return edited

    def press(self, person: Person, message: Json, button: str) -> str:
        """Press the button with this label or callback data; return the id of the query."""
        chat = self.chat_of(message)
        if message["message_id"] not in chat.messages:
            raise ValueError("the message with the button is gone")
        current = self.view(chat, chat.messages[message["message_id"]], for_bot=True)
        rows = current.get("reply_markup", {}).get("inline_keyboard", [])
        data = [
            item["callback_data"]
            for row in rows
            for item in row
            if "callback_data" in item and button in (item["text"], item["callback_data"])
        ]
        if not data:
            raise ValueError(f"there is no button {button!r} on this message")
        query = self.callbacks.open(person, chat, current, data[0])
        self.updates.put("callback_query", query)
        return str(query["id"])

    def block(self, person: Person, *, blocked: bool = True) -> None:
        chat = self.private_chat(person)
        chat.blocked = blocked
        member, kicked = Member(self.bot.as_json()), Member(self.bot.as_json(), "kicked")
        self._bot_membership(chat, person.as_json(), *((member, kicked) if blocked else (kicked, member)))

    def _attached(self, attachment: Attachment) -> Json:
        received, width, height = attachment.file, attachment.width, attachment.height
        match attachment.kind:
            case "photo":
                return {"photo": photo_json(self.files.add_photo(received, width=width, height=height))}
            case "video" | "animation" as kind:
                duration_s = attachment.duration_s
                file = self.files.add("Video", received, width=width, height=height, duration_s=duration_s)
                # As Telegram does, for programs that know no animations.
                older = {"document": document_json(file)} if kind == "animation" else {}
                return {kind: video_json(file)} | older
            case "document":
                return {"document": document_json(self.files.add("Document", received))}


def demo_world(*, now: Callable[[], float] = time.time) -> World:
    """Return a world with three people, a private chat of the first, and a group of all of them; the bot has
    inline mode."""
    world = World(bot=BotAccount(supports_inline_queries=True), now=now)
    people = [
        world.add_person(Person(1001, "Ada", "ada", "en")),
        world.add_person(Person(1002, "Boris", "boris", "ru")),
        world.add_person(Person(1003, "晨", "chen", "zh-hans")),
    ]
    world.private_chat(people[0])
    world.add_group("Film night", people)
    return world
