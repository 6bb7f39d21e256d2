"""Photo files: photos that people sent, read in a worker process, and shown as a model would crop them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from telegram import Message

from bot.bounded_dict import BoundedDict
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.telegram_io.sent_files import FileKind, SentFiles
from bot.errors import MediaError
from bot.media.media_info import MAX_BYTES, FitPhoto, fit_size
from bot.media.photo.crop import crop_box, lost_share
from bot.media.process import run_in_process
from bot.media.work import draw_crops, draw_numbered, normalise_photo, photo_size
from bot.request import Crop, Mode, PhotoRules, VideoModel, VideoRequest, check_photo, closest_ratio
from bot.store import PeopleStore

_LIMIT_S = 30.0
_ASK_ABOVE = 0.2
"""The share of a photo that may be cut away without asking."""
_LEAST_CUT = 0.01
"""Of a side, at each of its ends: moving less would not be seen."""
_CENTRE = 0.5
_SAME_SHAPE = 0.03
"""By how much two photos may differ in their ratio of width to height."""
_PHOTO = FileKind(MAX_BYTES, "photo_too_large", "photo_gone")
_SIZES = 1000
_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16")
"""The ratios to which a photo that is too long is cropped, if its model takes any shape."""
"""How many are remembered at most."""


def with_first_frame(request: VideoRequest, message: Message) -> VideoRequest:
    """Return the request with the photo of a message of ours as its first frame."""
    return request.model_copy(update={"photos": (message.photo[-1].file_id,)})


class PhotoFiles:
    """Every call may raise MediaError, CallUnclear if Telegram does not answer, and ChatBusy, also if a
    person has too much in progress."""

    def __init__(self, files: SentFiles, people: PeopleStore, models: Mapping[str, VideoModel]) -> None:
        self._files = files
        self._people = people
        self._models = models
        self._sizes: BoundedDict[str, tuple[int, int]] = BoundedDict(_SIZES)

    async def fit(self, file_id: str, rules: PhotoRules, crop: Crop | None, user_id: int) -> FitPhoto:
        async with self._files.step(user_id, [file_id], _PHOTO) as (photo,):
            return await run_in_process(normalise_photo, photo, rules, crop, limit_s=_LIMIT_S, foreign=True)

    async def draw_crop(
        self, file_ids: Sequence[str], crop: Crop, user_id: int, *, patient: bool = False
    ) -> bytes:
        """Draw the whole photo as a JPEG, bright where it is kept; two photos side by side.

        `patient`: something was said already, which a second try would say again.
        """
        async with self._files.step(user_id, file_ids, _PHOTO, patient=patient) as photos:
            return await run_in_process(draw_crops, photos, crop, limit_s=_LIMIT_S, foreign=True)

    async def draw_numbered(self, file_ids: Sequence[str], user_id: int) -> bytes:
        """Draw several photos as one JPEG, each with its number."""
        async with self._files.step(user_id, file_ids, _PHOTO) as photos:
            return await run_in_process(draw_numbered, photos, limit_s=_LIMIT_S, foreign=True)

    def note(self, photo: SentPhoto) -> None:
        """Remember the sides of a photo that Telegram tells, so that it need not be fetched to be
        measured."""
        if photo.width and photo.height:
            self._sizes[photo.file_id] = (photo.width, photo.height)

    async def framed(self, request: VideoRequest, user_id: int) -> VideoRequest:
        """Return the request with the crop that its person should see first: if the photo is too long to be
        taken whole, or if much of it would be lost and they want to be asked."""
        model = self._models.get(request.model)
        if model is None or not request.photos or request.crop is not None:
            return request
        longest = model.photo_rules.max_long_to_short
        asks = (
            model.crops_photo
            and request.mode is not Mode.REFERENCES
            and (await self._people.person(user_id)).crop_preview
        )
        is_pair = len(request.photos) == 2 and request.mode is Mode.FIRST_LAST and model.crops_photo
        if not asks and not is_pair and longest == float("inf"):
            return request
        sizes = [await self._size(file_id, user_id) for file_id in request.photos]
        for width, height in sizes:
            for problem in check_photo(model, width, height, MAX_BYTES, None):
                raise MediaError(problem.code, "as it was sent", **problem.values)
        chosen = request.ratio if model.ratio_with_photo else None
        ratio = chosen or closest_ratio(*sizes[0], model.ratios or _RATIOS)
        too_long = any(max(size) > longest * min(size) for size in sizes)
        uneven = is_pair and _differ(sizes[0], sizes[1], model.ratios)
        lost = max(lost_share(*size, ratio) for size in sizes)
        if too_long or uneven or (asks and lost > _ASK_ABOVE):
            return request.model_copy(update={"crop": _crop(sizes, ratio, model.photo_rules)})
        return request

    async def _size(self, file_id: str, user_id: int) -> tuple[int, int]:
        if file_id not in self._sizes:
            async with self._files.step(user_id, [file_id], _PHOTO) as (photo,):
                return await run_in_process(photo_size, photo, limit_s=_LIMIT_S, foreign=True)
        return self._sizes[file_id]


def _crop(sizes: Sequence[tuple[int, int]], ratio: str, rules: PhotoRules) -> Crop:
    """Return a crop around the centre, which can be moved along the sides that are cut. Raises MediaError if
    what is left is too small: better said now than after a yes."""
    cut_x = cut_y = 0.0
    for width, height in sizes:
        left, top, right, bottom = crop_box(width, height, Crop(ratio))
        fit_size(right - left, bottom - top, rules)
        cut_x, cut_y = max(cut_x, left / width), max(cut_y, top / height)
    return Crop(ratio, *(_CENTRE if cut > _LEAST_CUT else None for cut in (cut_x, cut_y)))


def _differ(first: tuple[int, int], last: tuple[int, int], ratios: Sequence[str]) -> bool:
    """Return True if a model that crops each photo by itself would make two shapes of them."""
    shapes = [width / height for width, height in (first, last)]
    uneven = max(shapes) > (1 + _SAME_SHAPE) * min(shapes)
    return uneven or closest_ratio(*first, ratios) != closest_ratio(*last, ratios)
