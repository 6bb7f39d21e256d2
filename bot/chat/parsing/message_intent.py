"""What a message asks for: the table of what starts, what drafts and what is nothing. Pure.

| what somebody does                                       | private chat       | group                |
|----------------------------------------------------------|--------------------|----------------------|
| `/video words`; such a caption; such a reply to a photo  | starts             | starts               |
| a bare `/video`                                          | asks               | asks                 |
| `/extend words` to a video, or as its caption            | starts             | starts               |
| `/again`, perhaps as a reply to a video of the bot       | starts             | starts               |
| words in reply to a video of the bot                     | draft              | nothing              |
| a photo with a plain caption                             | starts             | nothing              |
| a forwarded photo with a caption                         | draft              | nothing              |
| a photo without caption, plain text                      | draft              | nothing              |
| a reply to a message of the bot (perhaps an answer)      | answer             | answer               |
| a photo as such a reply                                  | as any photo       | answer               |
| several photos at once                                   | as one photo       | only to a command    |
| a video where a photo is due                             | says what would do | only to a command    |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from telegram import Message, MessageEntity, MessageOriginUser, PhotoSize
from telegram.constants import ChatType

_PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"})

CommandKind = Literal["photo", "admin", "other"]
"""`photo`: it makes a video, of the photo that it comes with or replies to. `admin`: for the bot's admins."""
Wish = Literal[
    "start", "command", "unknown", "video", "photo", "draft", "text", "answer", "no_photo", "nothing"
]
"""A photo may be what a question of ours waits for. Where it is not, a `photo` starts, a `draft` asks, and an
`answer` is nothing."""


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A photo in a chat, as far as Telegram tells; sides in pixels."""

    file_id: str
    width: int | None
    height: int | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class SentVideo:
    """A video in a chat, as far as Telegram tells."""

    file_id: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Intent:
    kind: Wish
    words: str = ""
    """What follows the command, or the whole text."""
    photo: SentPhoto | None = None
    answers: int | None = None
    """The message of the bot that this one replies to."""
    command: str = ""
    """Its name."""
    video: SentVideo | None = None
    """What such a command came with, or replies to."""
    about: int | None = None
    """Whose message, not one of the bot, such a command replies to; in private of a forwarded one, who wrote
    it. NOBODY where that cannot be told."""


NOBODY = 0
_NOTHING = Intent("nothing")


def read_intent(
    message: Message, bot_username: str, bot_id: int, commands: Mapping[str, CommandKind]
) -> Intent:
    """Return the one thing that `message` asks for. `commands` are those of the bot, by name."""
    private = message.chat.type == ChatType.PRIVATE
    command, words, foreign = _command(message, bot_username, commands)
    if foreign:
        return _NOTHING
    answered = message.reply_to_message
    answers = None
    if answered is not None and answered.from_user is not None and answered.from_user.id == bot_id:
        answers = answered.message_id
    photo = find_photo(message)
    if command == "start":
        return Intent("start", words)
    match commands.get(command, "unknown") if command is not None else None:
        case "admin" | "other" as kind:
            sent = find_video(message)
            video = sent or (find_video(answered) if answered else None)
            about = _author(answered) if kind == "admin" and answers is None else None
            answers = None if sent else answers
            return Intent("command", words, photo, answers, command=command or "", video=video, about=about)
        case "photo":
            photo = photo or (find_photo(answered) if answered else None)
            if photo is None and (_has_video(message) or (answered is not None and _has_video(answered))):
                return _without_photo(message, answered)
            return Intent("video", words, photo)
        case "unknown":
            return Intent("unknown") if private else _NOTHING
    if answers is not None and message.text:
        return Intent("text", words, None, answers)
    if photo is not None and not private:
        # Nothing by itself, but it may belong to an album whose first photo came with a command.
        alone = Intent("nothing", photo=photo)
        return Intent("answer", words, photo, answers) if answers is not None else alone
    if not private:
        return _NOTHING
    if photo is not None:
        starts = bool(words) and message.forward_origin is None
        return Intent("photo" if starts else "draft", words, photo, answers)
    if message.text:
        return Intent("text", words)
    return _without_photo(message) if message.effective_attachment else _NOTHING


def find_photo(message: Message) -> SentPhoto | None:
    """The photo in a message: sent as a photo, as an image file, or as a static sticker."""
    if message.photo:
        return _largest(message.photo)
    document = message.document
    if document is not None and document.mime_type in _PHOTO_TYPES:
        return SentPhoto(document.file_id, None, None, document.file_size)
    sticker = message.sticker
    if sticker is not None and not sticker.is_animated and not sticker.is_video:
        return SentPhoto(sticker.file_id, sticker.width, sticker.height, sticker.file_size)
    return None


def find_video(message: Message) -> SentVideo | None:
    """The video in a message, however it was sent: a round one, a GIF and a video file are videos too."""
    sent = message.video or message.animation or message.video_note
    if sent is not None:
        return SentVideo(sent.file_id, sent.file_size)
    document = message.document
    if document is not None and (document.mime_type or "").startswith("video/"):
        return SentVideo(document.file_id, document.file_size)
    return None


def _author(message: Message | None) -> int | None:
    """Who wrote it; None for what stands at the beginning of a topic, to which everything there replies."""
    if message is None or message.forum_topic_created is not None:
        return None
    match message.forward_origin if message.chat.type == ChatType.PRIVATE else None:
        case MessageOriginUser(sender_user=user):
            return user.id
        case None:
            pass
        case _:
            return NOBODY
    if message.sender_chat is not None:
        return message.sender_chat.id if message.sender_chat.id != message.chat.id else NOBODY
    return message.from_user.id if message.from_user else NOBODY


def _largest(sizes: tuple[PhotoSize, ...]) -> SentPhoto:
    best = max(sizes, key=lambda size: size.width * size.height)
    return SentPhoto(best.file_id, best.width, best.height, best.file_size)


def _without_photo(*messages: Message | None) -> Intent:
    """What has none is answered by what would do. From a video one can go on: a bare `/extend` says how."""
    is_video = any(message is not None and find_video(message) for message in messages)
    return Intent("command", command="extend") if is_video else Intent("no_photo")


def _has_video(message: Message) -> bool:
    sent = message.video or message.animation or message.video_note or message.document or message.sticker
    return sent is not None


def _command(
    message: Message, bot_username: str, commands: Mapping[str, CommandKind]
) -> tuple[str | None, str, bool]:
    """The command at the start, the words after it, and whether it is another bot's.

    Bots that keep order in groups have a /ban of their own: there ours has to be named.
    """
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    # A command in bold has two entities that begin where the text does.
    found = [one for one in entities if one.type == MessageEntity.BOT_COMMAND and one.offset == 0]
    if not found:
        return None, text.strip(), False
    end = found[0].length
    name, _, addressee = text[1:end].partition("@")
    if addressee:
        foreign = addressee.lower() != bot_username.lower()
    else:
        foreign = commands.get(name.lower()) == "admin" and message.chat.type != ChatType.PRIVATE
    return name.lower(), text[end:].strip(), foreign
