"""What words and a photo make of a wish, on top of an earlier one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import A_MODEL, FULL_MODEL

from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.parsing.message_intent import SentPhoto
from bot.chat.parsing.prompt_options import read_prompt
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.request import Crop, VideoRequest, settle

MODELS = {
    "jimeng-pro": A_MODEL,
    "full": replace(FULL_MODEL, name="full"),
    "long": replace(A_MODEL, name="long", seconds=(12,), resolutions=("720p",)),
}
SENT = SentPhoto("new", 640, 480, 1000)
BASE = VideoRequest(
    model="full", prompt="a boat", photos=("old",), crop=Crop("1:1"), ratio="9:16", seconds=10, audio=True
)


@pytest.fixture
def reading() -> RequestBuilder:
    nobody: Any = None
    return RequestBuilder(MODELS, lambda: "jimeng-pro", PhotoFiles(nobody, nobody, MODELS))


def test_a_wish_of_its_own_has_the_default_model_and_nothing_else(reading: RequestBuilder) -> None:
    request, problems = reading.read(read_prompt("a kite 10s"), None)
    assert request == VideoRequest(model="jimeng-pro", prompt="a kite", seconds=10)
    assert problems == []


@pytest.mark.parametrize(
    ("words", "photo", "changes"),
    [
        ("a kite", None, {"prompt": "a kite"}),
        ("a kite 5s --audio off", None, {"prompt": "a kite", "seconds": 5, "audio": False}),
        ("16:9", None, {"ratio": "16:9"}),
        ("", SENT, {"photos": ("new",), "crop": None}),
        ("a kite", SENT, {"prompt": "a kite", "photos": ("new",), "crop": None}),
    ],
)
def test_what_is_left_open_stays_as_it_was_and_a_crop_belongs_to_its_photo(
    reading: RequestBuilder, words: str, photo: SentPhoto | None, changes: dict[str, object]
) -> None:
    request, problems = reading.read(read_prompt(words), photo, BASE)
    assert request == BASE.model_copy(update=changes)
    assert problems == []


def test_what_another_model_does_not_have_becomes_its_nearest(reading: RequestBuilder) -> None:
    bought = settle(VideoRequest(model="long", prompt="a boat", photos=("old",)), MODELS["long"])
    request, problems = reading.read(read_prompt("--model jimeng-pro"), None, bought)
    assert (request.model, request.seconds, request.resolution) == ("jimeng-pro", 10, "1080p")
    assert problems == []
    _, problems = reading.read(read_prompt("--model jimeng-pro 12s"), None, bought)
    assert [problem.code for problem in problems] == ["no_seconds"]


def test_a_photo_that_no_model_can_use_has_no_others(reading: RequestBuilder) -> None:
    tiny = SentPhoto("tiny", 20, 20, 100)
    request, problems = reading.read(read_prompt("a kite"), tiny)
    assert [problem.code for problem in problems] == ["photo_too_small"]
    assert reading.others(request, tiny) == []
    assert reading.others(request, SENT) == ["full", "long"]
