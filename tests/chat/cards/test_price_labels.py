"""What cards say of costs: wherever a tap or an answer buys, and nowhere where no price is set."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from every_model import WITH_LINKS
from fakes import A_MODEL, FREE_MODEL, NOW, a_task
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from test_task_card import labels

from bot.chat.cards.draft_card import draw_question, draw_switch
from bot.chat.cards.eta import Estimate
from bot.chat.cards.layout import Card
from bot.chat.cards.models_list import draw_model
from bot.chat.cards.option_buttons import choice_rows
from bot.chat.cards.price_labels import NO_PRICE_LABELS, PriceLabels
from bot.chat.cards.task_card import draw_caption, draw_card
from bot.chat.features.results.details import draw_details
from bot.codes import FailureCode
from bot.draft import STARTED_BY_ANSWER
from bot.prices import NO_PRICES, read_prices
from bot.request import Problem, VideoRequest
from bot.task import Task, TaskState
from bot.text import LANGUAGES, plain, say, say_money

MODELS = {one.name: one for one in (A_MODEL, replace(A_MODEL, name="second", company="B"), FREE_MODEL)}
TARIFF = PriceLabels(read_prices("jimeng-pro=0.084/s,second=3"), "USD", MODELS)
DRAFT = a_task(state=TaskState.DRAFT, question="card_draft")


def draw(task: Task, price_labels: PriceLabels = TARIFF) -> Card:
    return draw_card(task, MODELS, NOW, Estimate(usual_s=100.0), price_labels=price_labels)


@pytest.mark.parametrize(
    ("language", "code", "sign"),
    [
        ("en", "0.42 USD", "¥2.10"),
        ("zh", "0.42 USD", "¥2.10"),
        ("zh-hant", "0.42 USD", "¥2.10"),
        ("es", "0,42 USD", "2,10 ¥"),
        ("pt", "0,42 USD", "¥ 2,10"),
        ("ru", "0,42 USD", "2,10 ¥"),
    ],
)
def test_money_is_written_as_each_language_does(language: str, code: str, sign: str) -> None:
    said = say_money(language, Decimal("0.420"), "USD"), say_money(language, Decimal("2.1"), "¥")
    assert [one.replace("\u00a0", " ") for one in said] == [code, sign]


def test_amounts_are_whole_or_have_two_decimals_at_least() -> None:
    amounts = ("3", "3.00", "30", "0.5", "0.004", "0")
    assert [plain(say_money("en", Decimal(one), "¥")) for one in amounts] == [
        *("¥3", "¥3", "¥30", "¥0.50", "¥0.004", "¥0")
    ]


def test_a_draft_says_how_long_it_takes_and_what_it_costs() -> None:
    text = draw(DRAFT).text.replace("\u00a0", " ")
    assert text.endswith("Shall I make this?\nIt usually takes 1 min 40 s and costs 0.42 USD.")


@pytest.mark.parametrize("question", ["card_old", "card_crop", "card_draft_named", "card_ask_photo"])
def test_every_draft_that_a_tap_buys_says_what_it_costs(question: str) -> None:
    assert "0.42" in draw(replace(DRAFT, question=question)).text


@pytest.mark.parametrize("question", sorted(STARTED_BY_ANSWER))
def test_a_question_whose_answer_buys_says_what_it_costs(question: str) -> None:
    assert draw_question(replace(DRAFT, question=question), NOW, TARIFF).text.endswith("0.42\u00a0USD.")


def test_a_choice_that_changes_the_cost_says_so_on_its_button() -> None:
    assert labels_of(choice_rows(DRAFT, MODELS, "seconds", TARIFF))[:2] == ["✓ 5 s · 0.42", "10 s · 0.84"]
    assert labels_of(choice_rows(DRAFT, MODELS, "model", TARIFF))[:2] == ["✓ jimeng-pro · 0.42", "second · 3"]
    assert labels_of(choice_rows(DRAFT, MODELS, "ratio", TARIFF))[:2] == ["✓ 16:9", "9:16"]


def test_a_task_on_its_way_shows_what_was_agreed_whatever_it_would_cost_now() -> None:
    text = draw(a_task(price=Decimal("0.30"))).text
    assert "jimeng-pro · 16:9 · 5 s · 1080p · 🔇 · 0.30\u00a0USD" in text
    assert "USD" not in draw(a_task()).text


def test_again_says_what_it_costs_now() -> None:
    done = a_task(state=TaskState.SUCCEEDED, price=Decimal("0.30"))
    assert labels(draw_caption(done, MODELS, TARIFF).buttons)[0] == "Again · 0.42\u00a0USD"
    assert "0.30" not in draw_caption(done, MODELS, TARIFF).text


def test_a_refusal_says_what_may_have_been_charged_and_what_another_try_costs() -> None:
    refused = a_task(state=TaskState.FAILED, error_code="video_refused", remote_id="1", price=Decimal("0.30"))
    card = draw(refused)
    assert say("en", "charged_cost", price="0.30\u00a0USD") in card.text
    assert "Try again (costs 0.42\u00a0USD)" in labels(card.buttons)
    assert "Make it with second · 3\u00a0USD" in labels(card.buttons)
    assert say("en", "not_charged") in draw(replace(refused, remote_id=None, error_code="busy")).text
    unclear = draw(replace(refused, remote_id=None, error_code=FailureCode.SUBMIT_UNKNOWN))
    assert say("en", "button_try_again_paid") in labels(unclear.buttons)


def test_another_model_that_is_offered_says_what_it_costs() -> None:
    card = draw_switch(DRAFT, Problem("no_audio", {"model": "jimeng-pro"}), ["second"], TARIFF)
    assert labels(card.buttons)[0] == "Make it with second · 3\u00a0USD"


def test_details_name_the_price_that_was_agreed() -> None:
    task = a_task(state=TaskState.SUCCEEDED, price=Decimal("0.30"))
    text = draw_details("ru", task, [], A_MODEL, ZoneInfo("UTC"), price_labels=TARIFF).text
    assert say("ru", "details_cost", price="0,30\u00a0USD") in text


def test_models_tells_each_price_with_the_choice_that_it_is_for() -> None:
    prices = read_prices("veo-3=0.20/s,veo-3:1080p:sound=0.60/s,jimeng-pro=3.50,jimeng-pro:silent=3")
    labels = PriceLabels(prices, "$", WITH_LINKS)
    shown = [draw_model("en", WITH_LINKS[name], "", price_labels=labels) for name in ("veo-3", "jimeng-pro")]
    text = "\n".join(card.text for card in shown)
    assert "$0.20 a second\n1080p, sound: $0.60 a second" in text
    assert "$3.50 a video\nsilent: $3 a video" in text


def test_without_prices_and_for_what_is_free_no_number_is_shown() -> None:
    unpriced = PriceLabels(NO_PRICES, "USD", MODELS)
    free = replace(DRAFT, request=VideoRequest(model="preview", prompt="a boat"), price=Decimal(0))
    for language in LANGUAGES:
        spoken = replace(DRAFT, language=language)
        assert draw(spoken, unpriced) == draw(spoken, NO_PRICE_LABELS)
        assert "USD" not in draw(replace(free, language=language)).text
    for model in MODELS.values():
        assert draw_model("en", model, "second", price_labels=unpriced) == draw_model("en", model, "second")


def labels_of(rows: list[list[InlineKeyboardButton]]) -> list[str]:
    return labels(InlineKeyboardMarkup(rows))
