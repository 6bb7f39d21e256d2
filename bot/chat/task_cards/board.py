"""The card board: posts, edits and ends the cards of tasks, and sends their videos. The worker calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from telegram import InputMediaVideo, Message

from bot.chat.cards.layout import Card
from bot.chat.cards.task_card import draw_offer
from bot.chat.sender import tidy_name
from bot.chat.task_cards.card_edits import edit_card
from bot.chat.task_cards.chat_action import ChatActionSender, sending_video
from bot.chat.task_cards.live_updates import LiveCardUpdater
from bot.chat.task_cards.photo_cards import PhotoCards
from bot.chat.task_cards.reactions import Reactions
from bot.chat.task_cards.renderer import CardRenderer
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.chat.telegram_io.messenger import Messenger, replying
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, file_id_of, shown_with
from bot.errors import CallRefused, CardGone, ChatError, ChatGone
from bot.log import get_log
from bot.media.media_info import FitPhoto
from bot.media.video_cache import Video
from bot.request import Crop, PhotoRules
from bot.send_rates import Urgency
from bot.store.budget import Pause
from bot.store.leases import SINGLE_PROCESS, LeaseStore
from bot.task import Task, TaskState
from bot.text import say

PHOTO_MAX_BYTES = 20_000_000
"""What Telegram lets a bot download."""
_PRIVATE_INTERVAL_S = 5.0
_GROUP_INTERVAL_S = 15.0
_LATE_INTERVAL_S = 60.0
_SHORT_INTERVAL_S = 2.0
_SHORT_S = 30.0
_LARGE_BYTES = 2_000_000
"""A video of this size may take some time to go up."""
_SAY_LIMIT_S = 3.0


def no_known_pause(_: str) -> None:
    """Return None: no model is paused."""


def no_film(_: str) -> None:
    """Do nothing: nobody makes films."""


class CardBoard:
    """Each task has one message, and each call for a card waits for the one before."""

    def __init__(
        self,
        bot: TelegramBot,
        renderer: CardRenderer,
        clock: Callable[[], datetime],
        *,
        messenger: Messenger,
        photos: PhotoFiles,
        reactions: Reactions,
        pause: Callable[[str], Pause | None] = no_known_pause,
        leases: LeaseStore = SINGLE_PROCESS,
    ) -> None:
        """`pause`: what keeps a model from being bought, as it was last read."""
        self._bot = bot
        self._renderer = renderer
        self._messenger = messenger
        self._photos = photos
        self._uploads = Uploads(by_path=bot.local_mode)
        self._photo_cards = PhotoCards(bot, photos)
        self._pause = pause
        self.reactions = reactions
        self.on_shot: Callable[[str], None] = no_film
        """Called with the film of a task that has changed: the card of the film shows its shots."""
        self._log = get_log(__name__)
        self.live = LiveCardUpdater(self._draw, self._interval_s, clock, leases=leases)
        self.chat_actions = ChatActionSender(sending_video(bot), self.live, renderer.usual_s, clock)

    async def photo(self, file_id: str, rules: PhotoRules, crop: Crop | None, user_id: int) -> FitPhoto:
        return await self._photos.fit(file_id, rules, crop, user_id)

    def show(self, task: Task, *, pressed: bool = False) -> None:
        if task.film_id is not None:
            self.on_shot(task.film_id)
        else:
            self.live.show(task, pressed=pressed)

    def note(self, task: Task, line: str, until: datetime | None = None) -> None:
        """Add a line to the task's card, until then or for as long as it counts. A restart forgets it."""
        self._renderer.note(task, line, until)

    async def post(
        self, task: Task, reply_to: int | None, card: Card | None = None, *, frame: bytes | None = None
    ) -> Task:
        """Send the task's card, a silent message, and return the task with it. The task is not stored yet.

        A draft whose photo is cropped shows the crop; raises MediaError if the photo cannot be read. A task
        that continues a video shows its first picture: `frame`, if no message has it yet. The card does not
        quote a message right above it.
        """
        reply_to = None if self._messenger.is_last(task.card.chat_id, reply_to) else reply_to
        card = card or await self._card(task)
        if frame is not None:
            return await self._photo_cards.post_frame(task, reply_to, card, frame)
        if posted := await self._photo_cards.post(task, reply_to, card):
            return posted
        message = await self._messenger.send(
            task.card.chat_id,
            card.text,
            card.buttons,
            thread_id=task.card.thread_id,
            reply_to=reply_to,
            silent=True,
        )
        return replace(task, card=task.card.posted(message.message_id, has_photo=False))

    async def deliver(self, task: Task, video: Video) -> str:
        await self.live.stop_and_wait(task.id)
        if task.card.card_id is None:
            raise CardGone("never posted")
        await self._say_it_is_sent(task, video)
        card = self._renderer.caption(task, is_shrunk=video.facts.is_shrunk)

        def edit(film: Sent, picture: Sent | None) -> Awaitable[Message | bool]:
            return self._bot.edit_message_media(
                InputMediaVideo(film, **shown_with(video, picture, card)),
                chat_id=task.card.chat_id,
                message_id=task.card.card_id,
                reply_markup=card.buttons,
                read_timeout=DIGEST_S,
                rate_limit_args=Urgency.FIRST,
            )

        try:
            with self.chat_actions.delivering(task):
                message = await self._uploads.send(video, edit, attach=True)
        except CallRefused:
            # The video comes as a new message; this card would say for ever that it is being made.
            await self.remove(task.card.chat_id, task.card.card_id)
            raise
        await self.reactions.done(task)
        await self._notify(task, "card_ready")
        return file_id_of(message)

    async def _say_it_is_sent(self, task: Task, video: Video) -> None:
        """Say on the card that a large video is being sent. A lost edit does no harm."""
        if video.facts.bytes < _LARGE_BYTES:
            return
        try:
            async with asyncio.timeout(_SAY_LIMIT_S):
                await self._edit(task, await self._card(task), Urgency.NEXT)
        except (ChatError, TimeoutError) as error:
            self._log.debug("a card does not say that its video is sent", reason=str(error))

    async def send(self, task: Task, video: Video) -> str:
        self.live.forget(task.id)
        card = self._renderer.caption(task, is_shrunk=video.facts.is_shrunk)
        is_quiet = await self.reactions.is_quiet(task.card.chat_id)

        def send(film: Sent, picture: Sent | None) -> Awaitable[Message]:
            return self._bot.send_video(
                task.card.chat_id,
                film,
                **shown_with(video, picture, card),
                reply_markup=card.buttons,
                message_thread_id=task.card.thread_id,
                reply_parameters=replying(task.card.message_id),
                disable_notification=is_quiet,
                read_timeout=DIGEST_S,
                rate_limit_args=Urgency.FIRST,
            )

        with self.chat_actions.delivering(task):
            message = await self._uploads.send(video, send)
        await self.reactions.done(task)
        return file_id_of(message)

    async def redirect(self, task: Task) -> int:
        await self.live.stop_and_wait(task.id)
        if task.card.chat_id > 0 and task.card.thread_id is not None:
            return task.card.chat_id  # a topic of a private chat is gone: the card goes outside of the topics
        try:
            await self._say_in_private(task)
        except (ChatGone, CardGone, CallRefused):
            await self._say_it_waits(task)
            raise
        if task.card.card_id is not None:
            await self.remove(task.card.chat_id, task.card.card_id)
        return task.user_id

    async def _say_in_private(self, task: Task) -> None:
        if task.card.chat_id > 0 or task.user_id < 0:
            raise ChatGone("there is no private chat to go to")
        text = say(task.language, _why_in_private(task), group=await self._title(task.card.chat_id))
        await self._messenger.send(task.user_id, text)

    async def _title(self, chat_id: int) -> str:
        try:
            with translated():
                return tidy_name((await self._bot.get_chat(chat_id)).title or "")
        except (ChatGone, CallRefused):
            return ""

    async def _say_it_waits(self, task: Task) -> None:
        """Say on the card where to find a video that can be sent to nobody; delete a card that cannot be
        changed."""
        if task.state is not TaskState.SUCCEEDED:
            return
        card = Card(say(task.language, "video_waits"), None)
        try:
            await (
                self._say(task, card) if task.card.card_id is None else self._edit(task, card, Urgency.FIRST)
            )
        except (ChatGone, CardGone, CallRefused) as error:
            self._log.info("that a video waits cannot be said", task=task.id, reason=str(error))
            if task.card.card_id is not None:
                await self.remove(task.card.chat_id, task.card.card_id)

    async def redraw(self, task: Task, opened: str | None = None) -> None:
        """Edit the card of a draft. An error is logged: the next press draws it again."""
        try:
            await self._edit(task, await self._renderer.draft(task, opened), Urgency.FIRST)
        except ChatError as error:
            self._log.info("a draft could not be shown", task=task.id, reason=str(error))

    async def redraw_picture(self, task: Task) -> None:
        """Edit the picture of a draft with its card. MediaError if it cannot be drawn; else as `redraw`."""
        try:
            await self._photo_cards.edit(task, await self._renderer.draft(task, None))
        except ChatError as error:
            self._log.info("a draft could not be shown", task=task.id, reason=str(error))

    async def remove(self, chat_id: int, card_id: int) -> None:
        """Delete a card that another one has replaced. An error is logged."""
        try:
            with translated():
                await self._bot.delete_message(chat_id, card_id)
        except ChatError as error:
            self._log.debug("a card could not be removed", reason=str(error))

    async def offer(self, task: Task) -> None:
        await self._say(task, draw_offer(task))

    async def tell(self, task: Task) -> None:
        await self.live.stop_and_wait(task.id)
        await self.reactions.dropped(task)
        dropped = task.state is TaskState.CANCELLED or task.detached
        try:
            await self._edit(task, await self._card(task), Urgency.FIRST)
        except (CardGone, CallRefused):
            # A refusal proves that the card does not say it: a message is tried.
            if not dropped:
                await self._say(task, await self._card(task))
            return
        if not dropped:
            await self._notify(task, "card_failed")

    async def _notify(self, task: Task, key: str) -> None:
        """Notify of an outcome; of several videos that were ordered at once only with the last one."""
        if not any(task_id in self.live for task_id in task.batch_ids if task_id != task.id):
            await self._messenger.notify(task, key)

    def _interval_s(self, task: Task) -> float:
        """Return how long a card is left as it is: longer in groups, shorter for models that are fast."""
        is_paused = task.state is TaskState.QUEUED and self._pause(task.request.model) is not None
        if task.late_at is not None or is_paused:
            return _LATE_INTERVAL_S
        if task.card.chat_id < 0:
            return _GROUP_INTERVAL_S
        model = self._renderer.models.get(task.request.model)
        return _SHORT_INTERVAL_S if model is not None and model.typical_s < _SHORT_S else _PRIVATE_INTERVAL_S

    async def _draw(self, task: Task, urgency: Urgency) -> None:
        await self._edit(task, await self._card(task), urgency)
        if task.detached:
            await self.reactions.dropped(task)

    async def _edit(self, task: Task, card: Card, urgency: Urgency) -> None:
        await edit_card(self._bot, task.card, card, urgency)

    async def _card(self, task: Task) -> Card:
        return await self._renderer.card(task, quiet=await self.reactions.is_quiet(task.card.chat_id))

    async def _say(self, task: Task, card: Card) -> None:
        await self._messenger.send(
            task.card.chat_id,
            card.text,
            card.buttons,
            thread_id=task.card.thread_id,
            reply_to=task.card.message_id,
            urgency=Urgency.FIRST,
        )


def _why_in_private(task: Task) -> str:
    """Return the phrase that says why the outcome comes in the private chat: the card did not take the video,
    or the topic may be gone."""
    is_video = task.state is TaskState.SUCCEEDED
    if task.card.thread_id is not None and not (is_video and task.card.card_id is not None):
        return "outcome_comes_here"
    return "video_comes_here" if is_video else "answer_comes_here"
