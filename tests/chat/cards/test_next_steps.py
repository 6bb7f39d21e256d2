"""When there is no video: which input was refused, what it cost, and what a person may do next."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL, FREE_MODEL, a_task
from telegram import InlineKeyboardButton

from bot import text
from bot.chat.cards.failure_card import draw_failed
from bot.chat.cards.layout import Card
from bot.chat.cards.next_steps import NEXT_STEPS, NextStep, next_steps, other_models
from bot.codes import FailureCode
from bot.providers.wire.jimeng import REFUSALS
from bot.request import VideoModel, VideoRequest
from bot.task import TaskState
from bot.text import LANGUAGES, say

SECOND = replace(A_MODEL, name="jimeng-1080p", company="Volcengine")
OTHER = replace(A_MODEL, name="geekai-jimeng", company="GeekAI")
MODELS = {model.name: model for model in (replace(A_MODEL, company="Volcengine"), SECOND, OTHER)}
REQUEST = VideoRequest(model="jimeng-pro", prompt="a paper boat", photos=("p",))
# A task keeps no figures of a photo, so these are told by another phrase.
TOLD_OTHERWISE = {"photo_too_small", "photo_too_long"}
NOT_OF_A_FAILURE = {
    *("photo_file_too_small", "photo_file_too_long", "cancelled", "dismissed", "draft_expired"),
    *("charged", "not_charged"),
    "video_too_large",  # of a video that somebody sends
}


def failed(code: str, models: dict[str, VideoModel] | None = None, **changes: Any) -> Card:
    task = a_task(**{"state": TaskState.FAILED, "error_code": code, "request": REQUEST, **changes})
    return draw_failed(task, MODELS if models is None else models)


def buttons(card: Card) -> list[InlineKeyboardButton]:
    return [button for row in card.buttons.inline_keyboard for button in row] if card.buttons else []


def verbs(card: Card) -> list[str]:
    return [str(button.callback_data).partition(":")[0] for button in buttons(card) if button.callback_data]


def why_there_is_no_video() -> set[str]:
    """The keys of that part of the phrases."""
    whole = (Path(text.__file__).parent / "en.toml").read_text(encoding="utf-8")
    part = whole.partition("\n# Why there is no video\n")[2].partition("\n# ")[0]
    return set(tomllib.loads(part))


def test_every_reason_has_its_remedies_and_every_remedy_its_reason() -> None:
    assert set(NEXT_STEPS) - TOLD_OTHERWISE == why_there_is_no_video() - NOT_OF_A_FAILURE
    assert set(NEXT_STEPS) == set(FailureCode) - {FailureCode.UNREACHABLE}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [*NEXT_STEPS, "of_tomorrow"])
def test_every_failure_is_told_with_a_way_on(code: str, language: str) -> None:
    card = failed(code, language=language, remote_id="job-1")
    assert "{" not in card.text
    assert len(buttons(card)) >= 1 or code == "too_large"
    assert all(len(str(button.callback_data).encode()) <= 64 for button in buttons(card))
    assert all(0 < len(button.text) <= 40 for button in buttons(card))


@pytest.mark.parametrize(
    ("number", "told", "ways"),
    [
        (50411, "The photo didn't pass", ["photo", "plain", "with", "with"]),
        (50412, "The words didn't pass", ["words", "plain", "with", "with"]),
        (50413, "The words contain something sensitive", ["words", "plain", "with", "with"]),
        (50511, "The finished video didn't pass", ["words", "photo", "again", "with", "with"]),
        (50512, "The text in the result didn't pass", ["words", "photo", "with", "with"]),
        (50516, "The finished video didn't pass", ["words", "photo", "again", "with", "with"]),
        (50517, "The sound of the result didn't pass", ["words", "photo", "again", "with", "with"]),
        (50518, "The photo seems to show something protected", ["photo", "plain", "with", "with"]),
        (50519, "The result looked too much like", ["words", "photo", "again", "with", "with"]),
        (50520, "Something broke at the provider", ["again", "with", "with"]),
        (50521, "Something broke at the provider", ["again", "with", "with"]),
        (50522, "Something broke at the provider", ["again", "with", "with"]),
        (
            50215,
            "The provider couldn't use this photo or these words",
            ["words", "photo", "plain", "with", "with"],
        ),
        (
            50513,
            "The provider couldn't use this photo or these words",
            ["words", "photo", "plain", "with", "with"],
        ),
        (
            50514,
            "The provider couldn't use this photo or these words",
            ["words", "photo", "plain", "with", "with"],
        ),
    ],
)
def test_each_refusal_of_jimengs_says_what_was_refused_and_what_to_change(
    number: int, told: str, ways: list[str]
) -> None:
    card = failed(REFUSALS[number])
    assert told in card.text
    assert verbs(card) == ways


def test_no_refusal_of_jimengs_is_without_a_remedy() -> None:
    assert set(REFUSALS.values()) <= set(NEXT_STEPS)


@pytest.mark.parametrize(
    ("code", "remote_id", "told", "label"),
    [
        ("provider_fault", None, "You were not charged.", "button_try_again"),
        ("provider_fault", "job-1", "You may have been charged.", "button_try_again_order"),
        ("video_refused", "job-1", "You may have been charged.", "button_try_again_order"),
        ("video_refused", None, "You may have been charged.", "button_try_again_order"),
        ("submit_unknown", None, "I won't order it twice by myself.", "button_try_again_paid"),
    ],
)
def test_to_try_once_more_says_what_it_costs(code: str, remote_id: str | None, told: str, label: str) -> None:
    card = failed(code, remote_id=remote_id)
    assert card.text.endswith(told)
    assert say("en", label) in [button.text for button in buttons(card)]


def test_what_is_free_costs_nothing_to_try_again() -> None:
    card = failed("preview_failed", {"jimeng-pro": FREE_MODEL}, remote_id="job-1")
    assert "charged" not in card.text
    assert [button.text for button in buttons(card)] == [say("en", "button_try_again")]


def test_the_same_input_is_never_offered_to_whoever_refused_it() -> None:
    for code in ("photo_refused", "prompt_refused", "prompt_sensitive", "photo_copyright", "input_refused"):
        assert NextStep.AGAIN not in next_steps(code, REQUEST)


def test_what_was_perhaps_bought_is_not_offered_elsewhere() -> None:
    assert verbs(failed("submit_unknown")) == ["again"]


def test_only_what_was_given_can_be_changed() -> None:
    without_photo = REQUEST.model_copy(update={"photos": ()})
    assert NextStep.PHOTO not in next_steps("video_refused", without_photo)
    assert NextStep.PLAIN in next_steps("prompt_refused", REQUEST)
    assert NextStep.PLAIN not in next_steps("prompt_refused", without_photo)
    assert NextStep.PLAIN not in next_steps("photo_refused", REQUEST.model_copy(update={"prompt": ""}))
    assert NextStep.WORDS not in next_steps("video_refused", REQUEST.model_copy(update={"prompt": ""}))
    assert NextStep.PHOTO not in next_steps(
        "photo_refused", REQUEST.model_copy(update={"photos": ("a", "b")})
    )


@pytest.mark.parametrize(("prompt", "copied"), [("🚤" * 128, True), ("🚤" * 128 + "!", False)])
def test_words_can_be_copied_where_telegram_takes_so_many(prompt: str, copied: bool) -> None:
    card = failed("prompt_refused", request=REQUEST.model_copy(update={"prompt": prompt}))
    assert [button.copy_text.text for button in buttons(card) if button.copy_text] == [prompt] * copied


def test_up_to_three_other_models_are_offered_other_companies_first() -> None:
    assert other_models(REQUEST, MODELS) == ["geekai-jimeng", "jimeng-1080p"]
    many = {f"model-{letter}": replace(OTHER, name=f"model-{letter}") for letter in "abcdefghi"}
    assert other_models(REQUEST, MODELS | many) == ["geekai-jimeng", "model-a", "model-b"]


def test_a_model_that_cannot_do_the_very_same_is_not_offered() -> None:
    short = {**MODELS, "geekai-jimeng": replace(OTHER, seconds=(4, 6))}
    ten = REQUEST.model_copy(update={"seconds": 10})
    assert other_models(ten, short) == ["jimeng-1080p"]


def test_a_real_person_is_offered_only_to_models_that_take_people() -> None:
    models = {**MODELS, "geekai-jimeng": replace(OTHER, takes_people=False)}
    card = failed("person_refused", models)
    assert "does not take photos of real people" in card.text
    assert card.text.endswith("You were not charged.")
    labels = [button.text for button in buttons(card)]
    assert labels[0] == say("en", "button_other_model", model="jimeng-1080p")
    assert verbs(card) == ["with", "photo", "plain"]


def test_a_model_that_is_gone_leaves_the_others() -> None:
    card = failed("model_gone", {"jimeng-1080p": SECOND})
    assert [button.text for button in buttons(card)] == [
        say("en", "button_other_model", model="jimeng-1080p")
    ]
