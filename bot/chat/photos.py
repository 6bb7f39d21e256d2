"""Photos: fetched from Telegram, read apart, and shown as a model would crop them."""

from __future__ import annotations

from collections.abc import Mapping

from telegram import Bot

from bot.chat.client import translated
from bot.chat.intent import SentPhoto
from bot.errors import CallRefused, MediaError
from bot.media.crop import lost_share
from bot.media.crop_preview import draw_crop
from bot.media.photos import MAX_BYTES, FitPhoto, normalise_photo, photo_size
from bot.media.process import run_apart
from bot.request import PhotoRules, VideoModel, VideoRequest, check_photo, closest_ratio
from bot.store import PeopleStore

_LIMIT_S = 30.0
_ASK_ABOVE = 0.2
"""Of the photo cut away."""
_SIZES = 1000
"""Remembered at most."""


class Photos:
    """Every call may raise MediaError, and ChatBusy or CallUnclear when Telegram does not answer."""

    def __init__(self, bot: Bot, people: PeopleStore, models: Mapping[str, VideoModel]) -> None:
        self._bot = bot
        self._people = people
        self._models = models
        self._sizes: dict[str, tuple[int, int]] = {}

    async def fit(self, file_id: str, rules: PhotoRules, crop: str | None) -> FitPhoto:
        return await run_apart(normalise_photo, await self._fetch(file_id), rules, crop, limit_s=_LIMIT_S)

    async def draw_crop(self, file_id: str, ratio: str) -> bytes:
        """A JPEG for the chat: the whole photo, bright where it is kept."""
        return await run_apart(draw_crop, await self._fetch(file_id), ratio, limit_s=_LIMIT_S)

    def note(self, photo: SentPhoto) -> None:
        """Telegram tells the sides of some photos: those need not be fetched to be measured."""
        if photo.width and photo.height:
            while len(self._sizes) >= _SIZES:
                del self._sizes[next(iter(self._sizes))]
            self._sizes[photo.file_id] = (photo.width, photo.height)

    async def framed(self, request: VideoRequest, user_id: int) -> VideoRequest:
        """The request, with the crop that its person should see first: where the photo is too long to be
        taken whole, or where much of it would be lost and they want to be asked."""
        model = self._models.get(request.model)
        if model is None or not request.photos or request.crop is not None:
            return request
        longest = model.photo_rules.max_long_to_short
        asks = model.crops_photo and (await self._people.person(user_id)).crop_preview
        if not asks and longest == float("inf"):
            return request
        width, height = await self._size(request.photos[0])
        for problem in check_photo(model, width, height, MAX_BYTES, None):
            raise MediaError(problem.code, "as it was sent", **problem.values)
        chosen = request.ratio if model.ratio_with_photo else None
        ratio = chosen or closest_ratio(width, height, model.ratios)
        too_long = max(width, height) > longest * min(width, height)
        if too_long or (asks and lost_share(width, height, ratio) > _ASK_ABOVE):
            return request.model_copy(update={"crop": ratio})
        return request

    async def _size(self, file_id: str) -> tuple[int, int]:
        if file_id not in self._sizes:
            return await run_apart(photo_size, await self._fetch(file_id), limit_s=_LIMIT_S)
        return self._sizes[file_id]

    async def _fetch(self, file_id: str) -> bytes:
        try:
            with translated():
                file = await self._bot.get_file(file_id)
                return bytes(await file.download_as_bytearray())
        except CallRefused as error:
            too_big = "too big" in str(error)
            raise MediaError("photo_too_large" if too_big else "photo_gone", str(error)) from error
