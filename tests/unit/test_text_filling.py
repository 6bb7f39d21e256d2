"""Filling in: values become part of a phrase, in the way of its language."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.text import say, say_list
from bot.text.checks import Phrase
from bot.text.filling import fill

VIDEOS: Phrase = {"one": "{count} video", "other": "{count} videos"}
# Russian, with the name of each form in place of the word.
FORMS: Phrase = {form: f"{{count}} {form}" for form in ("one", "few", "many", "other")}


@pytest.mark.parametrize(
    ("count", "said"),
    [
        *((0, "0 videos"), (1, "1 video"), (2, "2 videos"), (1_000_000, "1000000 videos")),
        *((1.5, "1.5 videos"), (Decimal("1.0"), "1.0 videos"), ("1", "1 video")),
    ],
)
def test_a_phrase_takes_the_form_of_its_count(count: object, said: str) -> None:
    assert fill("en", VIDEOS, {"count": count}) == said


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 one"), (22, "22 few"), (11, "11 many"), (0, "0 many"), (1.5, "1,5 other")]
)
def test_each_language_counts_in_its_own_way(count: object, said: str) -> None:
    assert fill("ru", FORMS, {"count": count}) == said


def test_a_form_that_is_not_written_is_the_one_for_most_numbers() -> None:
    assert fill("es", VIDEOS, {"count": 2_000_000}) == "2000000 videos"
    assert fill("zh", {"other": "{count} 个视频"}, {"count": 1}) == "1 个视频"


def test_a_value_that_is_missing_is_a_defect() -> None:
    for phrase in (VIDEOS, "{count} s"):
        with pytest.raises(KeyError):
            fill("en", phrase, {"open": 1})


def test_a_list_is_written_as_the_language_writes_lists() -> None:
    assert say_list("en", [5, 10]) == "5, 10"
    assert say_list("zh-hant", ("a", "b")) == "a、b"
    assert fill("ru", "{choices}", {"choices": ["a", "<b>"]}) == "a, &lt;b&gt;"
    assert fill("zh", "{choices}", {"choices": ("a", "b")}) == "a、b"
    assert fill("zh", "{choices}", {"choices": "a, b"}) == "a, b", "a text stays as it is"


def test_a_number_with_decimals_has_the_mark_of_the_language() -> None:
    assert fill("en", "{price}", {"price": 2.5}) == "2.5"
    assert fill("es", "{price}", {"price": 2.5}) == "2,5"
    assert fill("pt", "{price}", {"price": Decimal("2.50")}) == "2,50"
    assert fill("zh", "{price}", {"price": Decimal("2.50")}) == "2.50"
    assert fill("ru", "{ratio}", {"ratio": "2.5"}) == "2.5", "a text stays as it is"


def test_foreign_text_is_escaped_and_ours_is_not() -> None:
    said = say("en", "model_unknown", model="<b>&", choices="a & b")
    assert "&lt;b&gt;&amp;" in said
    assert "a &amp; b" in said
    assert "<code>" in say("en", "start")
    assert fill("en", "{model}", {"model": "{0} {x}"}) == "{0} {x}"
