"""The film joiner: joins a video and the one that continues it, and sends the film. It costs nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from telegram import Bot, Message

from bot.chat.cards.task_card import draw_caption
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger, replying
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, file_id_of, shown_with
from bot.chat.telegram_io.video_files import VideoFiles
from bot.errors import ChatError, MediaError
from bot.log import get_log
from bot.media.provenance import Provenance
from bot.media.video_cache import Video
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import TaskStore
from bot.task import CardRef, Task, TaskState
from bot.worker import schedule
from bot.worker.user_locks import UserLocks

_JUST_NOW = timedelta(minutes=1)
_FILM_LEASE_S = 600.0


@dataclass(frozen=True, slots=True)
class Film:
    """What to join, and whom to send it to, below the message with the button."""

    sender: Sender
    task: Task
    """The second of the two."""
    words: str
    """Of both."""
    first_id: str
    second_id: str
    provenance: Provenance


class FilmJoiner:
    """Joins one film of a person at a time, in the order of their requests; persons take turns
    (`MediaQueue.join`). A restart forgets what waits."""

    def __init__(
        self,
        bot: Bot,
        videos: VideoFiles,
        messenger: Messenger,
        clock: Callable[[], datetime],
        *,
        tasks: TaskStore,
        models: Mapping[str, VideoModel],
    ) -> None:
        self._bot = bot
        self._uploads = Uploads(by_path=bot.local_mode)
        self._videos = videos
        self._messenger = messenger
        self._clock = clock
        self._tasks = tasks
        self._models = models
        self._log = get_log(__name__)
        self._waiting: asyncio.Queue[Film] = asyncio.Queue()
        self._under_way: set[str] = set()
        self._locks = UserLocks("films of", _FILM_LEASE_S)
        self._joined: dict[str, datetime] = {}

    def request(self, film: Film) -> Literal["queued", "just_sent"]:
        """Queue the film, unless it is queued already or was sent a moment ago."""
        now = self._clock()
        self._joined = {one: at for one, at in self._joined.items() if now - at < _JUST_NOW}
        if film.task.id in self._joined:
            return "just_sent"
        if film.task.id not in self._under_way:
            self._under_way.add(film.task.id)
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
            self._log.info("a failure could not be reported", task=film.task.id, reason=str(error))
        finally:
            self._under_way.discard(film.task.id)

    async def _join(self, film: Film) -> Problem | None:
        try:
            async with self._videos.joined(
                film.first_id, film.second_id, film.sender.user_id, film.provenance
            ) as video:
                async with asyncio.timeout(schedule.UPLOAD_LIMIT_S):
                    await self._send(film, video)
        except MediaError as error:
            self._log.info("two videos cannot be joined", task=film.task.id, reason=error.detail)
            return Problem(error.code, error.values)
        except (ChatError, TimeoutError) as error:
            self._log.info("a joined video was not sent", task=film.task.id, reason=str(error))
            return Problem("join_failed", {})
        except Exception:  # noqa: BLE001 - one film may not end the others
            self._log.exception("two videos could not be joined", task=film.task.id)
            return Problem("join_failed", {})
        self._joined[film.task.id] = self._clock()
        return None

    async def _send(self, film: Film, video: Video) -> None:
        """Send the film, then store it as a task without an order, which stands in the history."""
        sender, made = film.sender, self._made(film, video)
        card = draw_caption(made, self._models)

        def send(file: Sent, picture: Sent) -> Awaitable[Message]:
            return self._bot.send_video(
                sender.chat_id,
                file,
                **shown_with(video, picture, card),
                reply_markup=card.buttons,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id),
                read_timeout=DIGEST_S,
            )

        message = await self._uploads.send(video, send)
        card_id = message.message_id if isinstance(message, Message) else None
        posted = replace(made.card, card_id=card_id)
        await self._tasks.add(replace(made, card=posted, file_id=file_id_of(message)))

    def _made(self, film: Film, video: Video) -> Task:
        sender, now, second = film.sender, self._clock(), film.task
        return Task(
            id=secrets.token_hex(8),
            update_id=sender.update_id,
            card=CardRef(chat_id=sender.chat_id, thread_id=sender.thread_id, message_id=sender.message_id),
            user_id=second.user_id,
            user_name=second.user_name,
            language=sender.language,
            provider=second.provider,
            request=VideoRequest(
                model=second.request.model, prompt=film.words, seconds=max(round(video.facts.duration_s), 1)
            ),
            state=TaskState.SUCCEEDED,
            parent_id=second.id,
            video_url="",
            created_at=now,
            finished_at=now,
            delivered_at=now,
            due_at=None,
        )
