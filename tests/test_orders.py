"""What words and a photo make of a wish, on top of an earlier one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes import A_MODEL, FULL_MODEL, Clock

from bot.chat.intent import SentPhoto
from bot.chat.orders import Orders
from bot.chat.photos import Photos
from bot.chat.words import read_words
from bot.request import VideoRequest, settle

MODELS = {
    "jimeng-pro": A_MODEL,
    "full": replace(FULL_MODEL, name="full"),
    "long": replace(A_MODEL, name="long", seconds=(12,), resolutions=("720p",)),
}
SENT = SentPhoto("new", 640, 480, 1000)
BASE = VideoRequest(
    model="full", prompt="a boat", photos=("old",), crop="1:1", ratio="9:16", seconds=10, audio=True
)


@pytest.fixture
def orders() -> Orders:
    nobody: Any = None
    return Orders(
        tasks=nobody,
        screen=nobody,
        voice=nobody,
        access=nobody,
        budgets=nobody,
        allowance=nobody,
        companies=nobody,
        photos=Photos(nobody, nobody, MODELS),
        models=MODELS,
        default_model=lambda: "jimeng-pro",
        old_after=timedelta(minutes=10),
        clock=Clock(),
        wake=nobody,
    )


def test_a_wish_of_its_own_has_the_default_model_and_nothing_else(orders: Orders) -> None:
    request, problems = orders.read(read_words("a kite 10s"), None)
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
    orders: Orders, words: str, photo: SentPhoto | None, changes: dict[str, object]
) -> None:
    request, problems = orders.read(read_words(words), photo, BASE)
    assert request == BASE.model_copy(update=changes)
    assert problems == []


def test_what_another_model_does_not_have_becomes_its_nearest(orders: Orders) -> None:
    bought = settle(VideoRequest(model="long", prompt="a boat", photos=("old",)), MODELS["long"])
    request, problems = orders.read(read_words("--model jimeng-pro"), None, bought)
    assert (request.model, request.seconds, request.resolution) == ("jimeng-pro", 10, "1080p")
    assert problems == []
    _, problems = orders.read(read_words("--model jimeng-pro 12s"), None, bought)
    assert [problem.code for problem in problems] == ["no_seconds"]


def test_a_photo_that_no_model_can_use_has_no_others(orders: Orders) -> None:
    tiny = SentPhoto("tiny", 20, 20, 100)
    request, problems = orders.read(read_words("a kite"), tiny)
    assert [problem.code for problem in problems] == ["photo_too_small"]
    assert orders.others(request, tiny) == []
    assert orders.others(request, SENT) == ["full", "long"]
