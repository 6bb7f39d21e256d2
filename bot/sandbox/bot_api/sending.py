"""Build the bot's messages, text, photos and videos, from the parameters of a call."""

from __future__ import annotations

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.bot_api.access import check_may_send, check_topic, writable_chat
from bot.sandbox.bot_api.calls import Call
from bot.sandbox.bot_api.keyboards import markup_to_show
from bot.sandbox.bot_api.methods import ContractError, Upload
from bot.sandbox.entities import FormattedText, formatted, utf16_length
from bot.sandbox.files import PHOTO_LIMIT, ReceivedFile, StoredFile, document_json, photo_json, video_json
from bot.sandbox.probe import probe
from bot.sandbox.state import new_group_id, thread_of

# https://core.telegram.org/bots/api: "1-4096 characters after entities parsing", "0-1024" for a caption.
# Telegram does not say what it counts; UTF-16 units, as elsewhere, are the strictest reading.
_TEXT_LIMIT = 4096
_CAPTION_LIMIT = 1024
# https://core.telegram.org/bots/api#sendphoto
_SIDES_LIMIT, _RATIO_LIMIT = 10_000, 20
# https://core.telegram.org/bots/api#sendvideo, `thumbnail`
_THUMBNAIL_BYTES, _THUMBNAIL_SIDE = 200_000, 320


def send_message(call: Call) -> Json:
    return _send(call, [("text", text_content(call.params))])[0]


def send_photo(call: Call) -> Json:
    params = call.params
    return _send(call, [("photo", photo_content(call, params, params["photo"]) | caption_content(params))])[0]


def send_video(call: Call) -> Json:
    params = call.params
    return _send(call, [("video", video_content(call, params, params["video"]) | caption_content(params))])[0]


def send_document(call: Call) -> Json:
    """Store a file as it is. Unlike Telegram, this shows no kind of file in another way."""
    params = call.params
    source = _source(call, params["document"], "document", nested=False)
    files = call.world.files
    if isinstance(source, ReceivedFile):
        file = files.add("Document", source)
    else:
        file = files.reuse(source, "Document")
    return _send(call, [("document", {"document": document_json(file)} | caption_content(params))])[0]


def send_media_group(call: Call) -> list[Json]:
    items = call.params["media"]
    if not 2 <= len(items) <= 10:
        raise bad_request("group send failed: an album has 2 to 10 items")
    album = {"media_group_id": new_group_id()}
    return _send(call, [(item["type"], input_media_content(call, item) | album) for item in items])


def text_content(params: Json) -> Json:
    read = _formatted(params, "text", "entities")
    if not read.text:
        raise bad_request("message text is empty")
    if utf16_length(read.text) > _TEXT_LIMIT:
        raise bad_request("message is too long")
    content: Json = {"text": read.text}
    if read.entities:
        content["entities"] = read.entities
    if "link_preview_options" in params:
        content["link_preview_options"] = params["link_preview_options"]
    return content


def caption_content(params: Json) -> Json:
    read = _formatted(params, "caption", "caption_entities")
    if utf16_length(read.text) > _CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    content: Json = {"caption": read.text} if read.text else {}
    if read.entities:
        content["caption_entities"] = read.entities
    if read.text and params.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content


def input_media_content(call: Call, media: Json) -> Json:
    """Return the content of an InputMediaPhoto or InputMediaVideo with its caption."""
    make = photo_content if media["type"] == "photo" else video_content
    return make(call, media, media["media"], nested=True) | caption_content(media)


def photo_content(call: Call, params: Json, value: str | Upload, *, nested: bool = False) -> Json:
    source = _source(call, value, "photo", nested=nested)
    files = call.world.files
    if isinstance(source, ReceivedFile):
        if source.size > PHOTO_LIMIT:
            raise bad_request(
                f"file of size {source.size} bytes is too big for a photo; "
                f"the maximum size is {PHOTO_LIMIT} bytes"
            )
        if not probe(source.path).mime.startswith("image/"):
            raise bad_request("IMAGE_PROCESS_FAILED")
        sizes = files.add_photo(source)
        width, height = sizes[-1].width, sizes[-1].height
        if width + height > _SIDES_LIMIT or max(width, height) > _RATIO_LIMIT * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
    else:
        sizes = files.sizes_of(files.reuse(source, "Photo"))
    return {"photo": photo_json(sizes)} | _spoiler(params)


def video_content(call: Call, params: Json, value: str | Upload, *, nested: bool = False) -> Json:
    source = _source(call, value, "video", nested=nested)
    if isinstance(source, ReceivedFile):
        file = call.world.files.add(
            "Video",
            source,
            width=params.get("width", 0),
            height=params.get("height", 0),
            duration_s=params.get("duration", 0),
            thumbnail=_thumbnail(call, params, nested=nested),
        )
    else:
        file = call.world.files.reuse(source, "Video", "Animation")
    if file.has_sound is False:  # Telegram takes a clip without sound for a GIF
        return {"animation": video_json(file), "document": document_json(file)} | _spoiler(params)
    return {"video": video_json(file)} | _spoiler(params)


def _send(call: Call, contents: list[tuple[str, Json]]) -> list[Json]:
    """Post one message for each (kind, content) as the bot, and return them as the bot sees them."""
    world, params = call.world, call.params
    chat = writable_chat(world, params["chat_id"])
    markup = markup_to_show(params, world.bot)
    for kind, _content in contents:
        check_may_send(world, chat, kind)
    protected = {"has_protected_content": True} if params.get("protect_content") else {}
    reply_to = _message_replied_to(chat.messages, params.get("reply_parameters"))
    check_topic(world, chat, thread_of(reply_to, params.get("message_thread_id")))
    sent = [
        world.post(
            chat,
            world.bot.as_json(),
            content | markup | protected,
            reply_to=reply_to,
            thread_id=params.get("message_thread_id"),
        )
        for _kind, content in contents
    ]
    return [world.view(chat, message, for_bot=True) for message in sent]


def _message_replied_to(messages: dict[int, Json], reply: Json | None) -> Json | None:
    if reply is None:
        return None
    message = messages.get(reply["message_id"])
    if message is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message


def _formatted(params: Json, words: str, marks: str) -> FormattedText:
    if params.get("parse_mode") and params.get(marks):
        raise ContractError(f"parse_mode and {marks} exclude each other")
    return formatted(params.get(words, ""), parse_mode=params.get("parse_mode"), entities=params.get(marks))


def _source(call: Call, value: str | Upload, kind: str, *, nested: bool) -> ReceivedFile | str:
    """Return the uploaded file of a parameter, or its file_id."""
    missing = "can't parse InputMedia: media not found" if nested else f"there is no {kind} in the request"
    if isinstance(value, str) and value.startswith("file://"):
        return call.world.files.take(value)
    if isinstance(value, str) and value and not value.startswith("attach://"):
        return value
    file = call.upload(value)
    if file is None:
        raise bad_request(missing)
    if not file.size:
        raise bad_request("file must be non-empty")
    return file


def _thumbnail(call: Call, params: Json, *, nested: bool) -> StoredFile | None:
    value = params.get("thumbnail")
    if value is None:
        return None
    source = _source(call, value, "thumbnail", nested=nested)
    if not isinstance(source, ReceivedFile):
        raise ContractError("a thumbnail can't be reused and can be only uploaded as a new file")
    thumbnail = call.world.files.add("Thumbnail", source)
    # Telegram silently drops such a thumbnail; here it is an error.
    if thumbnail.size > _THUMBNAIL_BYTES or max(thumbnail.width, thumbnail.height) > _THUMBNAIL_SIDE:
        raise ContractError("a thumbnail is at most 200 kB and 320 pixels wide and high")
    return thumbnail


def _spoiler(params: Json) -> Json:
    return {"has_media_spoiler": True} if params.get("has_spoiler") else {}
