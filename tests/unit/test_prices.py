"""Prices: one line of text, and what each request costs by it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fakes import A_MODEL, FREE_MODEL, FULL_MODEL
from hypothesis import given
from hypothesis import strategies as st

from bot.prices import NO_PRICES, Prices, read_amount, read_prices
from bot.request import Mode, VideoModel, VideoRequest

VEO = replace(FULL_MODEL, name="veo-3", seconds=(8, 4), resolutions=("720p", "1080p"))
LINE = "jimeng-pro=3.50, veo-3=0.20/s, veo-3:sound=0.40/s, veo-3:1080P=0.30/s, veo-3:1080p:sound = 0.60/s"


def quote(prices: Prices | str, model: VideoModel = VEO, **wishes: Any) -> Decimal | None:
    read = read_prices(prices) if isinstance(prices, str) else prices
    return read.quote(VideoRequest(model=model.name, prompt="boat", **wishes), model)


@pytest.mark.parametrize(
    ("wishes", "price"),
    [
        ({}, "1.60"),
        ({"seconds": 4}, "0.80"),
        ({"audio": True}, "3.20"),
        ({"resolution": "1080p"}, "2.40"),
        ({"resolution": "1080p", "audio": True, "seconds": 4}, "2.40"),
    ],
)
def test_the_entry_that_names_most_of_the_choice_counts(wishes: dict[str, Any], price: str) -> None:
    assert quote(LINE, **wishes) == Decimal(price)


def test_a_price_is_for_a_video_or_for_each_second_of_it() -> None:
    assert quote("jimeng-pro=3.50", A_MODEL, seconds=10) == Decimal("3.50")
    assert quote("jimeng-pro=0.28/s", A_MODEL, seconds=10) == Decimal("2.80")


def test_of_two_that_name_as_much_the_dearer_one_counts() -> None:
    assert quote("veo-3:1080p=5,veo-3:sound=6", resolution="1080p", audio=True) == 6
    assert quote("veo-3:1080p=5,veo-3:sound=0.50/s", resolution="1080p", audio=True, seconds=4) == 5


def test_prices_are_written_as_they_can_be_typed() -> None:
    written = "jimeng-pro=3.50,veo-3:1080p:sound=0.60/s,veo-3:silent=1"
    assert str(read_prices(written)) == written
    assert read_prices(str(read_prices(LINE))) == read_prices(LINE)


def test_silent_is_said_as_well_as_sound() -> None:
    prices = "veo-3:silent=1,veo-3:sound=2"
    assert [quote(prices, audio=audio) for audio in (None, False, True)] == [1, 1, 2]


def test_what_is_not_priced_is_not_known_and_what_is_free_costs_nothing() -> None:
    assert quote(NO_PRICES) is None
    assert quote("other=1") is None
    assert quote("veo-3:1080p=1", resolution="720p") is None
    assert quote(LINE, FREE_MODEL) == 0
    assert quote(NO_PRICES, FREE_MODEL) is None


@pytest.mark.parametrize(
    "wrong",
    [
        *("jimeng-pro", "jimeng-pro=", "=3.50", "jimeng-pro=3,50", "jimeng-pro=-1", "jimeng-pro=free"),
        *("jimeng-pro=1e9", "jimeng-pro=0.1234567", "jimeng-pro=99999999", "veo-3=0.4/min"),
        *("veo-3:=1", "veo-3:720p:1080p=1", "veo-3:sound:silent=1", "veo-3=1=2", "veo-3=1;jimeng-pro=2"),
    ],
)
def test_a_mistake_is_answered_with_what_would_do(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"a comma list such as jimeng-pro=3\.50,.*; this is not: "):
        read_prices(wrong)


def test_one_choice_has_one_price() -> None:
    with pytest.raises(ValueError, match=r"two for veo-3:1080p:sound$"):
        read_prices("veo-3:1080p:sound=1,veo-3:sound:1080P=2")


@pytest.mark.parametrize("wrong", ["", "many", "1,5", "-1", "1e3", "nan", "0.1234567"])
def test_a_sum_that_is_none_is_answered_with_one(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"an amount such as 20 or 7\.50"):
        read_amount(wrong)


@given(st.text(alphabet="veo-3:=,/s0.5 sound", max_size=40))
def test_a_line_is_read_as_prices_that_are_none_below_zero_or_refused(line: str) -> None:
    try:
        prices = read_prices(line)
    except ValueError:
        return
    assert all(price.model and price.amount >= 0 for price in prices.entries)


def test_a_price_may_name_a_length_references_and_the_time_of_day() -> None:
    model = replace(
        A_MODEL, modes=frozenset({Mode.TEXT, Mode.REFERENCES}), references=3, off_peak=True, count=4
    )
    text = "jimeng-pro=1,jimeng-pro:10s=1.5,jimeng-pro:references=3,jimeng-pro:off-peak=0.5"
    prices = read_prices(text)
    assert str(prices) == text
    asked = VideoRequest(model="jimeng-pro", prompt="a fox")
    refs = asked.model_copy(update={"photos": ("a",), "photos_as": "references"})
    assert prices.quote(asked, model) == 1
    assert prices.quote(asked.model_copy(update={"seconds": 10}), model) == Decimal("1.5")
    assert prices.quote(refs, model) == 3
    assert prices.quote(asked.model_copy(update={"off_peak": True}), model) == Decimal("0.5")
    assert prices.quote(asked.model_copy(update={"count": 4}), model) == 4
