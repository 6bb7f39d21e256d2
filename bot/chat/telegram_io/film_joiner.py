"""The film joiner: joins a video and the one that continues it, and sends the film. It costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from telegram import Bot, Message

from bot.chat.cards.layout import Card
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger, replying
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, shown_with
from bot.chat.telegram_io.video_files import VideoFiles
from bot.errors import ChatError, MediaError
from bot.log import get_log
from bot.media.provenance import Provenance
from bot.media.video_cache import Video
from bot.request import Problem
from bot.text import say, say_duration
from bot.worker import schedule
from bot.worker.user_locks import UserLocks

_JUST_NOW = timedelta(minutes=1)
_FILM_LEASE_S = 600.0


@dataclass(frozen=True, slots=True)
class Film:
    """What to join, and whom to send it to, below the message with the button."""

    sender: Sender
    task_id: str
    first_id: str
    second_id: str
    provenance: Provenance


class FilmJoiner:
    """Joins one film of a person at a time, in the order of their requests; persons take turns
    (`MediaQueue.join`). A restart forgets what waits."""

    def __init__(
        self, bot: Bot, videos: VideoFiles, messenger: Messenger, clock: Callable[[], datetime]
    ) -> None:
        self._bot = bot
        self._uploads = Uploads(by_path=bot.local_mode)
        self._videos = videos
        self._messenger = messenger
        self._clock = clock
        self._log = get_log(__name__)
        self._waiting: asyncio.Queue[Film] = asyncio.Queue()
        self._under_way: set[str] = set()
        self._locks = UserLocks("films of", _FILM_LEASE_S)
        self._joined: dict[str, datetime] = {}

    def request(self, film: Film) -> Literal["queued", "just_sent"]:
        """Queue the film, unless it is queued already or was sent a moment ago."""
        now = self._clock()
        self._joined = {one: at for one, at in self._joined.items() if now - at < _JUST_NOW}
        if film.task_id in self._joined:
            return "just_sent"
        if film.task_id not in self._under_way:
            self._under_way.add(film.task_id)
            self._waiting.put_nowait(film)
        return "queued"

    async def run(self) -> None:
        """Join what was requested, until cancelled."""
        async with asyncio.TaskGroup() as films:
            while True:
                films.create_task(self._handle(await self._waiting.get()))

    async def _handle(self, film: Film) -> None:
        try:
            async with self._locks.of(film.sender.user_id):
                if problem := await self._join(film):
                    await self._messenger.explain(film.sender, problem)
        except ChatError as error:
            self._log.info("a failure could not be reported", task=film.task_id, reason=str(error))
        finally:
            self._under_way.discard(film.task_id)

    async def _join(self, film: Film) -> Problem | None:
        try:
            async with self._videos.joined(
                film.first_id, film.second_id, film.sender.user_id, film.provenance
            ) as video:
                async with asyncio.timeout(schedule.UPLOAD_LIMIT_S):
                    await self._send(film.sender, video)
        except MediaError as error:
            self._log.info("two videos cannot be joined", task=film.task_id, reason=error.detail)
            return Problem(error.code, error.values)
        except (ChatError, TimeoutError) as error:
            self._log.info("a joined video was not sent", task=film.task_id, reason=str(error))
            return Problem("join_failed", {})
        except Exception:  # noqa: BLE001 - one film may not end the others
            self._log.exception("two videos could not be joined", task=film.task_id)
            return Problem("join_failed", {})
        self._joined[film.task_id] = self._clock()
        return None

    async def _send(self, sender: Sender, video: Video) -> None:
        length = say_duration(sender.language, video.facts.duration_s)
        card = Card(say(sender.language, "caption_joined", time=length), None)

        def send(file: Sent, picture: Sent) -> Awaitable[Message]:
            return self._bot.send_video(
                sender.chat_id,
                file,
                **shown_with(video, picture, card),
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id),
                read_timeout=DIGEST_S,
            )

        await self._uploads.send(video, send)
