"""The chat page's server side: who may open it, what it is told, and what a person can do there."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from films import is_of, pictures_of
from PIL import Image
from sandbox_client import Sandbox, jpeg, running_sandbox
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.sandbox import Json, demo_world
from bot.sandbox.chat_page import world_json
from bot.sandbox.files import MB


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


@asynccontextmanager
async def _socket(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with sandbox.http.ws_connect(sandbox.server.page_url + "socket") as socket:
        yield socket


async def _next(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Json:
    """The next thing of this kind that the page is told."""
    async with asyncio.timeout(5):
        while True:
            change: Json = await socket.receive_json()
            if change["type"] == kind:
                return change


async def _post(sandbox: Sandbox, name: str, **body: Any) -> Json:
    async with sandbox.http.post(sandbox.server.page_url + name, json=body) as answer:
        assert answer.status == 200
        result: Json = await answer.json()
    return result


async def _send(sandbox: Sandbox, *files: tuple[str, bytes, str], **fields: str) -> Json:
    """`files`: name, bytes, type; each with a size in front, as the page measures it."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    for name, data, mime in files:
        form.add_field("size", "4000x3000")
        form.add_field("file", data, filename=name, content_type=mime)
    async with sandbox.http.post(sandbox.server.page_url + "send", data=form) as answer:
        result: Json = await answer.json()
    return result


async def test_lines_end_as_in_telegram_however_a_form_writes_them(sandbox: Sandbox) -> None:
    sent = await _send(sandbox, chat_id="1001", user_id="1001", text="one\r\ntwo")
    assert sent["messages"][0]["text"] == "one\ntwo"


async def test_the_page_and_its_files_come_under_the_key_with_strict_headers(sandbox: Sandbox) -> None:
    for name, kind in (("", "text/html"), ("page.js", "text/javascript"), ("page.css", "text/css")):
        async with sandbox.http.get(sandbox.server.page_url + name) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/page.js", "/wrong/socket", "/wrong/files/x"])
async def test_without_the_key_there_is_nothing(sandbox: Sandbox, path: str) -> None:
    async with sandbox.http.get(sandbox.server.url + path) as answer:
        assert answer.status == 404


async def test_foreign_hosts_and_origins_are_turned_away(sandbox: Sandbox) -> None:
    page = sandbox.server.page_url
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        async with sandbox.http.get(page, headers=headers) as answer:
            assert answer.status == 403
        async with sandbox.http.post(page + "start", json={"user_id": 1001}, headers=headers) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await sandbox.http.ws_connect(page + "socket", headers=headers)
    async with sandbox.http.get(page, headers={"Origin": sandbox.server.url}) as answer:
        assert answer.status == 200


async def test_another_host_name_can_be_allowed() -> None:
    async with (
        running_sandbox(page_hosts=["demo.example"]) as sandbox,
        sandbox.http.get(sandbox.server.page_url, headers={"Host": "demo.example:80"}) as answer,
    ):
        assert answer.status == 200


async def test_a_server_for_all_addresses_names_one_that_can_be_called() -> None:
    async with running_sandbox(host="0.0.0.0", note="This spends money.") as sandbox:
        assert sandbox.server.url.startswith("http://127.0.0.1:")
        async with _socket(sandbox) as socket:
            assert (await _next(socket, "world"))["note"] == "This spends money."


async def test_a_socket_begins_with_the_whole_world(sandbox: Sandbox) -> None:
    sandbox.world.say(sandbox.ada, sandbox.group, "hello")
    await sandbox.bot.set_my_commands([("video", "Make a video")])
    async with _socket(sandbox) as socket:
        world = await _next(socket, "world")
    bot = {"id": 4242, "first_name": "Dreamreel", "username": "dreamreel_bot"}
    assert world["bot"] == bot | {"privacy": True, "inline": True}
    assert [person["first_name"] for person in world["people"]] == ["Ada", "Boris", "晨"]
    private, group = world["chats"]
    assert (private["type"], private["title"], private["speakers"]) == ("private", "Dreamreel", [1001])
    assert (group["title"], group["speakers"]) == ("Film night", [1001, 1002, 1003])
    assert group["members"] == [1001, 1002, 1003, 4242]
    assert group["commands"] == [{"command": "video", "description": "Make a video"}]
    assert [message["text"] for message in group["messages"]] == ["hello"]


async def test_a_socket_is_told_of_each_change(sandbox: Sandbox) -> None:
    async with _socket(sandbox) as socket:
        await _next(socket, "world")
        sent = await sandbox.bot.send_message(sandbox.private.id, "10 %")
        assert (await _next(socket, "message"))["message"]["text"] == "10 %"
        await sandbox.bot.edit_message_text("50 %", sandbox.private.id, sent.message_id)
        edit = await _next(socket, "edit")
        assert (edit["chat_id"], edit["message"]["text"]) == (1001, "50 %")
        await sandbox.bot.set_message_reaction(1001, sent.message_id, "👀")
        reaction = {"type": "reaction", "chat_id": 1001, "message_id": sent.message_id, "reactions": ["👀"]}
        assert await _next(socket, "reaction") == reaction
        await sandbox.bot.delete_message(sandbox.private.id, sent.message_id)
        assert await _next(socket, "delete") == {
            "type": "delete",
            "chat_id": 1001,
            "message_id": sent.message_id,
        }
        sandbox.world.show_toast(1001, 1001, "hello", alert=False)
        sandbox.world.private_chat(sandbox.boris)
        sandbox.world.say(sandbox.boris, sandbox.group, "after it")
        assert (await _next(socket, "toast"))["text"] == "hello"
        world = await _next(socket, "world")
        assert len(world["chats"]) == 3
        assert world["chats"][1]["messages"] == []
        assert (await _next(socket, "message"))["message"]["text"] == "after it"


async def test_a_person_writes_and_replies_from_the_page(sandbox: Sandbox) -> None:
    card = await sandbox.bot.send_message(sandbox.group.id, "What shall it show?")
    group = str(sandbox.group.id)
    answer = await _send(
        sandbox, chat_id=group, user_id="1002", text="a boat", reply_to_message_id=str(card.message_id)
    )
    assert answer["ok"] is True
    assert answer["messages"][0]["from"]["first_name"] == "Boris"
    (message,) = await sandbox.messages()
    assert message["reply_to_message"]["message_id"] == card.message_id


async def test_one_picture_is_a_photo_several_an_album_and_a_clip_a_video(sandbox: Sandbox) -> None:
    picture = ("boat.jpg", jpeg(40, 30), "image/jpeg")
    ada = {"chat_id": "1001", "user_id": "1001"}
    photo = (await _send(sandbox, picture, **ada, text="/video pan"))["messages"]
    assert photo[0]["caption"] == "/video pan"
    assert (photo[0]["photo"][-1]["width"], photo[0]["photo"][-1]["height"]) == (1280, 960)
    album = (await _send(sandbox, picture, picture, **ada))["messages"]
    assert album[0]["media_group_id"] == album[1]["media_group_id"]
    document = (await _send(sandbox, picture, **ada, as_document="1"))["messages"]
    assert document[0]["document"]["file_name"] == "boat.jpg"
    video = (await _send(sandbox, ("boat.mp4", b"video", "video/mp4"), **ada))["messages"]
    assert video[0]["video"]["mime_type"] == "video/mp4"
    assert len(await sandbox.messages()) == 5


async def test_a_gif_becomes_the_silent_film_that_telegram_makes_of_it(sandbox: Sandbox) -> None:
    pictures = [Image.new("RGB", (321, 240), colour) for colour in ("red", "green", "blue")]
    data = io.BytesIO()
    pictures[0].save(data, "GIF", save_all=True, append_images=pictures[1:], duration=400)
    ada = {"chat_id": "1001", "user_id": "1001"}
    (sent,) = (await _send(sandbox, ("moon.gif", data.getvalue(), "image/gif"), **ada))["messages"]
    told = sent["animation"]
    assert (told["mime_type"], told["width"], told["height"]) == ("video/mp4", 320, 240)
    assert sent["document"]["file_id"] == told["file_id"]
    stored = sandbox.world.files.get(told["file_id"])
    assert stored is not None
    assert is_of(pictures_of(stored.path)[-1], (0, 0, 255))
    file = ("moon.gif", data.getvalue(), "image/gif")
    assert "animation" not in (await _send(sandbox, file, **ada, as_document="1"))["messages"][0]
    refused = await _send(sandbox, ("moon.gif", b"GIF89a no picture", "image/gif"), **ada)
    assert "cannot be read" in refused["description"]


async def test_what_is_too_large_or_nothing_is_refused_in_a_sentence(sandbox: Sandbox) -> None:
    ada = {"chat_id": "1001", "user_id": "1001"}
    large = ("boat.jpg", jpeg(40, 30, padding=10 * MB), "image/jpeg")
    huge = ("boat.mp4", bytes(50 * MB + 1), "video/mp4")
    assert "10 MB" in (await _send(sandbox, large, **ada))["description"]
    assert "50 MB" in (await _send(sandbox, huge, **ada))["description"]
    assert "nothing" in (await _send(sandbox, **ada, text=" "))["description"]
    assert "4096" in (await _send(sandbox, **ada, text="x" * 4097))["description"]
    assert "1024" in (await _send(sandbox, large, **ada, text="x" * 1025))["description"]
    stranger = await _send(sandbox, chat_id="1001", user_id="1002", text="hello")
    assert stranger == {"ok": False, "description": "That person is not in this chat."}
    assert await sandbox.updates() == []


async def test_a_press_on_the_page_waits_for_the_bots_answer(sandbox: Sandbox) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]])
    sent = await sandbox.bot.send_message(sandbox.private.id, "Ready?", reply_markup=keyboard)
    place = {"chat_id": 1001, "message_id": sent.message_id, "user_id": 1001}
    async with _socket(sandbox) as socket:
        pressed = await _post(sandbox, "press", **place, data="go")
        assert pressed["ok"] is True
        (update,) = await sandbox.updates()
        assert update["callback_query"]["id"] == pressed["callback_id"]
        await sandbox.bot.answer_callback_query(pressed["callback_id"], text="Off we go")
        assert (await _next(socket, "toast"))["text"] == "Off we go"
        assert (await _next(socket, "answered"))["callback_id"] == pressed["callback_id"]
    assert (await _post(sandbox, "press", **place, data="other"))["ok"] is False
    assert (await _post(sandbox, "press", chat_id=1001))["ok"] is False
    assert (await _post(sandbox, "send", chat_id=1001))["ok"] is False


async def test_a_person_edits_only_their_own_words(sandbox: Sandbox) -> None:
    mine = sandbox.world.say(sandbox.ada, sandbox.group, "a bout")
    place = {"chat_id": sandbox.group.id, "message_id": mine["message_id"]}
    assert await _post(sandbox, "edit", **place, user_id=1001, text="a boat") == {"ok": True}
    assert sandbox.world.messages(sandbox.group)[-1]["text"] == "a boat"
    assert (await _post(sandbox, "edit", **place, user_id=1002, text="a goat"))["ok"] is False


async def test_a_start_link_opens_the_persons_chat_with_its_payload(sandbox: Sandbox) -> None:
    assert await _post(sandbox, "start", user_id=1002, payload="claim_x") == {"ok": True}
    (message,) = await sandbox.messages()
    assert (message["chat"]["id"], message["text"]) == (1002, "/start claim_x")


async def test_files_are_served_with_their_type_and_in_parts(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_video(sandbox.private.id, b"0123456789", filename="boat.mp4")
    assert sent.video is not None
    url = f"{sandbox.server.page_url}files/{sent.video.file_id}"
    async with sandbox.http.get(url, headers={"Range": "bytes=2-4"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"234")
        assert answer.headers["Content-Range"] == "bytes 2-4/10"
        assert answer.content_type == "video/mp4"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with sandbox.http.get(f"{sandbox.server.page_url}files/none") as answer:
        assert answer.status == 404


def test_the_world_is_plain_json() -> None:
    world = demo_world()
    assert json.loads(json.dumps(world_json(world))) == world_json(world)
    world.files.close()


async def test_a_new_person_is_a_stranger_with_a_chat_of_their_own(sandbox: Sandbox) -> None:
    known = set(sandbox.world.people)
    first, second = [(await _post(sandbox, "stranger"))["chat_id"] for _ in range(2)]
    assert first != second
    assert set(sandbox.world.people) - known == {first, second}
    assert not sandbox.world.chats[first].messages


async def test_a_group_with_topics_has_everybody_in_it(sandbox: Sandbox) -> None:
    chat = sandbox.world.chats[(await _post(sandbox, "forum"))["chat_id"]]
    assert chat.is_forum
    assert len(chat.topics) == 2
    assert [person["id"] for person in chat.people] == list(sandbox.world.people)


async def test_privacy_mode_decides_what_reaches_the_bot_in_a_group(sandbox: Sandbox) -> None:
    group = next(chat for chat in sandbox.world.chats.values() if chat.type == "group")
    fields = {"chat_id": str(group.id), "user_id": "1001"}
    async with _socket(sandbox) as socket:
        assert (await _next(socket, "world"))["bot"]["privacy"] is True
        await _send(sandbox, **fields, text="unheard")
        assert (await _post(sandbox, "privacy", on=False))["ok"]
        assert (await _next(socket, "world"))["bot"]["privacy"] is False
    await _send(sandbox, **fields, text="heard")
    updates = await sandbox.bot.get_updates(timeout=1)
    assert [update.message.text for update in updates if update.message] == ["heard"]


@pytest.mark.parametrize("kind", ["animation", "voice", "sticker", "contact"])
async def test_things_that_are_no_words_reach_the_bot(sandbox: Sandbox, kind: str) -> None:
    assert (await _post(sandbox, "thing", chat_id=1001, user_id=1001, kind=kind))["ok"]
    (update,) = await sandbox.bot.get_updates(timeout=1)
    assert update.message
    assert getattr(update.message, kind)
    assert not (await _post(sandbox, "thing", chat_id=1001, user_id=1001, kind="poll"))["ok"]
