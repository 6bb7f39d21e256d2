"""Joining: a video and what was made to follow it become one film. It costs nothing, and is no task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from telegram import Bot, Message

from bot.chat.cards.layout import Card
from bot.chat.handlers import ButtonPress
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger, replying
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, shown_with
from bot.chat.telegram_io.video_files import VideoFiles
from bot.errors import ChatError, MediaError
from bot.log import get_log
from bot.media.video_cache import Video
from bot.request import Problem
from bot.text import say, say_duration
from bot.worker import schedule

_JUST_NOW = timedelta(minutes=1)


class Join:
    """One film at a time, in the order of the taps. What waits is not kept: after a restart one taps anew."""

    def __init__(
        self, bot: Bot, videos: VideoFiles, messenger: Messenger, clock: Callable[[], datetime]
    ) -> None:
        self._bot = bot
        self._uploads = Uploads(by_path=bot.local_mode)
        self._videos = videos
        self._messenger = messenger
        self._clock = clock
        self._log = get_log(__name__)
        self._taps: asyncio.Queue[ButtonPress] = asyncio.Queue()
        self._under_way: set[str] = set()
        self._joined: dict[str, datetime] = {}

    async def tap(self, tap: ButtonPress) -> Problem | None:
        task = tap.task
        if not task.request.extends or not task.file_id:
            return Problem("tap_gone", {})
        now = self._clock()
        self._joined = {one: at for one, at in self._joined.items() if now - at < _JUST_NOW}
        if task.id in self._joined:
            return Problem("tap_done", {})
        if task.id not in self._under_way:
            self._under_way.add(task.id)
            self._taps.put_nowait(tap)
        return Problem("tap_joining", {})

    async def run(self) -> None:
        """Join what was tapped, until cancelled."""
        while True:
            tap = await self._taps.get()
            try:
                await self._answer(tap)
            finally:
                self._under_way.discard(tap.task.id)

    async def _answer(self, tap: ButtonPress) -> None:
        problem = None
        try:
            await self._join(tap)
        except MediaError as error:
            problem = Problem(error.code, error.values)
            self._log.info("two videos cannot be joined", task=tap.task.id, reason=error.detail)
        except (ChatError, TimeoutError) as error:
            problem = Problem("join_failed", {})
            self._log.info("a joined video was not sent", task=tap.task.id, reason=str(error))
        except Exception:  # noqa: BLE001 - one film may not end the others
            problem = Problem("join_failed", {})
            self._log.exception("two videos could not be joined", task=tap.task.id)
        if problem is not None:
            await self._tell(tap, problem)

    async def _tell(self, tap: ButtonPress, problem: Problem) -> None:
        try:
            await self._messenger.answer(tap.sender, say(tap.sender.language, problem.code, **problem.values))
        except ChatError as error:
            self._log.info("a failure could not be reported", task=tap.task.id, reason=str(error))

    async def _join(self, tap: ButtonPress) -> None:
        task = tap.task
        if task.request.extends is None or task.file_id is None:
            return
        async with self._videos.joined(task.request.extends, task.file_id) as film:
            async with asyncio.timeout(schedule.UPLOAD_LIMIT_S):
                await self._send(tap.sender, film)
        self._joined[task.id] = self._clock()

    async def _send(self, sender: Sender, film: Video) -> None:
        """Below the piece whose button was tapped."""
        length = say_duration(sender.language, film.facts.duration_s)
        card = Card(say(sender.language, "caption_joined", time=length), None)

        def send(file: Sent, picture: Sent) -> Awaitable[Message]:
            return self._bot.send_video(
                sender.chat_id,
                file,
                **shown_with(film, picture, card),
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id),
                read_timeout=DIGEST_S,
            )

        await self._uploads.send(film, send)
