"""Extend: a video goes on where it ended. Its last frame is the first of the new piece.

Reading a video takes time, and nobody's messages should wait for it: what can be refused is refused at once,
then a draft without a card waits for its turn, and the worker takes it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from telegram import Bot

from bot.chat.cards.draft_card import ASK_EXTEND
from bot.chat.cards.option_buttons import fit_request
from bot.chat.chat_settings import ChatPreferences
from bot.chat.handlers import ButtonPress
from bot.chat.ordering.access import Access
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import Intent, SentPhoto, SentVideo
from bot.chat.parsing.prompt_options import Words, read_words
from bot.chat.sender import Sender, asker_of
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.video_files import VideoFiles
from bot.errors import ChatGone, MediaError
from bot.media import media_info as media
from bot.request import Problem, VideoModel, VideoRequest, check_photo, check_request, shown
from bot.store import TaskStore
from bot.task import EXTENDING, TAPPED_EXTENDING, Task, TaskState
from bot.text import say

_ASKED_AGAIN_AFTER = timedelta(seconds=30)


class Extend:
    def __init__(
        self,
        *,
        bot: Bot,
        tasks: TaskStore,
        reading: RequestBuilder,
        orders: Orders,
        access: Access,
        preferences: ChatPreferences,
        photos: PhotoFiles,
        videos: VideoFiles,
        messenger: Messenger,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
    ) -> None:
        self._bot = bot
        self._tasks = tasks
        self._reading = reading
        self._orders = orders
        self._access = access
        self._preferences = preferences
        self._photos = photos
        self._videos = videos
        self._messenger = messenger
        self._models = models
        self._clock = clock

    async def command(self, sender: Sender, intent: Intent) -> None:
        """`/extend words` to a video starts; without words it asks for them."""
        if intent.video is None:
            command = f"/extend@{self._bot.username}" if sender.chat_id < 0 else "/extend"
            await self._answer(sender, "extend_how", command=command)
            return
        parent = None
        if intent.answers is not None:
            parent = await self._tasks.find(card=(sender.chat_id, intent.answers))
        problem = await self._go_on(sender, intent.video, parent, read_words(intent.words))
        if problem is not None:
            await self._answer(sender, problem.code, **problem.values)

    async def tap(self, tap: ButtonPress) -> Problem | None:
        """The button under a finished video: asks for the words."""
        task = tap.task
        if task.state is not TaskState.SUCCEEDED or not task.file_id:
            return Problem("tap_gone", {})
        if await self._has_just_asked(tap):
            return None
        return await self._go_on(tap.sender, SentVideo(task.file_id, None), task, Words())

    async def _go_on(
        self, sender: Sender, video: SentVideo, parent: Task | None, words: Words
    ) -> Problem | None:
        """Whatever can be refused is refused before the video is fetched."""
        if problem := await self._access.limit(sender.user_id, sender.chat_id):
            return problem
        if (video.size_bytes or 0) > self._videos.takes_bytes:
            return Problem("video_too_many_bytes", {})
        settings = await self._preferences.of(sender.chat_id)
        usual, _ = self._reading.read(Words(), None, settings=settings)
        source = parent.request if parent else usual
        base = continuation(source, video.file_id, self._models, usual.model)
        if base is None:
            return Problem("extend_nobody", {})
        request, problems = self._reading.read(words, None, base, settings)
        for problem in problems:
            if words.prompt or not problem.code.startswith("prompt_missing"):
                return problem
        try:
            if request.model != source.model and "model" not in words.options:
                await self._answer(sender, "extend_by_other", chosen=source.model, model=request.model)
        except ChatGone:
            return Problem("extend_no_photos", {})
        question = TAPPED_EXTENDING if sender.tapped else EXTENDING
        await self._orders.gather(sender, request, question, self._clock(), parent.id if parent else None)
        return None

    async def read(self, task: Task) -> None:
        """Take up a draft whose video is to be read: it starts, or asks for words, or says why it cannot."""
        sender = asker_of(task)
        try:
            problem = await self._read(sender, task)
        except MediaError as error:
            problem = Problem(error.code, error.values)
        if problem is not None:
            await self._answer(sender, problem.code, **problem.values)

    async def _read(self, sender: Sender, task: Task) -> Problem | None:
        request, video_id = task.request, task.request.photos[0]
        model = self._models.get(request.model)
        if model is None:
            return Problem("extend_nobody", {})  # the bot was set up anew meanwhile
        frame = await self._videos.last_frame(video_id, sender.user_id)
        for problem in check_photo(model, frame.width, frame.height, media.MAX_BYTES, None):
            # The words for it speak of a photo, which nobody sent.
            return replace(problem, code="video_too_small")
        # Until a message shows the frame, the video stands in its place.
        self._photos.note(SentPhoto(video_id, frame.width, frame.height, None))
        try:
            if request.prompt:
                return await self._orders.start(sender, request, task.parent_id, frame.data)
            await self._orders.ask(sender, request, ASK_EXTEND, task.parent_id, frame.data)
        except ChatGone:
            # A group may allow words alone; where nothing can be sent this answer fails in the same way.
            return Problem("extend_no_photos", {})
        return None

    async def _has_just_asked(self, tap: ButtonPress) -> bool:
        since = self._clock() - _ASKED_AGAIN_AFTER
        drafts = await self._tasks.drafts(tap.sender.chat_id, tap.sender.user_id)
        mine = [one for one in drafts if one.parent_id == tap.task.id]
        asked = [one for one in mine if one.question in (ASK_EXTEND, TAPPED_EXTENDING)]
        repeated = any(one.created_at > since for one in asked)
        return repeated or await self._tasks.find(update_id=tap.sender.update_id) is not None

    async def _answer(self, sender: Sender, key: str, **values: object) -> None:
        await self._messenger.answer(sender, say(sender.language, key, **values))


def continuation(
    source: VideoRequest, video_id: str, models: Mapping[str, VideoModel], usual: str
) -> VideoRequest | None:
    """What `source` asked for, as a request that goes on from a video: by its own model where that one can
    start from a picture, else by `usual`, else by any. None where none can. Its words are still open.

    The shape is the video's. A camera move is not repeated, and a seed was for another picture.
    """
    wish = source.model_copy(
        update={
            "prompt": "",
            "photos": (video_id,),
            "extends": video_id,
            **dict.fromkeys(("crop", "ratio", "seed", "camera", "strength")),
        }
    )
    for name in (source.model, usual, *shown(models)):
        if name in models:
            fitted = fit_request(wish, models[name])
            if not check_request(fitted.model_copy(update={"prompt": "on"}), models[name]):
                return fitted
    return None
