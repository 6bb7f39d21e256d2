"""What the worker's steps share: `WorkerDeps`, and the `Chat` that they show their results in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from bot.media.media_info import FitPhoto
from bot.media.video_cache import Video, VideoCache
from bot.provider import PhotoLink, Provider
from bot.request import Crop, PhotoRules, VideoModel, VideoRequest
from bot.store import PeopleStore, ProviderStore
from bot.task import Task
from bot.worker.journal import TaskJournal
from bot.worker.provider_health import ProviderHealth
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.schedule import Schedule

UPLOAD_MAX_BYTES = 50_000_000
"""What Telegram takes from a bot: https://core.telegram.org/bots/api#sending-files."""
_SAVE_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)


class Chat(Protocol):
    """The chat of a task. Coroutines may raise ChatBusy, ChatGone, ChatMoved, CallRefused and CallUnclear."""

    def show(self, task: Task) -> None:
        """Update the card soon; only the newest state is shown. Never fails, never delays an outcome."""

    async def photo(self, file_id: str, rules: PhotoRules, crop: Crop | None, user_id: int) -> FitPhoto:
        """Return a person's photo as `rules` require it, cropped as `crop` says.

        Raises MediaError if it is gone or unfit.
        """

    async def deliver(self, task: Task, video: Video) -> str:
        """Turn the card into the video; return its file id. Repeating it changes nothing. Raises CardGone."""

    async def send(self, task: Task, video: Video) -> str:
        """Send the video as a new message; return its file id. Repeating it shows the video twice."""

    async def offer(self, task: Task) -> None:
        """Say that a new message may or may not have arrived, with a button that sends it again."""

    async def tell(self, task: Task) -> None:
        """Say on the card why there is no video. Repeating it is harmless."""

    async def redirect(self, task: Task) -> int:
        """Tell the person in another chat that the outcome comes there; return the id of that chat.

        For a task whose own chat takes no message any more. Raises ChatGone if there is no other chat.
        Repeating it is harmless.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDeps:
    chat: Chat
    providers: Mapping[str, Provider]
    models: MutableMapping[str, VideoModel]
    """All parts of the bot read the same; the worker marks those that turn out to be gone."""
    journal: TaskJournal
    schedule: Schedule
    durations: ProviderStore
    people: PeopleStore
    health: ProviderHealth
    purchase_guard: PurchaseGuard
    video_cache: VideoCache
    link: Callable[[Task, int, FitPhoto], PhotoLink]
    """Makes the public link to a task's photo, by its index."""
    quote: Callable[[VideoRequest], Decimal | None]
    """The price of a request at this moment; None if no price is set."""
    failover: bool = False
    """Whether another model may take a task over while its own provider is out of order."""
    store_video: Callable[[Video], Coroutine[Any, Any, Video]] | None = None
    """Puts a video into the storage chat; returns it with its file id, or as it is. None: there is none."""
    upload_max_bytes: int = UPLOAD_MAX_BYTES
    """Larger videos are shrunk before they are sent."""
    save_pauses_s: Sequence[float] = _SAVE_PAUSES_S
    """Between the tries to save the id of a job that was paid for; in all far less than a lease."""
