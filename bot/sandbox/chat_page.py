"""The server side of the chat page: the page, its files, its socket, and a person's actions."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, WSCloseCode, WSMsgType, web

from bot.errors import MediaError
from bot.media.process import run_in_process
from bot.media.work import film_gif
from bot.sandbox.answer import ApiError, Json
from bot.sandbox.chats import Chat, Person
from bot.sandbox.entities import utf16_length
from bot.sandbox.files import PHOTO_LIMIT, ReceivedFile
from bot.sandbox.groups import Where
from bot.sandbox.inline import LIFETIME_S
from bot.sandbox.uploads import TooLargeError, save_part
from bot.sandbox.world import Attachment, World

_FOLDER = Path(__file__).parent / "page"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# Listed here because a machine's own table may lack them, and `nosniff` makes browsers trust the type.
_STATIC = {
    "": ("index.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}
# An uploaded file may be a web page; opened by itself, it must run nothing.
_FILE_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_TEXT_LIMIT, _CAPTION_LIMIT = 4096, 1024  # of people without a subscription, as of bots
_ALBUM_LIMIT = 10
_GIF_S = 30.0
_HEARTBEAT_S = 30.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _RefusedError(Exception):
    """An action that a person may not do, with a text for that person."""


class ChatPage:
    """Everything is under `/{key}/`: without the key nothing is found."""

    def __init__(self, world: World, *, key: str, hosts: Sequence[str] = (), note: str = "") -> None:
        self.key = key
        self._world = world
        self._note = note
        self._hosts = _LOOPBACK | set(hosts)
        self._sockets: set[web.WebSocketResponse] = set()

    def add_to(self, app: web.Application) -> None:
        for name in _STATIC:
            app.router.add_get(f"/{{key}}/{name}", self._guarded(self._page))
        app.router.add_get("/{key}/files/{file_id}", self._guarded(self._file))
        app.router.add_get("/{key}/socket", self._guarded(self._socket))
        acts = (self._send, self._press, self._edit, self._start)
        more = (self._stranger, self._forum, self._outside, self._privacy, self._inline_mode, self._thing)
        for act in (*acts, self._inline, self._choose, *more):
            name = act.__name__.removeprefix("_")
            app.router.add_post(f"/{{key}}/{name}", self._guarded(_answering(act)))

    async def close(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def _guarded(self, handler: Handler) -> Handler:
        """Check the key, the host and the origin before anything else."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not secrets.compare_digest(request.match_info["key"].encode(), self.key.encode()):
                raise web.HTTPNotFound
            # A foreign name in `Host` means that another site's name points to this machine.
            if urlsplit(f"//{request.host}").hostname not in self._hosts:
                raise web.HTTPForbidden
            origin = request.headers.get("Origin")
            if origin is not None and urlsplit(origin).netloc != request.host:
                raise web.HTTPForbidden
            return await handler(request)

        return guarded

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name, content_type = _STATIC[request.path.rpartition("/")[2]]
        return web.FileResponse(_FOLDER / name, headers={**_HEADERS, "Content-Type": content_type})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = self._world.files.get(request.match_info["file_id"])
        if file is None:
            raise web.HTTPNotFound
        # FileResponse supports Range, which seeking in a video needs.
        return web.FileResponse(file.path, headers={**_FILE_HEADERS, "Content-Type": file.mime})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, timeout=1.0)
        await socket.prepare(request)
        changes: asyncio.Queue[Json] = asyncio.Queue()

        def queue(change: Json) -> None:
            # The world at this moment: everything that is queued later happened later.
            changes.put_nowait(self._whole_world() if change["type"] == "world" else change)

        self._world.listeners.append(queue)
        queue({"type": "world"})
        writer = asyncio.create_task(_write_changes(socket, changes))
        self._sockets.add(socket)
        try:
            async for message in socket:  # the page only listens here
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._world.listeners.remove(queue)
            self._sockets.discard(socket)
            writer.cancel()
        return socket

    def _whole_world(self) -> Json:
        return world_json(self._world) | ({"note": self._note} if self._note else {})

    async def _send(self, request: web.Request) -> Json:
        fields, attachments = await self._read_form(request)
        return {"messages": self._post(fields, attachments)}

    async def _read_form(self, request: web.Request) -> tuple[dict[str, str], list[Attachment]]:
        fields: dict[str, str] = {}
        attachments: list[Attachment] = []
        too_large = False
        if request.content_type != "multipart/form-data":
            raise ValueError("a form with files expected")
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise ValueError("a plain part with a name expected")
            if part.name != "file":
                fields[part.name] = await part.text()
                continue
            try:
                file = await save_part(part, self._world.files)
            except TooLargeError:
                too_large = True
                continue
            width, height = _size(fields.pop("size", ""))
            kind = _kind_of(file.mime, as_document=fields.get("as_document") == "1")
            if kind == "animation":
                file, width, height = await self._filmed(file), 0, 0
            attachments.append(Attachment(file, kind, width, height))
        if too_large:
            raise _RefusedError("A file may have at most 50 MB.")
        return fields, attachments

    async def _filmed(self, gif: ReceivedFile) -> ReceivedFile:
        """Return the MP4 that Telegram makes of a GIF."""
        target = self._world.files.empty_path()
        try:
            await run_in_process(film_gif, gif.path, target, limit_s=_GIF_S, foreign=True)
        except MediaError:
            raise _RefusedError("This GIF cannot be read. Send it as a file instead.") from None
        return ReceivedFile(target, f"{gif.name}.mp4", "video/mp4", target.stat().st_size)

    def _post(self, fields: dict[str, str], attachments: list[Attachment]) -> list[Json]:
        world = self._world
        person, chat = self._who_and_where(fields)
        # A form ends lines with two characters, Telegram with one.
        text = fields.get("text", "").replace("\r\n", "\n").strip()
        _check_size(text, attachments)
        reply_id, thread_id = _number(fields, "reply_to_message_id"), _number(fields, "message_thread_id")
        where: Where = {"reply_to": chat.messages.get(reply_id or 0), "thread_id": thread_id}
        if attachments:
            sent = world.share(person, chat, attachments, caption=text, **where)
        else:
            sent = [world.say(person, chat, text, **where)]
        return [world.view(chat, message) for message in sent]

    async def _press(self, request: web.Request) -> Json:
        asked = await request.json()
        person, message = self._person_and_message(asked)
        return {"callback_id": self._world.press(person, message, str(asked["data"]))}

    async def _edit(self, request: web.Request) -> Json:
        asked = await request.json()
        person, message = self._person_and_message(asked)
        if message["from"]["id"] != person.id:
            raise _RefusedError("Only your own messages can be edited.")
        _check_size(asked["text"].strip(), [])
        self._world.edit(person, message, asked["text"])
        return {}

    async def _start(self, request: web.Request) -> Json:
        """Do what opening a t.me/…?start=payload link does."""
        asked = await request.json()
        person = self._person(asked["user_id"])
        chat = self._world.private_chat(person)
        self._world.say(person, chat, f"/start {asked.get('payload') or ''}".strip())
        return {}

    async def _stranger(self, _request: web.Request) -> Json:
        """Add a person whom the bot does not know."""
        return {"chat_id": self._world.private_chat(self._world.add_stranger()).id}

    async def _forum(self, _request: web.Request) -> Json:
        """Add a group with topics, of all people."""
        people = list(self._world.people.values())
        chat = self._world.add_group("Film club", people, forum=True)
        for name in ("Ideas", "Finished films"):
            self._world.add_topic(people[0], chat, name)
        return {"chat_id": chat.id}

    async def _outside(self, _request: web.Request) -> Json:
        """Add a group of all people in which the bot is no member."""
        people = list(self._world.people.values())
        return {"chat_id": self._world.add_group("Weekend", people, with_bot=False).id}

    async def _inline(self, request: web.Request) -> Json:
        """Ask the bot for inline results, and wait for them."""
        asked = await request.json()
        person, chat = self._who_and_where(asked)
        query = self._world.ask_inline(person, chat, str(asked["query"]), str(asked.get("offset") or ""))
        done, _ = await asyncio.wait({query.answered}, timeout=LIFETIME_S)
        if not done:
            return {"query_id": query.id, "results": []}
        answer = query.answered.result()
        results = [result | _media(answer.contents[result["id"]]) for result in answer.results]
        return {
            "query_id": query.id,
            "results": results,
            "button": answer.button,
            "next_offset": answer.next_offset,
        }

    async def _choose(self, request: web.Request) -> Json:
        """Send an inline result."""
        asked = await request.json()
        person, chat = self._who_and_where(asked)
        self._world.choose(person, chat, str(asked["query_id"]), str(asked["result_id"]))
        return {}

    async def _inline_mode(self, request: web.Request) -> Json:
        self._world.set_inline(on=bool((await request.json())["on"]))
        return {}

    async def _privacy(self, request: web.Request) -> Json:
        self._world.set_privacy(on=bool((await request.json())["on"]))
        return {}

    async def _thing(self, request: web.Request) -> Json:
        """Send something that is neither words nor a file of the person."""
        asked = await request.json()
        person, chat = self._who_and_where(asked)
        return self._world.send_thing(
            person, chat, str(asked["kind"]), thread_id=asked.get("message_thread_id")
        )

    def _who_and_where(self, asked: Json) -> tuple[Person, Chat]:
        chat = self._world.chats.get(int(asked["chat_id"]))
        person = self._person(asked["user_id"])
        if chat is None or person.id not in [someone["id"] for someone in chat.people]:
            raise _RefusedError("That person is not in this chat.")
        if chat.migrated_to is not None:
            raise _RefusedError("This group has become a supergroup; the talk goes on there.")
        return person, chat

    def _person_and_message(self, asked: Json) -> tuple[Person, Json]:
        person, chat = self._who_and_where(asked)
        message = chat.messages.get(int(asked["message_id"]))
        if message is None:
            raise _RefusedError("That message is gone.")
        return person, message

    def _person(self, user_id: Any) -> Person:
        person = self._world.people.get(int(user_id))
        if person is None:
            raise _RefusedError("There is no such person.")
        return person


def world_json(world: World) -> Json:
    """Return everything to show, as the page gets it when it connects."""
    chats = []
    for chat in world.chats.values():
        people = [person["id"] for person in chat.people]
        bots = [world.bot.id] if world.has_bot(chat) else []
        messages = [
            message | ({"reactions": found} if (found := chat.reactions.get(message["message_id"])) else {})
            for message in world.messages(chat)
        ]
        chats.append(
            {
                "id": chat.id,
                "type": chat.type,
                "title": chat.title or world.bot.first_name,
                "members": [*people, *bots],
                "speakers": people,
                "topics": [{"id": thread_id, "name": name} for thread_id, name in chat.topics.items()],
                "commands": world.commands_in(chat),
                "messages": messages,
            }
        )
    bot: Json = {"id": world.bot.id, "first_name": world.bot.first_name, "username": world.bot.username}
    bot |= {"privacy": not world.bot.reads_all_group_messages, "inline": world.bot.supports_inline_queries}
    people_json = [
        {"id": person.id, "first_name": person.first_name, "username": person.username}
        for person in world.people.values()
    ]
    return {"type": "world", "bot": bot, "people": people_json, "chats": chats}


async def _write_changes(socket: web.WebSocketResponse, changes: asyncio.Queue[Json]) -> None:
    while not socket.closed:
        try:
            await socket.send_json(await changes.get())
        except ConnectionError:
            return


def _answering(act: Callable[[web.Request], Awaitable[Json]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return _answer({"ok": True} | await act(request))
        except (_RefusedError, ApiError) as problem:
            return _answer({"ok": False, "description": str(problem)})
        except (KeyError, TypeError, ValueError) as problem:
            return _answer({"ok": False, "description": f"That request makes no sense here: {problem}"})

    return handle


def _answer(body: Json) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, content_type="application/json", headers=_HEADERS)


def _check_size(text: str, attachments: list[Attachment]) -> None:
    limit = _CAPTION_LIMIT if attachments else _TEXT_LIMIT
    if not text and not attachments:
        raise _RefusedError("There is nothing to send.")
    if utf16_length(text) > limit:
        raise _RefusedError(f"That is too long: at most {limit} characters.")
    if len(attachments) > _ALBUM_LIMIT:
        raise _RefusedError(f"At most {_ALBUM_LIMIT} files at once.")
    for attachment in attachments:
        if attachment.kind == "photo" and attachment.file.size > PHOTO_LIMIT:
            raise _RefusedError("A photo may have at most 10 MB. Send it as a file instead.")


def _kind_of(mime: str, *, as_document: bool) -> Literal["photo", "video", "animation", "document"]:
    if not as_document and mime in ("image/jpeg", "image/png", "image/webp"):
        return "photo"
    if not as_document and mime == "image/gif":
        return "animation"
    if not as_document and mime.startswith("video/"):
        return "video"
    return "document"


def _media(content: Json) -> Json:
    """Return the video of a result, which the page shows in its list."""
    return {"media": content.get("animation") or content["video"]}


def _size(text: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _number(fields: dict[str, str], name: str) -> int | None:
    return int(fields[name]) if fields.get(name) else None
