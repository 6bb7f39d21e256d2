"""The storage chat (STORAGE_CHAT): each video is uploaded there once, and sent from there by its file id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from telegram import Message

from bot.bounded_dict import BoundedDict
from bot.chat.cards.layout import Card
from bot.chat.telegram_io.client import TelegramBot
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, file_id_of, shown_with
from bot.errors import ChatBusy, ChatError, ChatMoved
from bot.log import get_log
from bot.media.video_cache import Video
from bot.send_rates import Urgency
from bot.worker.schedule import upload_limit_s

_PAUSE = timedelta(minutes=1)
"""After a failure, so that deliveries do not wait for each to fail."""
_REMEMBERED = 200


class VideoStorage:
    """`fails`: whether no video could be put there when this process last tried; None if it has not."""

    def __init__(self, chat_id: int, bot: TelegramBot, clock: Callable[[], datetime]) -> None:
        self.fails: bool | None = None
        self._chat_id = chat_id
        self._bot = bot
        self._clock = clock
        self._uploads = Uploads(by_path=bot.local_mode)
        self._known: BoundedDict[tuple[Path, int], str] = BoundedDict(_REMEMBERED)
        self._not_before = clock()
        self._log = get_log(__name__)

    async def keep(self, video: Video) -> Video:
        """Return the video with its file id, uploaded at the first call; as it is if it cannot be kept now.
        Never raises. A process that dies meanwhile uploads it once more."""
        key = (video.path, video.facts.bytes)  # what was made smaller is another file in its place
        if key not in self._known:
            if self._clock() < self._not_before:
                return video
            try:
                async with asyncio.timeout(upload_limit_s(video.facts.bytes)):
                    self._known[key] = await self._upload(video)
            except ChatBusy:
                return video  # more videos than Telegram takes in one chat: this one goes its own way
            except (ChatError, TimeoutError, OSError) as error:
                self._note_failure(error)
                return video
            self._note_success()
        return replace(video, file_id=self._known[key])

    async def _upload(self, video: Video) -> str:
        try:
            return await self._upload_to(self._chat_id, video)
        except ChatMoved as moved:
            self._log.warning("STORAGE_CHAT has a new id", was=self._chat_id, now=moved.chat_id)
            self._chat_id = moved.chat_id
            return await self._upload_to(self._chat_id, video)

    async def _upload_to(self, chat_id: int, video: Video) -> str:
        def send(film: Sent, picture: Sent | None) -> Awaitable[Message]:
            return self._bot.send_video(
                chat_id,
                film,
                **shown_with(video, picture, Card("", None)),
                disable_notification=True,
                read_timeout=DIGEST_S,
                rate_limit_args=Urgency.LOW,  # it waits for nobody: an upload of its own is always possible
            )

        return file_id_of(await self._uploads.send(video, send))

    def _note_failure(self, error: Exception) -> None:
        self._not_before = self._clock() + _PAUSE
        if not self.fails:
            self.fails = True
            reason = str(error) or type(error).__name__
            self._log.warning("no video can be put into STORAGE_CHAT", reason=reason)

    def _note_success(self) -> None:
        if self.fails:
            self._log.info("videos can be put into STORAGE_CHAT again")
        self.fails = False
