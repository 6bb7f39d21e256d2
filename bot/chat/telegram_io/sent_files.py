"""Sent files: photos and videos of people, fetched from Telegram to the disk while they are worked on."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from telegram import Bot

from bot.chat.telegram_io.client import StreamingRequest, translated
from bot.chat.telegram_io.media_queue import MediaQueue
from bot.errors import CallRefused, CallUnclear, MediaError
from bot.log import get_log

_FETCH_LIMIT_S = 90.0
"""20 MB over 2 Mbit/s: handling a message takes two steps at most, and both have to end within its lease."""
_LEFT_BEHIND = timedelta(hours=1)
_AGAIN_AFTER_S = (0.5, 2.0)
"""Telegram's servers may need a moment: one of them does not have the file yet, or not any more."""
_PASSES = re.compile(r"temporarily unavailable|answered with 404")


@dataclass(frozen=True, slots=True)
class FileKind:
    """How large a file may be, and the phrases for one that cannot be had."""

    max_bytes: int
    too_large: str
    gone: str


class SentFiles:
    """Files reach the disk piece by piece and are handed on as paths: no memory here grows with them.

    `folder` is where they lie. A Bot API server that shares its files with the bot names the path itself.
    """

    def __init__(self, bot: Bot, folder: Path, clock: Callable[[], datetime], queue: MediaQueue) -> None:
        self._bot = bot
        self._folder = folder
        self._clock = clock
        self.queue = queue
        self._log = get_log(__name__)

    @asynccontextmanager
    async def step(
        self, user_id: int, file_ids: Sequence[str], kind: FileKind, *, patient: bool = False
    ) -> AsyncIterator[list[Path]]:
        """Fetch the files for one step of work, once it is this person's turn.

        Raises MediaError if they cannot be had or fetching them takes too long; ChatBusy, CallUnclear.
        """
        async with self._fetched(self.queue.step(user_id, patient=patient), file_ids, kind) as paths:
            yield paths

    @asynccontextmanager
    async def join(self, user_id: int, file_ids: Sequence[str], kind: FileKind) -> AsyncIterator[list[Path]]:
        """Fetch the files for a long step that no message waits for."""
        async with self._fetched(self.queue.join(user_id), file_ids, kind) as paths:
            yield paths

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make a folder for one piece of work, deleted after it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    @asynccontextmanager
    async def _fetched(
        self, turn: AbstractAsyncContextManager[None], file_ids: Sequence[str], kind: FileKind
    ) -> AsyncIterator[list[Path]]:
        async with turn:
            with self.folder() as folder:
                try:
                    async with asyncio.timeout(_FETCH_LIMIT_S):
                        paths = [
                            await self._fetch(file_id, folder / str(index), kind)
                            for index, file_id in enumerate(file_ids)
                        ]
                except TimeoutError as error:
                    raise MediaError("media_timeout", "fetching it took too long") from error
                yield paths

    async def _fetch(self, file_id: str, place: Path, kind: FileKind) -> Path:
        for pause_s in (*_AGAIN_AFTER_S, None):
            try:
                return await self._fetch_once(file_id, place, kind)
            except CallRefused as error:
                passes = _PASSES.search(str(error).lower())
                if passes is None:
                    key = kind.too_large if "too big" in str(error) else kind.gone
                    raise MediaError(key, str(error)) from error
                if pause_s is None and "unavailable" in passes[0]:
                    raise CallUnclear(str(error)) from error
                if pause_s is None:
                    self._say_what_is_missing(str(error))
                    raise MediaError(kind.gone, str(error)) from error
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try ends it")

    async def _fetch_once(self, file_id: str, place: Path, kind: FileKind) -> Path:
        with translated():
            file = await self._bot.get_file(file_id)
            if (named := Path(file.file_path or "")).is_file():
                return named
            request = self._bot.request
            if not isinstance(request, StreamingRequest):
                raise TypeError("this bot was not made by connect")
            await request.download(file.file_path or "", place, kind.max_bytes)
        return place

    def _say_what_is_missing(self, reason: str) -> None:
        """Log that a Bot API server does not share its files. Telegram's own servers serve what they name;
        one of the operator's own with `--local` names paths on its own disk."""
        if urlsplit(self._bot.base_file_url).hostname == "api.telegram.org":
            return
        self._log.error(
            "the Bot API server does not hand out its files: start it without --local, or let the bot read"
            " its folder under the same path (a shared volume)",
            reason=reason,
        )

    def _sweep(self) -> None:
        """Delete what a killed process left behind."""
        oldest = (self._clock() - _LEFT_BEHIND).timestamp()
        for left in self._folder.iterdir():
            with suppress(FileNotFoundError):  # its work has ended at this moment
                if left.stat().st_mtime < oldest:
                    shutil.rmtree(left, ignore_errors=True)
