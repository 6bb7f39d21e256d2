"""Read the body of a request: JSON, a form, or multipart with files that go to disk as they arrive."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from bot.sandbox.answer import ApiError, Json
from bot.sandbox.bot_api.methods import ContractError
from bot.sandbox.files import FileStore, ReceivedFile

# More than the longest list of parameters, less than a file in the wrong place.
_TEXT_LIMIT = 1024 * 1024
_CHUNK = 256 * 1024


@dataclass
class Body:
    """`fields` in order of arrival; `files` by the name of their part."""

    fields: Json = field(default_factory=dict)
    files: dict[str, ReceivedFile] = field(default_factory=dict)


class TooLargeError(Exception):
    """A body or file over the limit. It is read to its end, so that the sender can read the response."""

    api_error = ApiError(413, "Request Entity Too Large")


async def read_body(request: web.Request, files: FileStore) -> Body:
    """Read parameters in every way that the Bot API accepts, also from the URL.

    Raises TooLargeError, or ContractError if the body cannot be read.
    """
    try:
        return await _read_body(request, files)
    except ValueError as error:
        raise ContractError(f"the body of the request cannot be read: {error}") from error


async def save_part(part: BodyPartReader, files: FileStore) -> ReceivedFile:
    """Write one file of a multipart body to disk in chunks. Raises TooLargeError at its end."""
    path = files.empty_path()
    size = 0
    with path.open("wb") as file:
        while chunk := await part.read_chunk(_CHUNK):
            size += len(chunk)
            if size <= files.upload_limit:
                file.write(chunk)
    if size > files.upload_limit:
        path.unlink()
        raise TooLargeError
    mime = part.headers.get("Content-Type", "").split(";")[0]
    return ReceivedFile(path, part.filename or "file", mime, size)


async def _read_body(request: web.Request, files: FileStore) -> Body:
    body = Body(fields=dict(request.query))
    if request.content_type.startswith("multipart/"):
        await _read_multipart(request, files, body)
    elif request.content_type == "application/json":
        values = json.loads(await _read_text(request) or "{}")
        if not isinstance(values, dict):
            raise ValueError("an object expected")
        body.fields.update(values)
    elif request.can_read_body:
        await _read_text(request)
        body.fields.update(await request.post())
    return body


async def _read_multipart(request: web.Request, files: FileStore, body: Body) -> None:
    too_large = False
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("a plain part with a name expected")
        if part.filename is None:
            body.fields[part.name] = await part.text()
            continue
        try:
            body.files[part.name] = await save_part(part, files)
        except TooLargeError:
            too_large = True
    if too_large:
        raise TooLargeError


async def _read_text(request: web.Request) -> str:
    if (request.content_length or 0) > _TEXT_LIMIT:
        await _drain(request)
        raise TooLargeError
    return await request.text()


async def _drain(request: web.Request) -> None:
    async for _chunk in request.content.iter_chunked(_CHUNK):
        pass
