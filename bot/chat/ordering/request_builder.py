"""The request builder: from words and a photo to a request, and every reason why it cannot work here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.chat.cards.chat_defaults import add_usual, usual_model
from bot.chat.cards.next_steps import other_models
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.parsing.prompt_options import PromptOptions
from bot.chat.task_cards.board import PHOTO_MAX_BYTES
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.request import (
    Problem,
    VideoModel,
    VideoRequest,
    check_photo,
    check_request,
    fit_request,
    shown,
    style_options,
)
from bot.store import ChatSettings
from bot.styles import Style

_WORDS_MISSING = frozenset({"prompt_missing", "prompt_missing_with_photo"})


class RequestBuilder:
    def __init__(
        self, models: Mapping[str, VideoModel], default_model: Callable[[], str], photos: PhotoFiles
    ) -> None:
        self._models = models
        self._default_model = default_model
        self._photos = photos

    def read(
        self,
        words: PromptOptions,
        photo: SentPhoto | None,
        base: VideoRequest | None = None,
        settings: ChatSettings | None = None,
        further: Sequence[SentPhoto] = (),
    ) -> tuple[VideoRequest, list[Problem]]:
        """Return the request that words and photos make, and every reason why it cannot work. `further` are
        for the last frame, or more references; the first is `photo`, or that of `base`.

        What they leave open is as in `base`, or as near to it as another model comes that they name; and then
        as in `settings`. If the model rules those out, the request comes without them: they are `add_usual`
        of the model that is chosen instead.
        """
        settings = settings or ChatSettings()
        fields: dict[str, Any] = {"model": usual_model(settings, self._models, self._default_model())}
        if base is not None:
            # Much of an earlier request are defaults of its model, which nobody asked for.
            named = self._models.get(str(words.options.get("model", base.model)))
            fitted = base if named is None or named.name == base.model else fit_request(base, named)
            fields |= fitted.model_dump(exclude_none=True)
        named_model = str(words.options.get("model", fields["model"]))
        style, model = words.options.get("style"), self._models.get(named_model)
        if isinstance(style, Style) and model is not None:
            fields |= style_options(style, model)
        fields |= words.options
        if words.prompt:
            fields["prompt"] = words.prompt
        if photo is not None:
            # A crop was chosen for the sides of another photo.
            fields |= {"photos": (photo.file_id,), "crop": None, "extends": None}
        if further:
            kept = fields["photos"] if fields.get("photos_as") == "references" else fields["photos"][:1]
            fields |= {"photos": (*kept, *(one.file_id for one in further)), "crop": None}
        request = VideoRequest(**fields)
        usual = self.add_usual(request, settings)
        problems = [*words.problems, *self.problems(usual)]
        for sent in filter(None, (photo, *further)):
            self._photos.note(sent)
            if request.model in self._models:
                problems += _check_sent(sent, self._models[request.model])
        return (usual if {problem.code for problem in problems} <= _WORDS_MISSING else request), problems

    def add_usual(self, request: VideoRequest, settings: ChatSettings) -> VideoRequest:
        """Return the request with the chat's choices for everything that it leaves open."""
        model = self._models.get(request.model)
        return request if model is None else add_usual(request, settings, model)

    def problems(self, request: VideoRequest) -> list[Problem]:
        """Return every reason why the request cannot work with the models that are set up."""
        model = self._models.get(request.model)
        if model is not None:
            return check_request(request, model)
        if not self._models:
            return [Problem("no_model", {})]
        return [Problem("model_unknown", {"model": request.model, "choices": shown(self._models)})]

    def others(self, request: VideoRequest, photo: SentPhoto | None) -> list[str]:
        """Return models that can make the same request, if the chosen one cannot."""
        names = other_models(request, self._models)
        return [name for name in names if photo is None or not _check_sent(photo, self._models[name])]


def _check_sent(photo: SentPhoto, model: VideoModel) -> list[Problem]:
    return check_photo(model, photo.width, photo.height, PHOTO_MAX_BYTES, photo.size_bytes)
