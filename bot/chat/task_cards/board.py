"""The screen: what the worker needs of a chat. Photos in; cards, videos and reasons out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from telegram import InputMediaVideo, Message
from telegram.constants import ParseMode

from bot.chat.cards.draft_card import draw_draft
from bot.chat.cards.eta import Estimator
from bot.chat.cards.layout import Card
from bot.chat.cards.price_labels import PriceLabels, no_price_labels
from bot.chat.cards.task_card import draw_caption, draw_card, draw_offer
from bot.chat.task_cards.chat_action import ChatActionSender, sending_video
from bot.chat.task_cards.live_updates import LiveCardUpdater
from bot.chat.task_cards.photo_cards import PhotoCards
from bot.chat.task_cards.reactions import Reactions
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.chat.telegram_io.messenger import NO_PREVIEW, Messenger, replying
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, file_id_of, shown_with
from bot.errors import CallRefused, CardGone, ChatError, ChatGone
from bot.log import get_log
from bot.media.media_info import FitPhoto
from bot.media.video_cache import Video
from bot.request import PhotoRules, VideoModel
from bot.send_rates import Urgency
from bot.store.buying import Pause
from bot.store.sharing import SINGLE_PROCESS, LeaseStore
from bot.task import Task, TaskState
from bot.text import say

PHOTO_MAX_BYTES = 20_000_000
"""What Telegram lets a bot download."""
_PRIVATE_PACE_S = 5.0
_GROUP_PACE_S = 15.0
_LATE_PACE_S = 60.0
_SHORT_PACE_S = 2.0
_SHORT_S = 30.0
_LARGE_BYTES = 2_000_000
"""A video of this size may take some time to go up."""
_SAY_LIMIT_S = 3.0
_ASIDES = 1000
"""Lines remembered at most."""


def no_known_pause(_: str) -> None:
    """Nothing stands against any model."""


async def nothing_said(_: Task) -> str:
    """Nothing is worth a line."""
    return ""


class CardBoard:
    """One task is one message: every call for a card waits for the one before."""

    def __init__(
        self,
        bot: TelegramBot,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
        *,
        estimator: Estimator,
        messenger: Messenger,
        photos: PhotoFiles,
        quiet: Reactions,
        price_labels: Callable[[], PriceLabels] = no_price_labels,
        pause: Callable[[str], Pause | None] = no_known_pause,
        left: Callable[[Task], Awaitable[str]] = nothing_said,
        sharing: LeaseStore = SINGLE_PROCESS,
    ) -> None:
        """`left`: what the day still allows whoever looks at a draft, where that is worth a line."""
        self._bot = bot
        self._models = models
        self._clock = clock
        self._estimator = estimator
        self._messenger = messenger
        self._photos = photos
        self._uploads = Uploads(by_path=bot.local_mode)
        self._photo_cards = PhotoCards(bot, photos)
        self._price_labels = price_labels
        self._pause = pause
        self._left = left
        self.quiet = quiet
        self._asides: dict[str, tuple[str, datetime | None]] = {}
        self._log = get_log(__name__)
        self.live = LiveCardUpdater(self._draw, self._pace_s, clock, sharing=sharing)
        self.presence = ChatActionSender(sending_video(bot), self.live, estimator.usual_s, clock)

    async def photo(self, file_id: str, rules: PhotoRules, crop: str | None, user_id: int) -> FitPhoto:
        return await self._photos.fit(file_id, rules, crop, user_id)

    def show(self, task: Task) -> None:
        self.live.show(task)

    def note(self, task: Task, aside: str, until: datetime | None = None) -> None:
        """A line for its card as long as that counts, or until then. Not kept: after a restart the card goes
        without."""
        while len(self._asides) >= _ASIDES:
            del self._asides[next(iter(self._asides))]
        self._asides[task.id] = (aside, until)

    async def post(
        self, task: Task, reply_to: int | None, card: Card | None = None, *, frame: bytes | None = None
    ) -> Task:
        """The task with its card, a silent message. Called before the task is stored.

        A draft whose photo is to be cropped shows it; MediaError when that photo cannot be read. What goes on
        from a video shows the picture that it begins with: `frame`, where no message does so far.
        """
        card = card or await self._card(task)
        if frame is not None:
            return await self._photo_cards.post_frame(task, reply_to, card, frame)
        if posted := await self._photo_cards.post(task, reply_to, card):
            return posted
        with translated():
            message = await self._bot.send_message(
                task.chat_id,
                card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                link_preview_options=NO_PREVIEW,
                disable_notification=True,
                reply_parameters=replying(reply_to),
            )
        return replace(task, card_id=message.message_id, card_has_photo=False)

    async def deliver(self, task: Task, video: Video) -> str:
        await self.live.stop_and_wait(task.id)
        if task.card_id is None:
            raise CardGone("never posted")
        await self._say_it_is_sent(task, video)
        card = draw_caption(task, self._models, self._price_labels(), is_shrunk=video.facts.is_shrunk)

        def edit(film: Sent, picture: Sent) -> Awaitable[Message | bool]:
            return self._bot.edit_message_media(
                InputMediaVideo(film, **shown_with(video, picture, card)),
                chat_id=task.chat_id,
                message_id=task.card_id,
                reply_markup=card.buttons,
                read_timeout=DIGEST_S,
                rate_limit_args=Urgency.FIRST,
            )

        try:
            with self.presence.delivering(task):
                message = await self._uploads.send(video, edit, attach=True)
        except CallRefused:
            # The video comes as a new message; this one would say for ever that it is being made.
            await self.remove(task.chat_id, task.card_id)
            raise
        await self.quiet.done(task)
        await self._messenger.notify(task, "card_ready")
        return file_id_of(message)

    async def _say_it_is_sent(self, task: Task, video: Video) -> None:
        """On the card, before a large video goes up. A lost edit is no harm."""
        if video.facts.bytes < _LARGE_BYTES:
            return
        try:
            async with asyncio.timeout(_SAY_LIMIT_S):
                await self._edit(task, await self._card(task), Urgency.NEXT)
        except (ChatError, TimeoutError) as error:
            self._log.debug("a card does not say that its video is sent", reason=str(error))

    async def send(self, task: Task, video: Video) -> str:
        card = draw_caption(task, self._models, self._price_labels(), is_shrunk=video.facts.is_shrunk)
        is_quiet = await self.quiet.is_quiet(task.chat_id)

        def send(film: Sent, picture: Sent) -> Awaitable[Message]:
            return self._bot.send_video(
                task.chat_id,
                film,
                **shown_with(video, picture, card),
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                reply_parameters=replying(task.message_id),
                disable_notification=is_quiet,
                read_timeout=DIGEST_S,
                rate_limit_args=Urgency.FIRST,
            )

        with self.presence.delivering(task):
            message = await self._uploads.send(video, send)
        await self.quiet.done(task)
        return file_id_of(message)

    async def redirect(self, task: Task) -> int:
        await self.live.stop_and_wait(task.id)
        if task.chat_id > 0 and task.thread_id is not None:
            return task.chat_id  # a topic of a private chat is gone: it goes beside the others
        try:
            await self._say_in_private(task)
        except (ChatGone, CardGone, CallRefused):
            await self._say_it_waits(task)
            raise
        if task.card_id is not None:
            await self.remove(task.chat_id, task.card_id)
        return task.user_id

    async def _say_in_private(self, task: Task) -> None:
        if task.chat_id > 0 or task.user_id < 0:
            raise ChatGone("there is no private chat to go to")
        text = say(task.language, _why_in_private(task), group=await self._title(task.chat_id))
        await self._messenger.write(task.user_id, text)

    async def _title(self, chat_id: int) -> str:
        try:
            with translated():
                return (await self._bot.get_chat(chat_id)).title or ""
        except (ChatGone, CallRefused):
            return ""

    async def _say_it_waits(self, task: Task) -> None:
        """Nobody can be sent the video: the card says where it is, or goes if it cannot be changed."""
        if task.state is not TaskState.SUCCEEDED:
            return
        card = Card(say(task.language, "video_waits"), None)
        try:
            await (self._say(task, card) if task.card_id is None else self._edit(task, card, Urgency.FIRST))
        except (ChatGone, CardGone, CallRefused) as error:
            self._log.info("that a video waits cannot be said", task=task.id, reason=str(error))
            if task.card_id is not None:
                await self.remove(task.chat_id, task.card_id)

    async def redraw(self, task: Task, opened: str | None = None) -> None:
        """A draft that was changed, or an option of it opened. The next tap makes up for a lost edit."""
        try:
            await self._edit(task, await self._draft(task, opened), Urgency.FIRST)
        except ChatError as error:
            self._log.info("a draft could not be drawn", task=task.id, reason=str(error))

    async def remove(self, chat_id: int, card_id: int) -> None:
        """A card that another one has replaced. It may stay where Telegram does not let it go."""
        try:
            with translated():
                await self._bot.delete_message(chat_id, card_id)
        except ChatError as error:
            self._log.debug("a card could not be removed", reason=str(error))

    async def offer(self, task: Task) -> None:
        await self._say(task, draw_offer(task))

    async def tell(self, task: Task) -> None:
        await self.live.stop_and_wait(task.id)
        await self.quiet.dropped(task)
        dropped = task.state is TaskState.CANCELLED
        try:
            await self._edit(task, await self._card(task), Urgency.FIRST)
        except (CardGone, CallRefused):
            # Refused proves that nothing is to be read there: one more way is tried.
            if not dropped:
                await self._say(task, await self._card(task))
            return
        if not dropped:
            await self._messenger.notify(task, "card_failed")

    def _pace_s(self, task: Task) -> float:
        """Edits are few: groups are read by many, and a short wait may count faster than a long one."""
        is_paused = task.state is TaskState.QUEUED and self._pause(task.request.model) is not None
        if task.late_at is not None or is_paused:
            return _LATE_PACE_S
        if task.chat_id < 0:
            return _GROUP_PACE_S
        model = self._models.get(task.request.model)
        return _SHORT_PACE_S if model is not None and model.typical_s < _SHORT_S else _PRIVATE_PACE_S

    async def _draw(self, task: Task) -> None:
        await self._edit(task, await self._card(task), Urgency.LOW)

    async def _edit(self, task: Task, card: Card, urgency: Urgency) -> None:
        if task.card_id is None:
            raise CardGone("never posted")
        if task.card_has_photo:
            with translated():
                await self._bot.edit_message_caption(
                    task.chat_id,
                    task.card_id,
                    caption=card.text,
                    parse_mode=ParseMode.HTML,
                    reply_markup=card.buttons,
                    rate_limit_args=urgency,
                )
            return
        with translated():
            await self._bot.edit_message_text(
                card.text,
                chat_id=task.chat_id,
                message_id=task.card_id,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                link_preview_options=NO_PREVIEW,
                rate_limit_args=urgency,
            )

    async def _card(self, task: Task) -> Card:
        now = self._clock()
        aside, until = self._asides.get(task.id, ("", None))
        if until is not None and now >= until:
            aside = ""
        quiet = await self.quiet.is_quiet(task.chat_id)
        aside = aside or await self._left(task)
        estimate = await self._estimator.of(task)
        return draw_card(
            task, self._models, now, estimate, aside, quiet=quiet, price_labels=self._price_labels()
        )

    async def _draft(self, task: Task, opened: str | None) -> Card:
        usual_s = self._estimator.usual_s(task)
        left, price_labels = await self._left(task), self._price_labels()
        return draw_draft(
            task, self._models, self._clock(), opened, usual_s, price_labels=price_labels, left=left
        )

    async def _say(self, task: Task, card: Card) -> None:
        with translated():
            await self._bot.send_message(
                task.chat_id,
                card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                reply_parameters=replying(task.message_id),
                link_preview_options=NO_PREVIEW,
                rate_limit_args=Urgency.FIRST,
            )


def _why_in_private(task: Task) -> str:
    """A card that is still there did not take the video; in a topic without one it may be the topic."""
    is_video = task.state is TaskState.SUCCEEDED
    if task.thread_id is not None and not (is_video and task.card_id is not None):
        return "outcome_comes_here"
    return "video_comes_here" if is_video else "answer_comes_here"
