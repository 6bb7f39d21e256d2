"""The files of the sandbox: uploads of people and the bot, on disk, with the fields that Telegram sends."""

from __future__ import annotations

import mimetypes
import secrets
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copyfile
from urllib.parse import unquote, urlsplit

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.probe import probe

MB = 1024 * 1024
UPLOAD_LIMIT = 50 * MB  # https://core.telegram.org/bots/api#sending-files
LOCAL_LIMIT = 2000 * MB  # https://core.telegram.org/bots/api#using-a-local-bot-api-server
PHOTO_LIMIT = 10 * MB
DOWNLOAD_LIMIT = 20 * MB  # https://core.telegram.org/bots/api#getfile

# Photos have a small and a large version; this is the maximum longer side of the large one.
_PHOTO_SIDES = (320, 1280)
_UNKNOWN_MIME = "application/octet-stream"
_FOLDERS = {
    "Photo": "photos",
    "Video": "videos",
    "Animation": "animations",
    "Document": "documents",
    "Thumbnail": "thumbnails",
}
# The first letters of a file_id in Telegram, so that kinds differ in a log.
_ID_PREFIXES = {
    "Photo": "AgACAgIAAxk",
    "Video": "BAACAgIAAxk",
    "Animation": "CgACAgIAAxk",
    "Document": "BQACAgIAAxk",
    "Thumbnail": "AAMCAgADGQ",
}


@dataclass(frozen=True)
class StoredFile:
    file_id: str
    file_unique_id: str
    kind: str  # Photo, Video, Animation, Document or Thumbnail, as Telegram's errors call them
    path: Path
    file_path: str  # where a bot downloads it: {url}/file/bot{token}/{file_path}
    size: int
    mime: str
    name: str
    width: int = 0
    height: int = 0
    duration_s: int = 0
    has_sound: bool | None = None
    thumbnail: StoredFile | None = None

    def as_json(self) -> Json:
        """Return the fields that every kind has."""
        return {"file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": self.size}


@dataclass(frozen=True)
class ReceivedFile:
    """An upload on disk that belongs to no message yet."""

    path: Path
    name: str
    mime: str
    size: int


class FileStore:
    """Keeps every file in one folder, which `close` removes.

    In `local_mode` the bot and the server exchange paths of files on this machine, and files may be larger.
    """

    def __init__(self) -> None:
        self.local_mode = False
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-files-")
        self._numbers = count(1)
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._photos: dict[str, list[StoredFile]] = {}  # all sizes, by the file_id of each

    def close(self) -> None:
        self._folder.cleanup()

    @property
    def upload_limit(self) -> int:
        return LOCAL_LIMIT if self.local_mode else UPLOAD_LIMIT

    @property
    def download_limit(self) -> int:
        return LOCAL_LIMIT if self.local_mode else DOWNLOAD_LIMIT

    def take(self, uri: str) -> ReceivedFile:
        """Copy the file that a bot in local mode names. Raises ApiError if it cannot be read."""
        place = Path(unquote(urlsplit(uri).path))
        if not self.local_mode or not place.is_file():
            raise bad_request("wrong file identifier/HTTP URL specified")
        return ReceivedFile(Path(copyfile(place, self.empty_path())), place.name, "", place.stat().st_size)

    def empty_path(self) -> Path:
        """Return the path for the next upload."""
        return Path(self._folder.name, f"upload-{next(self._numbers)}")

    def receive(self, data: bytes, name: str, mime: str = "") -> ReceivedFile:
        path = self.empty_path()
        path.write_bytes(data)
        return ReceivedFile(path, name, mime, len(data))

    def add(
        self,
        kind: str,
        received: ReceivedFile,
        *,
        width: int = 0,
        height: int = 0,
        duration_s: int = 0,
        thumbnail: StoredFile | None = None,
    ) -> StoredFile:
        """Store a file. Given values are trusted; missing ones come from the file's header. Telegram takes a
        video without sound for an animation."""
        seen = probe(received.path)
        if kind == "Video" and seen.has_sound is False:
            kind = "Animation"
        number = next(self._numbers)
        told = (received.mime, mimetypes.guess_type(received.name)[0], seen.mime)
        mime = next((mime for mime in told if mime and mime != _UNKNOWN_MIME), _UNKNOWN_MIME)
        if kind in ("Photo", "Thumbnail"):
            mime = seen.mime if seen.mime.startswith("image/") else "image/jpeg"
        suffix = Path(received.name).suffix or mimetypes.guess_extension(mime) or ""
        if kind in ("Photo", "Thumbnail"):
            suffix = ".jpg"  # Telegram turns every photo into one; here the bytes stay what they were
        file = StoredFile(
            file_id=_ID_PREFIXES[kind] + secrets.token_urlsafe(36),
            file_unique_id=secrets.token_urlsafe(11),
            kind=kind,
            path=received.path,
            file_path=f"{_FOLDERS[kind]}/file_{number}{suffix}",
            size=received.size,
            mime=mime,
            name=received.name,
            width=width or seen.width,
            height=height or seen.height,
            duration_s=duration_s or seen.duration_s,
            has_sound=seen.has_sound,
            thumbnail=thumbnail,
        )
        self._by_id[file.file_id] = file
        self._by_path[file.file_path] = file
        return file

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at(self, file_path: str) -> StoredFile | None:
        return self._by_path.get(file_path)

    def reuse(self, file_id: str, *kinds: str) -> StoredFile:
        """Return the file that a bot sends again by its id. Raises ApiError if it is of none of these
        kinds."""
        if file_id.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")  # the sandbox fetches nothing from anywhere
        file = self.get(file_id)
        if file is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if file.kind not in kinds:
            raise bad_request(f"can't use file of type {file.kind} as {kinds[0]}")
        return file

    def add_photo(self, received: ReceivedFile, *, width: int = 0, height: int = 0) -> list[StoredFile]:
        """Return the sizes of one photo, smallest first.

        All have the original bytes. Only the numbers are scaled, as Telegram would scale the picture.
        """
        full = probe(received.path)
        width, height = width or full.width or 1, height or full.height or 1
        scales = sorted({min(1.0, side / max(width, height)) for side in _PHOTO_SIDES})
        # A tiny picture has one size in Telegram; two equal ones keep "the last is the largest" true.
        scales = scales if len(scales) > 1 else [scales[0] / 2, scales[0]]
        sizes = [
            self.add(
                "Photo", received, width=max(1, round(width * scale)), height=max(1, round(height * scale))
            )
            for scale in scales
        ]
        self._photos.update({size.file_id: sizes for size in sizes})
        return sizes

    def sizes_of(self, photo: StoredFile) -> list[StoredFile]:
        return self._photos[photo.file_id]


def photo_json(sizes: list[StoredFile]) -> list[Json]:
    return [{**size.as_json(), "width": size.width, "height": size.height} for size in sizes]


def video_json(file: StoredFile) -> Json:
    return {**document_json(file), "width": file.width, "height": file.height, "duration": file.duration_s}


def document_json(file: StoredFile) -> Json:
    document = {**file.as_json(), "file_name": file.name, "mime_type": file.mime}
    if file.thumbnail is not None:
        (document["thumbnail"],) = photo_json([file.thumbnail])
    return document
