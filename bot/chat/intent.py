"""What a message asks for: the table of what starts, what drafts and what is nothing. Pure.

| what somebody does                                       | private chat       | group                |
|----------------------------------------------------------|--------------------|----------------------|
| `/video words`; such a caption; such a reply to a photo  | starts             | starts               |
| a bare `/video`                                          | asks               | asks                 |
| a photo with a plain caption                             | starts             | nothing              |
| a forwarded photo with a caption                         | draft              | nothing              |
| a photo without caption, plain text                      | draft              | nothing              |
| a reply to a message of the bot (perhaps an answer)      | answer             | answer               |
| a photo as such a reply                                  | as any photo       | answer               |
| a video where a photo is due                             | says what would do | only to a command    |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telegram import Message, MessageEntity, PhotoSize
from telegram.constants import ChatType

VIDEO_COMMANDS = frozenset({"video", "v", "animate"})
COMMANDS = frozenset({"help", "models"})
"""Those that order nothing; `Conversation` knows who answers each."""
_PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"})

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
class Intent:
    wish: Wish
    words: str = ""
    """What follows the command, or the whole text."""
    photo: SentPhoto | None = None
    answers: int | None = None
    """The message of the bot that this one replies to."""
    command: str = ""
    """Which one, of `COMMANDS`."""


_NOTHING = Intent("nothing")


def read_intent(message: Message, bot_username: str, bot_id: int) -> Intent:
    """The one thing that `message` asks for."""
    private = message.chat.type == ChatType.PRIVATE
    command, words, foreign = _command(message, bot_username)
    if foreign:
        return _NOTHING
    answered = message.reply_to_message
    answers = None
    if answered is not None and answered.from_user is not None and answered.from_user.id == bot_id:
        answers = answered.message_id
    photo = find_photo(message)
    match command:
        case "start":
            return Intent("start", words)
        case str() if command in COMMANDS:
            return Intent("command", words, photo, answers, command=command)
        case str() if command in VIDEO_COMMANDS:
            photo = photo or (find_photo(answered) if answered else None)
            if photo is None and (_has_video(message) or (answered is not None and _has_video(answered))):
                return Intent("no_photo")
            return Intent("video", words, photo)
        case str():
            return Intent("unknown") if private else _NOTHING
    if answers is not None and message.text:
        return Intent("text", words, None, answers)
    if photo is not None and not private:
        return Intent("answer", words, photo, answers) if answers is not None else _NOTHING
    if not private:
        return _NOTHING
    if photo is not None:
        starts = bool(words) and message.forward_origin is None
        return Intent("photo" if starts else "draft", words, photo, answers)
    if message.text:
        return Intent("text", words)
    return Intent("no_photo") if message.effective_attachment else _NOTHING


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


def _largest(sizes: tuple[PhotoSize, ...]) -> SentPhoto:
    best = max(sizes, key=lambda size: size.width * size.height)
    return SentPhoto(best.file_id, best.width, best.height, best.file_size)


def _has_video(message: Message) -> bool:
    sent = message.video or message.animation or message.video_note or message.document or message.sticker
    return sent is not None


def _command(message: Message, bot_username: str) -> tuple[str | None, str, bool]:
    """The command at the start, the words after it, and whether it names another bot."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    # A command in bold has two entities that begin where the text does.
    found = [one for one in entities if one.type == MessageEntity.BOT_COMMAND and one.offset == 0]
    if not found:
        return None, text.strip(), False
    end = found[0].length
    name, _, addressee = text[1:end].partition("@")
    foreign = bool(addressee) and addressee.lower() != bot_username.lower()
    return name.lower(), text[end:].strip(), foreign
