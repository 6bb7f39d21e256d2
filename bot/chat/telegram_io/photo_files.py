"""Photos: fetched from Telegram, read apart, and shown as a model would crop them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from telegram import Bot, Message

from bot.bounded_dict import BoundedDict
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused, MediaError
from bot.media.crop import crop_box, lost_share
from bot.media.media_info import MAX_BYTES, FitPhoto, fit_size
from bot.media.process import run_in_process
from bot.media.work import draw_crops, normalise_photo, photo_size
from bot.request import PhotoRules, VideoModel, VideoRequest, check_photo, closest_ratio
from bot.store import PeopleStore

_LIMIT_S = 30.0
_ASK_ABOVE = 0.2
"""Of the photo cut away."""
_SAME_SHAPE = 0.03
"""By how much two photos may differ in their ratio of width to height."""
_SIZES = 1000
"""Remembered at most."""


def with_first_frame(request: VideoRequest, message: Message) -> VideoRequest:
    """The request, with the photo of a message of ours as what it starts from."""
    return request.model_copy(update={"photos": (message.photo[-1].file_id,)})


class PhotoFiles:
    """Every call may raise MediaError, and ChatBusy or CallUnclear when Telegram does not answer."""

    def __init__(self, bot: Bot, people: PeopleStore, models: Mapping[str, VideoModel]) -> None:
        self._bot = bot
        self._people = people
        self._models = models
        self._sizes: BoundedDict[str, tuple[int, int]] = BoundedDict(_SIZES)

    async def fit(self, file_id: str, rules: PhotoRules, crop: str | None) -> FitPhoto:
        return await run_in_process(
            normalise_photo, await self._fetch(file_id), rules, crop, limit_s=_LIMIT_S
        )

    async def draw_crop(self, file_ids: Sequence[str], ratio: str) -> bytes:
        """A JPEG for the chat: the whole photo, bright where it is kept; two of them side by side."""
        photos = [await self._fetch(file_id) for file_id in file_ids]
        return await run_in_process(draw_crops, photos, ratio, limit_s=_LIMIT_S)

    def note(self, photo: SentPhoto) -> None:
        """Telegram tells the sides of some photos: those need not be fetched to be measured."""
        if photo.width and photo.height:
            self._sizes[photo.file_id] = (photo.width, photo.height)

    async def framed(self, request: VideoRequest, user_id: int) -> VideoRequest:
        """The request, with the crop that its person should see first: where the photo is too long to be
        taken whole, or where much of it would be lost and they want to be asked."""
        model = self._models.get(request.model)
        if model is None or not request.photos or request.crop is not None:
            return request
        longest = model.photo_rules.max_long_to_short
        asks = model.crops_photo and (await self._people.person(user_id)).crop_preview
        is_pair = len(request.photos) == 2 and model.crops_photo
        if not asks and not is_pair and longest == float("inf"):
            return request
        sizes = [await self._size(file_id) for file_id in request.photos]
        for width, height in sizes:
            for problem in check_photo(model, width, height, MAX_BYTES, None):
                raise MediaError(problem.code, "as it was sent", **problem.values)
        chosen = request.ratio if model.ratio_with_photo else None
        ratio = chosen or closest_ratio(*sizes[0], model.ratios)
        too_long = any(max(size) > longest * min(size) for size in sizes)
        uneven = is_pair and _differ(sizes[0], sizes[1], model.ratios)
        lost = max(lost_share(*size, ratio) for size in sizes)
        if too_long or uneven or (asks and lost > _ASK_ABOVE):
            for size in sizes:
                # What is left may be too small: better said now than after a yes.
                left, top, right, bottom = crop_box(*size, ratio)
                fit_size(right - left, bottom - top, model.photo_rules)
            return request.model_copy(update={"crop": ratio})
        return request

    async def _size(self, file_id: str) -> tuple[int, int]:
        if file_id not in self._sizes:
            return await run_in_process(photo_size, await self._fetch(file_id), limit_s=_LIMIT_S)
        return self._sizes[file_id]

    async def _fetch(self, file_id: str) -> bytes:
        try:
            with translated():
                file = await self._bot.get_file(file_id)
                return bytes(await file.download_as_bytearray())
        except CallRefused as error:
            too_big = "too big" in str(error)
            raise MediaError("photo_too_large" if too_big else "photo_gone", str(error)) from error


def _differ(first: tuple[int, int], last: tuple[int, int], ratios: Sequence[str]) -> bool:
    """Whether a model that crops each photo by itself would make two shapes of them."""
    shapes = [width / height for width, height in (first, last)]
    uneven = max(shapes) > (1 + _SAME_SHAPE) * min(shapes)
    return uneven or closest_ratio(*first, ratios) != closest_ratio(*last, ratios)
