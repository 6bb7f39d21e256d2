"""What a message asks for: the table of what starts, what drafts and what is nothing. Pure.

| what somebody does                                       | private chat       | group                |
|----------------------------------------------------------|--------------------|----------------------|
| `/video words`; such a caption; such a reply to a photo  | starts             | starts               |
| a bare `/video`                                          | asks               | asks                 |
| `/animate words` that is about no photo                  | asks for one       | asks for one         |
| such a reply to what another chat does not hand out      | asks for a photo   | asks for a photo     |
| `/extend words` to a video, or as its caption            | starts             | starts               |
| `/again` in reply to a video of the bot, or with words   | starts             | starts               |
| a bare `/again`                                          | draft              | draft                |
| words in reply to a card of the bot, a photo or a video  | draft of that      | nothing              |
| a photo with a plain caption                             | starts             | nothing              |
| a forwarded photo with a caption                         | draft              | nothing              |
| a photo without caption, plain text                      | draft              | nothing              |
| a reply to a message of the bot (perhaps an answer)      | answer             | answer               |
| a photo as such a reply                                  | as any photo       | answer               |
| several photos at once                                   | as one photo       | only to a command    |
| a video, with a plain caption or without                 | draft              | nothing              |
| `/video`, `/animate` with or about a video               | draft              | draft                |
| the message of an open draft is edited                   | changes the draft  | changes the draft    |
| a mistyped command                                       | asks               | if it names this bot |

What starts is a draft first if it is old, if much of a photo would be cut off, or if a photo would go to a
company that its person was not told of (`bot.chat.ordering`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from telegram import Document, ExternalReplyInfo, Message, MessageEntity, MessageOriginUser, PhotoSize
from telegram.constants import ChatType

from bot.chat.sender import channels_of

_PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif"})
_UNNAMED_TYPES = re.compile(r"(?:image/.*|application/(?:octet-stream|x-.*|unknown)|binary/octet-stream)?")
"""Types that say too little: then the file's name decides, and at last its first bytes."""
_PHOTO_NAME = re.compile(r".*\.(?:jpe?g|jpe|jfif|png|webp|hei[cf]|avif)", re.IGNORECASE | re.DOTALL)

# What may follow a command that Telegram does not mark as one: `/video一只猫`, `／video a cat`.
_TYPED = re.compile(r"[/／]([A-Za-z0-9_]{1,64})(?:@([A-Za-z0-9_]{3,32}))?(?![A-Za-z0-9_/.@])")
_WHOLE_NAME = re.compile(r"[/／](\w{1,64})")
_BEFORE_WORDS = re.compile(r"^(?:[\s:：,，、.。;；!！]+|[-–—]+(?=\s|$))+")
"""What people put between a command and its words."""

CommandKind = Literal["photo", "photo_only", "reworded", "admin", "other"]
"""`photo`: it makes a video, of the photo that it comes with or replies to; `photo_only`: never without one;
`reworded`: of other words than those that follow it. `admin`: for the bot's admins."""
Wish = Literal[
    "start",
    "command",
    "unknown",
    "video",
    "photo",
    "draft",
    "text",
    "answer",
    "no_photo",
    "wants_photo",
    "nothing",
]
"""A photo may be what a question of ours waits for. If it does not, a `photo` starts, a `draft` asks, and an
`answer` is nothing. A `draft` of a video goes on from it. `wants_photo`: the words for one that is not
there."""


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
    """The name of the command."""
    video: SentVideo | None = None
    """What such a command or draft came with, or replies to."""
    points_at: int | None = None
    """The message of a person in this chat that the text replies to."""
    about: int | None = None
    """Whose message, not one of the bot, such a command replies to; in private of a forwarded one, who wrote
    it. NOBODY if that cannot be told."""


NOBODY = 0
_NOTHING = Intent("nothing")


def read_intent(
    message: Message, bot_username: str, bot_id: int, commands: Mapping[str, CommandKind]
) -> Intent:
    """Return the one thing that `message` asks for. `commands` are those of the bot, by name."""
    private = message.chat.type == ChatType.PRIVATE
    command, words, addressee = _command(message, bot_username, commands)
    if addressee == "other":
        return _NOTHING
    answered, pointed = message.reply_to_message, message.reply_to_message or message.external_reply
    answers, points_at = _replied_to(answered, bot_id)
    photo = find_photo(message)
    if command == "start":
        return Intent("start", words)
    match commands.get(command, "unknown") if command is not None else None:
        case "admin" | "other" as kind:
            sent = find_video(message)
            video = sent or (find_video(pointed) if pointed else None)
            about = _author(answered) if kind == "admin" and answers is None else None
            answers = None if sent else answers
            return Intent("command", words, photo, answers, command=command or "", video=video, about=about)
        case "photo" | "photo_only" | "reworded" as kind:
            meant = _about_photo(message, pointed, words, needs_photo=kind == "photo_only")
            if kind == "reworded" and meant.kind != "no_photo":
                meant = replace(meant, command=command or "")
            has_own = photo is not None or find_video(message) is not None
            is_on_card = (meant.photo or meant.video) is not None and not has_own
            return replace(meant, answers=answers) if is_on_card else meant
        case "unknown":
            photo = photo or (find_photo(pointed) if pointed else None)
            video = find_video(message) or (find_video(pointed) if pointed else None)
            asks = private or addressee == "this"
            guessed = Intent("unknown", words, photo, answers, command or "", None if photo else video)
            return guessed if asks else _NOTHING
    if answers is not None and message.text:
        return Intent("text", words, find_photo(pointed) if pointed and private else None, answers)
    if photo is not None and not private:
        # Nothing by itself, but it may belong to an album whose first photo came with a command.
        alone = Intent("nothing", photo=photo)
        return Intent("answer", words, photo, answers) if answers is not None else alone
    if not private:
        return _NOTHING
    if photo is not None:
        starts = bool(words) and message.forward_origin is None
        return Intent("photo" if starts else "draft", words, photo, answers)
    if message.text and pointed is not None:
        return _about_pointed(message, pointed, words, points_at)
    if message.text:
        return Intent("text", words)
    return _without_photo(words, message) if message.effective_attachment else _NOTHING


def _replied_to(answered: Message | None, bot_id: int) -> tuple[int | None, int | None]:
    """Return the message of the bot that is replied to, or else that of somebody else."""
    if answered is None:
        return None, None
    is_of_bot = answered.from_user is not None and answered.from_user.id == bot_id
    return (answered.message_id, None) if is_of_bot else (None, answered.message_id)


def _about_photo(
    message: Message, pointed: Message | ExternalReplyInfo | None, words: str, *, needs_photo: bool
) -> Intent:
    """Return what a command about a photo asks for: of its own one, or of the one that it replies to."""
    photo = find_photo(message) or (find_photo(pointed) if pointed else None)
    if photo is None and (_has_media(message) or (pointed is not None and _has_media(pointed))):
        return _without_photo(words, message, pointed)
    if photo is None and (needs_photo or _is_withheld(message)):
        return Intent("wants_photo", words)
    return Intent("video", words, photo)


def _about_pointed(
    message: Message, pointed: Message | ExternalReplyInfo, words: str, points_at: int | None
) -> Intent:
    """Return what plain words in reply to something ask for: never a video of the words alone if that shows a
    picture."""
    photo, video = find_photo(pointed), find_video(pointed)
    if photo is None and video is None and _is_withheld(message):
        return Intent("wants_photo", words)
    if photo is None and video is None and _has_media(pointed):
        return Intent("no_photo")
    return Intent("text", words, photo, video=video, points_at=points_at)


def _is_withheld(message: Message) -> bool:
    """Return True if the message replies to something of which Telegram hands out neither file nor text."""
    external = message.external_reply
    has_picture = external is not None and (find_photo(external) or find_video(external))
    return message.reply_to_story is not None or (
        external is not None and not has_picture and message.quote is None
    )


def find_photo(message: Message | ExternalReplyInfo) -> SentPhoto | None:
    """Return the photo in a message: sent as a photo, as an image file, or as a static sticker."""
    sizes = message.photo or (message.live_photo.photo if message.live_photo else ())
    if sizes:
        return _largest(sizes)
    document = message.document
    if document is not None and _is_photo_file(document):
        return SentPhoto(document.file_id, None, None, document.file_size)
    sticker = message.sticker
    if sticker is not None and not sticker.is_animated and not sticker.is_video:
        return SentPhoto(sticker.file_id, sticker.width, sticker.height, sticker.file_size)
    return None


def _is_photo_file(document: Document) -> bool:
    """Return True for an image file, also if its type is named loosely: `image/jpg`, none, any file."""
    kind = (document.mime_type or "").lower()
    is_named = _PHOTO_NAME.fullmatch(document.file_name or "") is not None
    return kind in _PHOTO_TYPES or (is_named and _UNNAMED_TYPES.fullmatch(kind) is not None)


def find_video(message: Message | ExternalReplyInfo) -> SentVideo | None:
    """Return the video in a message: a round one, a GIF and a video file are videos too."""
    sent = message.video or message.animation or message.video_note
    if sent is not None:
        return SentVideo(sent.file_id, sent.file_size)
    document = message.document
    if document is not None and (document.mime_type or "").startswith("video/"):
        return SentVideo(document.file_id, document.file_size)
    return None


def _author(message: Message | None) -> int | None:
    """Return who wrote a message; None for the first message of a topic, to which everything there
    replies."""
    if message is None or message.forum_topic_created is not None:
        return None
    match message.forward_origin if message.chat.type == ChatType.PRIVATE else None:
        case MessageOriginUser(sender_user=user):
            return user.id
        case None:
            pass
        case _:
            return NOBODY
    writer = writer_of(message)
    return NOBODY if writer is None or writer == message.chat.id else writer


def writer_of(message: Message) -> int | None:
    """Return who wrote a message and may want something; None for what was sent by itself: by another bot, or
    as the copy of a channel's post in its group. An anonymous admin writes as the group."""
    if message.is_automatic_forward:
        return None
    if message.sender_chat is not None:
        is_group_itself = message.sender_chat.id == message.chat.id
        return message.chat.id if is_group_itself else channels_of(message.chat.id)
    user = message.from_user
    return None if user is None or user.is_bot else user.id


def _largest(sizes: Sequence[PhotoSize]) -> SentPhoto:
    best = max(sizes, key=lambda size: size.width * size.height)
    return SentPhoto(best.file_id, best.width, best.height, best.file_size)


def _without_photo(words: str, *messages: Message | ExternalReplyInfo | None) -> Intent:
    """Return a draft that goes on from the video in one of the messages; else say what would do."""
    video = next((found for one in messages if one is not None and (found := find_video(one))), None)
    return Intent("no_photo") if video is None else Intent("draft", words, video=video)


def _has_media(message: Message | ExternalReplyInfo) -> bool:
    sent = message.video or message.animation or message.video_note or message.document or message.sticker
    return sent is not None


def _typed(text: str) -> tuple[str, str, str]:
    """Return the command that a text begins with although Telegram marks none, whose it is, and the rest.

    A letter after it begins the words in Chinese; in an alphabet it belongs to the name: `/vídeo` is no `/v`.
    """
    text = unicodedata.normalize("NFC", text)
    typed = _TYPED.match(text)
    if typed is None:
        return "", "", text
    after = text[typed.end() : typed.end() + 1]
    if after.lower() == after.upper() or not (whole := _WHOLE_NAME.match(text)):
        return typed[1], typed[2] or "", text[typed.end() :]
    letters = unicodedata.normalize("NFKD", whole[1])
    return "".join(one for one in letters if not unicodedata.combining(one)), "", text[whole.end() :]


def _command(
    message: Message, bot_username: str, commands: Mapping[str, CommandKind]
) -> tuple[str | None, str, Literal["this", "other", "nobody"]]:
    """Return the command at the start, the words after it, and whose command it says that it is.

    Bots that keep order in groups have a /ban of their own: there ours has to be named.
    """
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    # A command in bold has two entities that begin where the text does.
    found = [one for one in entities if one.type == MessageEntity.BOT_COMMAND and one.offset == 0]
    if found:
        end = found[0].length
        name, _, addressee = text[1:end].partition("@")
        rest = text[end:]
    else:
        name, addressee, rest = _typed(text)
        if name.lower() not in commands:
            return None, text.strip(), "nobody"
    name, words = name.lower(), _BEFORE_WORDS.sub("", rest).rstrip()
    if addressee:
        return name, words, "this" if addressee.lower() == bot_username.lower() else "other"
    is_others = commands.get(name) == "admin" and message.chat.type != ChatType.PRIVATE
    return name, words, "other" if is_others else "nobody"
