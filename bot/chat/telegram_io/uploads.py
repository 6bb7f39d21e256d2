"""Uploads: videos are sent from the disk to Telegram, never whole in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any, TypeAlias

from telegram import InputFile, Message
from telegram.constants import ParseMode

from bot.chat.cards.layout import Card
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused
from bot.log import get_log
from bot.media.video_cache import Video

Sent: TypeAlias = InputFile | Path | str
"""A file to upload, or the file id of one that Telegram has."""
_Answer: TypeAlias = Message | bool

DIGEST_S = 90.0
"""Telegram goes on working on a video after its last byte."""
_PIECE_BYTES = 2**18
"""The library below reads and sends 64 KiB at a time; four times as much halves what an upload costs the
processor (`benchmarks/delivery.py`)."""


class Uploads:
    """By its path if Telegram's server shares the bot's files and can read them; else piece by piece."""

    def __init__(self, *, by_path: bool) -> None:
        self._by_path = by_path
        self._log = get_log(__name__)

    async def send(
        self, video: Video, call: Callable[[Sent, Sent | None], Awaitable[_Answer]], *, attach: bool = False
    ) -> _Answer:
        """Return what `call(film, thumbnail)` returns; True if an edit changed nothing. `attach`: the film is
        part of a medium. A video that Telegram has goes by its file id, without a thumbnail."""
        if video.file_id is not None:
            try:
                return await _answer(call(video.file_id, None))
            except CallRefused as error:
                self._log.warning("a stored video is refused, and uploaded", reason=str(error))

        async def stream() -> _Answer:
            with video.path.open("rb") as film, video.thumbnail.open("rb") as picture:
                return await _answer(
                    call(
                        _streamed(film, "dreamreel.mp4", attach=attach),
                        _streamed(picture, "thumbnail.jpg", attach=True),
                    )
                )

        return await self._send(lambda: call(video.path.absolute(), video.thumbnail.absolute()), stream)

    async def send_file(self, path: Path, call: Callable[[Sent], Awaitable[_Answer]]) -> _Answer:
        """Return what `call(file)` returns."""

        async def stream() -> _Answer:
            with path.open("rb") as file:
                return await _answer(call(_streamed(file, "dreamreel.mp4")))

        return await self._send(lambda: call(path.absolute()), stream)

    async def _send(
        self, by_path: Callable[[], Awaitable[_Answer]], stream: Callable[[], Awaitable[_Answer]]
    ) -> _Answer:
        if self._by_path:
            try:
                return await _answer(by_path())
            except CallRefused as error:
                reason = str(error)
        answer = await stream()
        if self._by_path:
            self._by_path = False
            self._log.warning(
                "the Bot API server cannot read the bot's files, so they are uploaded", reason=reason
            )
        return answer


def shown_with(video: Video, picture: Sent | None, card: Card) -> dict[str, Any]:
    """Return the arguments that make Telegram play the video in place, with its caption. Without a `picture`
    Telegram has the video."""
    words = {"caption": card.text, "parse_mode": ParseMode.HTML}
    if picture is None:
        return words
    return {
        **words,
        "width": video.facts.width,
        "height": video.facts.height,
        "duration": round(video.facts.duration_s),
        "supports_streaming": True,
        "thumbnail": picture,
    }


def file_id_of(message: Message | bool) -> str:
    """Return the file id of what was sent. Telegram answers with the video, or with an animation if it has no
    sound."""
    if isinstance(message, Message):
        found = message.video or message.animation or message.document
        if found is not None:
            return found.file_id
    return ""


async def _answer(call: Awaitable[_Answer]) -> _Answer:
    answer: _Answer = True
    with translated():
        answer = await call
    return answer  # noqa: RET504 - an edit that changes nothing raises inside, and is no error


def _streamed(file: IO[bytes], filename: str, *, attach: bool = False) -> InputFile:
    """Return a file that is uploaded as it is read. Without `attach` a message would go out without its
    medium."""
    pieces: Any = _Pieces(file)
    return InputFile(pieces, filename=filename, attach=attach, read_file_handle=False)


class _Pieces:
    """An open file that returns larger pieces than it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.fileno = file.fileno
        self.seek = file.seek

    def read(self, _size: int = -1) -> bytes:
        return self._file.read(_PIECE_BYTES)
