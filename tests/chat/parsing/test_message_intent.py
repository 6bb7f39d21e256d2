"""What a message asks for: the table of what starts, what drafts and what is nothing, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import Message

from bot.chat.features import FEATURES
from bot.chat.parsing.message_intent import Intent, SentPhoto, SentVideo, find_photo, find_video, read_intent
from bot.chat.router import Router

BOT = {"id": 7001, "is_bot": True, "first_name": "Dreamreel", "username": "dreamreel_bot"}
ANNA = {"id": 1, "is_bot": False, "first_name": "Anna"}
PRIVATE = {"id": 1, "type": "private", "first_name": "Anna"}
GROUP = {"id": -5, "type": "supergroup", "title": "Films"}
PHOTO = {
    "photo": [
        {"file_id": "large", "file_unique_id": "l", "width": 1280, "height": 720, "file_size": 90_000},
        {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 51, "file_size": 900},
    ]
}
SENT = SentPhoto("large", 1280, 720, 90_000)
VIDEO = {
    "video": {"file_id": "film", "file_unique_id": "f", "width": 640, "height": 360, "duration": 5},
}
FORWARDED = {"forward_origin": {"type": "hidden_user", "date": 1_700_000_000, "sender_user_name": "Somebody"}}
NO_ENTITIES: dict[str, Any] = {"entities": []}
A_VOICE = {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}}
THERE = {"origin": {"type": "hidden_user", "date": 1_700_000_000, "sender_user_name": "Somebody"}}
QUOTE = {"text": "hello", "position": 0}
SERVICE = {"new_chat_members": [ANNA]}


def read(sent: Message) -> Intent:
    return read_intent(sent, "dreamreel_bot", 7001, Router(FEATURES).kinds)


def message(chat: dict[str, Any], text: str | None = None, **parts: Any) -> Message:
    """As Telegram sends it: a command at the start is an entity."""
    kind = "caption" if set(parts) & {"photo", "video", "document"} else "text"
    body: dict[str, Any] = {
        "message_id": 50,
        "date": int(datetime(2026, 5, 4, tzinfo=UTC).timestamp()),
        "chat": chat,
        "from": ANNA,
        **parts,
    }
    if text is not None:
        body[kind] = text
        if text.startswith("/") and "entities" not in parts:
            command = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
            body["entities" if kind == "text" else "caption_entities"] = [command]
    read = Message.de_json(body, None)
    assert read is not None
    return read


def reply_to(**parts: Any) -> dict[str, Any]:
    """What a message that answers another carries."""
    answered = {"message_id": 40, "date": 1_700_000_000, "chat": PRIVATE, "from": ANNA, **parts}
    return {"reply_to_message": answered}


TO_THE_BOT = reply_to(**{"from": BOT, "text": "What should the video show?"})
NOTHING = Intent("nothing")
LOOSE_PHOTO = Intent("nothing", photo=SENT)
MODELS = Intent("command", command="models")
FILM = SentVideo("film", None)


def starts(words: str = "a boat", photo: SentPhoto | None = None) -> Intent:
    return Intent("video", words, photo)


def goes_on(words: str = "a boat", answers: int | None = None) -> Intent:
    return Intent("draft", words, None, answers, video=FILM)


def extends(video: SentVideo | None, answers: int | None = None) -> Intent:
    return Intent("command", "a boat", None, answers, "extend", video)


@pytest.mark.parametrize(
    ("text", "parts", "private", "group"),
    [
        ("/video a boat", {}, starts(), starts()),
        ("/v a boat", {}, starts(), starts()),
        ("/animate a boat", {}, Intent("wants_photo", "a boat"), Intent("wants_photo", "a boat")),
        ("/video一只猫", NO_ENTITIES, starts("一只猫"), starts("一只猫")),
        ("／video 一只猫", NO_ENTITIES, starts("一只猫"), starts("一只猫")),
        ("/video@dreamreel_bot一只猫", NO_ENTITIES, starts("一只猫"), starts("一只猫")),
        ("/video@other_bot一只猫", NO_ENTITIES, NOTHING, NOTHING),
        ("/video: a boat", NO_ENTITIES, starts(), starts()),
        ("/video， a boat", NO_ENTITIES, starts(), starts()),
        ("/video - a boat", {}, starts(), starts()),
        ("/video — a boat", {}, starts(), starts()),
        ("/video --seed 7", {}, starts("--seed 7"), starts("--seed 7")),
        ("/video/a.mp4", NO_ENTITIES, Intent("text", "/video/a.mp4"), NOTHING),
        ("/vídeo um gato", NO_ENTITIES, starts("um gato"), starts("um gato")),
        ("/vi\u0301deo un gato", NO_ENTITIES, starts("un gato"), starts("un gato")),
        ("/vögel im Wind", NO_ENTITIES, Intent("text", "/vögel im Wind"), NOTHING),
        ("/videos一只猫", NO_ENTITIES, Intent("text", "/videos一只猫"), NOTHING),
        ("/VIDEO a boat", {}, starts(), starts()),
        ("/video@dreamreel_bot a boat", {}, starts(), starts()),
        ("/video@Dreamreel_Bot\na boat", {}, starts(), starts()),
        ("/video@other_bot a boat", {}, NOTHING, NOTHING),
        ("/animate a boat", reply_to(**PHOTO), starts(photo=SENT), starts(photo=SENT)),
        ("/video", reply_to(**PHOTO), starts("", SENT), starts("", SENT)),
        ("/video a boat", PHOTO, starts(photo=SENT), starts(photo=SENT)),
        ("a boat", PHOTO, Intent("photo", "a boat", SENT), LOOSE_PHOTO),
        (
            "a boat",
            {**PHOTO, **TO_THE_BOT},
            Intent("photo", "a boat", SENT, 40),
            Intent("answer", "a boat", SENT, 40),
        ),
        (None, {**PHOTO, **TO_THE_BOT}, Intent("draft", "", SENT, 40), Intent("answer", "", SENT, 40)),
        (None, {**PHOTO, **reply_to(text="hello")}, Intent("draft", "", SENT), LOOSE_PHOTO),
        ("/video", {}, starts(""), starts("")),
        ("a boat", TO_THE_BOT, Intent("text", "a boat", None, 40), Intent("text", "a boat", None, 40)),
        ("a boat", {**PHOTO, **FORWARDED}, Intent("draft", "a boat", SENT), LOOSE_PHOTO),
        (None, PHOTO, Intent("draft", "", SENT), LOOSE_PHOTO),
        (None, {**PHOTO, "media_group_id": "9"}, Intent("draft", "", SENT), LOOSE_PHOTO),
        ("a boat", {}, Intent("text", "a boat"), NOTHING),
        ("a boat", reply_to(text="hello"), Intent("text", "a boat", points_at=40), NOTHING),
        ("a boat", reply_to(**PHOTO), Intent("text", "a boat", SENT, points_at=40), NOTHING),
        ("a boat", reply_to(**VIDEO), Intent("text", "a boat", video=FILM, points_at=40), NOTHING),
        ("a boat", reply_to(**A_VOICE), Intent("text", "a boat", points_at=40), NOTHING),
        ("a boat", {"external_reply": THERE | PHOTO}, Intent("text", "a boat", SENT), NOTHING),
        ("/video a boat", {"external_reply": THERE | PHOTO}, starts(photo=SENT), starts(photo=SENT)),
        ("/extend a boat", {"external_reply": THERE | VIDEO}, extends(FILM), extends(FILM)),
        ("a boat", {"external_reply": THERE}, Intent("wants_photo", "a boat"), NOTHING),
        (
            "/video a boat",
            {"external_reply": THERE},
            Intent("wants_photo", "a boat"),
            Intent("wants_photo", "a boat"),
        ),
        ("/video a boat", {"external_reply": THERE, "quote": QUOTE}, starts(), starts()),
        ("/vidoe a boat", {}, Intent("unknown", "a boat", command="vidoe"), NOTHING),
        (
            "/vidoe@dreamreel_bot a boat",
            reply_to(**PHOTO),
            Intent("unknown", "a boat", SENT, command="vidoe"),
            Intent("unknown", "a boat", SENT, command="vidoe"),
        ),
        (
            "a boat",
            reply_to(**{"from": BOT, **VIDEO}),
            Intent("text", "a boat", None, 40),
            Intent("text", "a boat", None, 40),
        ),
        ("/start", {}, Intent("start"), Intent("start")),
        ("/start claim_x", {}, Intent("start", "claim_x"), Intent("start", "claim_x")),
        ("/help", {}, Intent("command", command="help"), Intent("command", command="help")),
        ("/help@other_bot", {}, NOTHING, NOTHING),
        ("/models", {}, MODELS, MODELS),
        (
            "/models@dreamreel_bot",
            {},
            Intent("command", command="models"),
            Intent("command", command="models"),
        ),
        ("/weather", {}, Intent("unknown", command="weather"), NOTHING),
        # In a group it may be that of a bot that keeps order there.
        ("/ban 20", {}, Intent("command", "20", command="ban"), NOTHING),
        (
            "/ban@dreamreel_bot 20",
            {},
            Intent("command", "20", command="ban"),
            Intent("command", "20", command="ban"),
        ),
        (None, VIDEO, goes_on(""), NOTHING),
        ("a boat", VIDEO, goes_on(), NOTHING),
        ("a boat", {**VIDEO, **FORWARDED}, goes_on(), NOTHING),
        ("/animate a boat", VIDEO, goes_on(), goes_on()),
        ("/video", VIDEO, goes_on(""), goes_on("")),
        ("/animate a boat", reply_to(**VIDEO), goes_on(), goes_on()),
        ("/animate a boat", {**VIDEO, **TO_THE_BOT}, goes_on(), goes_on()),
        ("/video a boat", reply_to(**VIDEO, **{"from": BOT}), goes_on(answers=40), goes_on(answers=40)),
        ("/vidoe a boat", VIDEO, replace(goes_on(), kind="unknown", command="vidoe"), NOTHING),
        ("/extend a boat", {}, extends(None), extends(None)),
        ("/extend a boat", VIDEO, extends(FILM), extends(FILM)),
        ("/extend a boat", reply_to(**VIDEO), extends(FILM), extends(FILM)),
        ("/extend a boat", reply_to(**PHOTO), extends(None), extends(None)),
        (
            "/extend a boat",
            reply_to(**VIDEO, **{"from": BOT}),
            extends(FILM, answers=40),
            extends(FILM, answers=40),
        ),
        # Its own video is meant, and that is none of the bot's.
        ("/extend a boat", {**VIDEO, **TO_THE_BOT}, extends(FILM), extends(FILM)),
        ("/again", {}, Intent("command", command="again"), Intent("command", command="again")),
        (
            None,
            {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 1}},
            Intent("no_photo"),
            NOTHING,
        ),
        (None, SERVICE, NOTHING, NOTHING),
        (None, {"pinned_message": reply_to()["reply_to_message"]}, NOTHING, NOTHING),
    ],
)
def test_what_somebody_does_is_what_the_table_says(
    text: str | None, parts: dict[str, Any], private: Intent, group: Intent
) -> None:
    assert read(message(PRIVATE, text, **parts)) == private
    assert read(message(GROUP, text, **parts)) == group


def test_a_command_in_bold_is_a_command() -> None:
    entities = [
        {"type": "bold", "offset": 0, "length": 13},
        {"type": "bot_command", "offset": 0, "length": 6},
    ]
    bold = message(GROUP, "/video a boat", entities=entities)
    assert read(bold) == starts()


def test_a_command_in_the_middle_is_text() -> None:
    entities = [{"type": "bot_command", "offset": 6, "length": 6}]
    text = message(PRIVATE, "hello /video", entities=entities)
    assert read(text) == Intent("text", "hello /video")


def test_an_answer_counts_only_when_it_answers_this_bot() -> None:
    other = reply_to(**{"from": {**BOT, "id": 8001}, "text": "What should the video show?"})
    assert read(message(GROUP, "a boat", **other)) == NOTHING


def a_document(mime_type: str | None, name: str = "") -> dict[str, Any]:
    told = {"mime_type": mime_type, "file_name": name or None}
    file = {"file_id": "d", "file_unique_id": "d", "file_size": 5}
    return {"document": file | {key: value for key, value in told.items() if value is not None}}


def test_a_live_photo_is_a_photo() -> None:
    sizes = {"width": 640, "height": 360, "duration": 2, **PHOTO}
    alive = {"live_photo": {"file_id": "l", "file_unique_id": "l", **sizes}}
    assert find_photo(message(PRIVATE, None, **alive)) == SENT


def a_sticker(**changes: bool) -> dict[str, Any]:
    kind = {"is_animated": False, "is_video": False, **changes}
    sizes = {"width": 512, "height": 512}
    return {"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", **sizes, **kind}}


@pytest.mark.parametrize(
    ("parts", "photo"),
    [
        (PHOTO, SENT),
        (a_document("image/png"), SentPhoto("d", None, None, 5)),
        (a_document("image/webp"), SentPhoto("d", None, None, 5)),
        (a_document("image/heic"), SentPhoto("d", None, None, 5)),
        (a_document("image/heif"), SentPhoto("d", None, None, 5)),
        (a_document("image/avif"), SentPhoto("d", None, None, 5)),
        (a_document("IMAGE/JPEG"), SentPhoto("d", None, None, 5)),
        (a_document("image/jpg", "a.jpg"), SentPhoto("d", None, None, 5)),
        (a_document("application/octet-stream", "IMG_1.JPG"), SentPhoto("d", None, None, 5)),
        (a_document("application/octet-stream", "a.HEIC"), SentPhoto("d", None, None, 5)),
        (a_document(None, "a.jfif"), SentPhoto("d", None, None, 5)),
        (a_document("image/x-png", "a.png"), SentPhoto("d", None, None, 5)),
        (a_document("application/octet-stream", "a.zip"), None),
        (a_document("application/octet-stream"), None),
        (a_document("text/plain", "a.png"), None),
        (a_document("image/gif"), None),
        (a_document("video/mp4"), None),
        (a_sticker(), SentPhoto("s", 512, 512, None)),
        (a_sticker(is_animated=True), None),
        (a_sticker(is_video=True), None),
        (VIDEO, None),
        ({}, None),
    ],
)
def test_a_photo_is_found_in_whatever_holds_one(parts: dict[str, Any], photo: SentPhoto | None) -> None:
    assert find_photo(message(PRIVATE, None, **parts)) == photo
    video = find_video(message(PRIVATE, None, **parts))
    without = replace(goes_on(), video=video) if video else Intent("no_photo")
    expected = starts(photo=photo) if photo else without
    if not parts:
        expected = Intent("wants_photo", "a boat")
    answer = message(GROUP, "/animate a boat", **reply_to(**parts))
    assert read(answer) == expected


A_FILE = {"file_id": "v", "file_unique_id": "v", "file_size": 9}


@pytest.mark.parametrize(
    "parts",
    [
        {"video": {**A_FILE, "width": 640, "height": 360, "duration": 5}},
        {"video_note": {**A_FILE, "length": 240, "duration": 5}},
        # A GIF is a document too.
        {
            "animation": {**A_FILE, "width": 640, "height": 360, "duration": 5},
            "document": {**A_FILE, "file_id": "d", "mime_type": "video/mp4"},
        },
        {"document": {**A_FILE, "mime_type": "video/quicktime"}},
    ],
)
def test_a_video_is_found_however_it_was_sent(parts: dict[str, Any]) -> None:
    assert find_video(message(PRIVATE, None, **parts)) == SentVideo("v", 9)


@pytest.mark.parametrize("parts", [PHOTO, a_document("image/gif"), a_sticker(is_video=True), {}])
def test_what_is_no_video_is_not_taken_for_one(parts: dict[str, Any]) -> None:
    assert find_video(message(PRIVATE, None, **parts)) is None
