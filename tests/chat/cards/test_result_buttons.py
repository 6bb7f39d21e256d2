"""What is drawn around finished and waiting videos: buttons, details, history, queue, recipe links."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from fakes import A_MODEL, NOW, a_task, made
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup

from bot.chat.cards.eta import Estimate
from bot.chat.cards.layout import cut, units
from bot.chat.cards.result_buttons import result_buttons
from bot.chat.cards.task_card import draw_caption
from bot.chat.features.cancel import draw_choice
from bot.chat.features.history import PAGE, draw_history
from bot.chat.features.queue import card_link, draw_queue
from bot.chat.features.results.details import draw_details, options_of
from bot.chat.features.results.share import draw_link, is_recipe, recipe_of
from bot.chat.parsing.prompt_options import PromptOptions, read_prompt
from bot.chat.sender import Sender
from bot.request import CAMERAS, STRENGTHS, Crop, Mode, VideoRequest
from bot.store import Attempt
from bot.text import LANGUAGES, plain, say

MODELS = {"jimeng-pro": A_MODEL}
UTC = ZoneInfo("UTC")
MESSAGE_LIMIT = 4096
DONE = made(file_id="a file", delivered_at=NOW, due_at=None)
FULL_REQUEST = VideoRequest(
    model="jimeng-pro",
    prompt="a paper boat",
    ratio="9:16",
    seconds=10,
    resolution="1080p",
    seed=7,
    camera="robo_arm",
    strength="weak",
    negative_prompt="blur, rain",
    audio=True,
    people="allow_adult",
    enhance=False,
)


def datas(markup: InlineKeyboardMarkup | None) -> list[str]:
    return [str(one.callback_data) for row in markup.inline_keyboard for one in row] if markup else []


def shown(text: str) -> int:
    """Length as Telegram counts it."""
    return units(plain(text))


# Buttons and caption


def test_extend_is_offered_only_where_a_model_can_go_on_from_a_picture() -> None:
    assert "extend:boat" in datas(result_buttons(DONE, MODELS))
    for model in (
        replace(A_MODEL, modes=frozenset({Mode.TEXT})),
        replace(A_MODEL, photo_reachable=False),
    ):
        assert "extend:boat" not in datas(result_buttons(DONE, {"jimeng-pro": model}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_buttons_under_a_video_take_few_rows_of_a_phone(language: str) -> None:
    rows = result_buttons(replace(DONE, language=language), MODELS).inline_keyboard
    assert len(rows[0]) == 2
    assert sum(len(row) for row in rows) == 7
    assert len(rows) <= 4


@given(prompt=st.text(max_size=3000))
def test_a_caption_always_fits_and_no_sign_in_it_is_halved(prompt: str) -> None:
    card = draw_caption(replace(DONE, request=VideoRequest(model="jimeng-pro", prompt=prompt)), MODELS)
    assert shown(card.text) <= 1024
    card.text.encode()


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("a paper boat", 12, "a paper boat"),
        ("a paper boat", 11, "a paper…"),
        ("a paper\nboat", 11, "a paper…"),
        ("纸船在雨中", 4, "纸船在…"),
        ("boat👨‍👩‍👧", 8, "boat…"),
        ("boat👍🏽", 7, "boat…"),
        ("boate\u0301!", 6, "boat…"),
        ("🛶🛶🛶", 4, "🛶…"),
    ],
)
def test_words_are_cut_between_words_and_never_within_a_sign(text: str, most: int, kept: str) -> None:
    assert cut(text, most) == kept
    assert units(kept) <= most


# Details


def typed(words: PromptOptions) -> VideoRequest:
    return VideoRequest.model_validate(words.options | {"prompt": words.prompt})


def details(language: str = "en", calls: list[Attempt] | None = None, **changes: Any) -> str:
    return draw_details(language, replace(DONE, **changes), calls or [], A_MODEL, UTC).text


def call(kind: Any, after_s: float, answer: str = "ok", detail: str = "") -> Attempt:
    return Attempt(
        task_id="boat",
        provider="cloud",
        call=kind,
        at=NOW + timedelta(seconds=after_s),
        took_s=0.5,
        answer=answer,
        detail=detail,
    )


def test_details_fit_into_a_message_however_long_their_parts_are() -> None:
    request = DONE.request.model_copy(update={"prompt": "x" * 4000, "negative_prompt": "y" * 4000})
    codes = ["a_long_word_for_a_refusal", "another_long_word_for_it"]
    calls = [call("poll", number, codes[number % 2]) for number in range(60)]
    text = details("ru", calls, request=request, remote_id="z" * 400)
    assert 3900 < units(plain(text)) <= 4096


def test_the_options_in_details_can_be_typed_and_ask_for_the_very_same() -> None:
    words = read_prompt(f"a paper boat {options_of(FULL_REQUEST)}")
    assert words.problems == ()
    assert typed(words) == FULL_REQUEST


@given(
    request=st.builds(
        VideoRequest,
        model=st.just("jimeng-pro"),
        prompt=st.just("a boat"),
        ratio=st.sampled_from([None, "16:9", "1:1"]),
        seconds=st.none() | st.integers(1, 12),
        seed=st.none() | st.integers(0, 2**31),
        camera=st.sampled_from([None, *CAMERAS]),
        strength=st.sampled_from([None, *STRENGTHS]),
        negative_prompt=st.none() | st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,3}", fullmatch=True),
        audio=st.none() | st.booleans(),
        enhance=st.none() | st.booleans(),
    )
)
def test_whatever_was_asked_for_can_be_typed_again(request: VideoRequest) -> None:
    words = read_prompt(f"a boat {options_of(request)}")
    assert typed(words) == request


def test_details_tell_when_it_was_asked_for_how_long_it_waited_and_what_it_cost() -> None:
    submitted, finished = NOW + timedelta(seconds=65), NOW + timedelta(seconds=100)
    text = details(submitted_at=submitted, finished_at=finished, price=Decimal("0.50"))
    assert "Ordered: 2026-05-04 12:00 UTC\nWaited: 1 min 5 s\nMade in: 35 s\nCost: 0.50" in text
    assert "Cost" not in details()


def test_calls_that_follow_each_other_and_end_alike_are_told_in_one_line() -> None:
    calls = [call("submit", 0), call("poll", 1), call("poll", 5), call("poll", 9, "busy"), call("fetch", 12)]
    assert details(calls=calls).splitlines()[-4:] == [
        "12:00:00 ordered ✓ · 0.5 s",
        "12:00:01–12:00:05 checked × 2 ✓",
        "12:00:09 checked ✗ busy · 0.5 s",
        "12:00:12 fetched ✓ · 0.5 s",
    ]


def test_what_a_provider_said_stays_in_the_log() -> None:
    secret = "quota of account 4711"
    text = details(calls=[call("submit", 0, "busy", detail=secret)], error_detail=secret)
    assert secret not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_fit_a_message_however_much_there_is_to_tell(language: str) -> None:
    answers = ["ok", "busy"]
    calls = [call("poll", number, answers[number % 2]) for number in range(500)]
    request = FULL_REQUEST.model_copy(update={"prompt": "船 & <b> " * 600, "negative_prompt": "x " * 150})
    text = details(language, calls, request=request, remote_id="9" * 300, submitted_at=NOW, finished_at=NOW)
    assert shown(text) <= MESSAGE_LIMIT


def test_only_what_fits_gets_a_button_that_copies_it() -> None:
    def copied(prompt: str, seed: int | None) -> list[str]:
        request = VideoRequest(model="jimeng-pro", prompt=prompt, seed=seed)
        markup = draw_details("en", replace(DONE, request=request), [], A_MODEL, UTC).buttons
        rows = markup.inline_keyboard if markup else ()
        return [one.copy_text.text for row in rows for one in row if one.copy_text]

    assert copied("a boat", 0) == ["a boat", "0"]
    assert copied("x" * 256, None) == ["x" * 256]
    assert copied("x" * 257, 7) == ["7"]
    assert copied("🛶" * 129, None) == []
    assert copied("", None) == []


# History


def page(count: int, newer: int = 0, language: str = "en", **changes: Any) -> Any:
    tasks = [replace(DONE, id=f"task{number}", **changes) for number in range(count)]
    return draw_history(language, tasks, MODELS, UTC, user_id=20, newer=newer)


def test_a_page_turns_to_where_there_is_something() -> None:
    assert datas(page(2).buttons) == ["show:task0", "show:task1"]
    assert datas(page(PAGE + 1).buttons)[PAGE:] == ["history:20:5"]
    assert datas(page(PAGE + 1, 5).buttons)[PAGE:] == ["history:20:0", "history:20:10"]
    assert datas(page(1, 3).buttons)[1:] == ["history:20:0"]


def test_an_entry_has_words_facts_and_day_and_is_marked_while_nobody_saw_it() -> None:
    assert "<b>1.</b> a paper boat\njimeng-pro · 16:9 · 5 s · 1080p · 🔇 · 2026-05-04" in page(1).text
    assert say("en", "history_unseen") not in page(1).text
    assert page(1, file_id=None).text.endswith(say("en", "history_unseen"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_fits_a_message_whatever_the_words(language: str) -> None:
    request = VideoRequest(model="jimeng-pro", prompt="<i>&\n" * 800)
    card = page(PAGE + 1, 5000, language, request=request)
    assert shown(card.text) <= MESSAGE_LIMIT
    assert "<i>" not in card.text
    assert all(len(data.encode()) <= 64 for data in datas(card.buttons))


# Queue and cancelling


def sender(chat_id: int = 10) -> Sender:
    return Sender(1, chat_id, None, 20, "Ada", 5, "en", NOW)


def queue(*tasks: Any, chat_id: int = 10, ahead: int = 0) -> Any:
    outlooks = {task.id: Estimate(ahead=ahead) for task in tasks}
    return draw_queue(sender(chat_id), tasks, outlooks, MODELS, NOW + timedelta(seconds=34))


def test_the_queue_says_how_many_come_before() -> None:
    assert queue(a_task(), ahead=2).text.endswith("<b>1.</b> a paper boat\nIn line, 2 before you · 0:34")


def test_a_card_is_brought_only_to_where_its_task_belongs() -> None:
    here, elsewhere = a_task("here"), a_task("there", chat_id=-1005)
    card = queue(here, elsewhere)
    assert datas(card.buttons) == ["bring:here"]
    assert say("en", "queue_elsewhere") in card.text


def test_names_and_words_are_text_and_no_markup() -> None:
    request = VideoRequest(model="jimeng-pro", prompt="<b>&amp;")
    card = queue(a_task(chat_id=-5, user_name="<i>", request=request), chat_id=-5)
    assert "&lt;i&gt;: &lt;b&gt;&amp;amp;" in card.text


def test_a_long_queue_is_cut_and_says_so() -> None:
    card = queue(*(a_task(f"task{number}") for number in range(25)))
    assert card.text.endswith(say("en", "queue_more", count=15))
    assert len(datas(card.buttons)) == 10
    assert shown(card.text) <= MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("chat_id", "thread_id", "card_id", "link"),
    [
        (-1001234567890, None, 7, "https://t.me/c/1234567890/7"),
        (-1001234567890, 3, 7, "https://t.me/c/1234567890/3/7"),
        (-1001234567890, None, None, None),
        (-4567, None, 7, None),
        (4567, None, 7, None),
    ],
)
def test_cards_in_supergroups_have_links(
    chat_id: int, thread_id: int | None, card_id: int | None, link: str | None
) -> None:
    assert card_link(a_task(chat_id=chat_id, thread_id=thread_id, card_id=card_id)) == link


def test_a_choice_names_whose_it_is_in_a_group_and_fits_a_button() -> None:
    long = VideoRequest(model="jimeng-pro", prompt="a very long story " * 20)
    tasks = [a_task("one", chat_id=-5, user_name="Ada", request=long), a_task("two", user_name="Ada")]
    markup = draw_choice("en", tasks).buttons
    assert markup is not None
    labels = [row[0].text for row in markup.inline_keyboard]
    assert labels[0].startswith("✕ Ada: a very long story")
    assert labels[1] == "✕ a paper boat"
    assert datas(markup) == ["cancel:one", "cancel:two"]
    wordless = [VideoRequest(model="m", photos=("p",) * count) for count in (1, 2)]
    wordless.append(wordless[0].model_copy(update={"extends": "v"}))
    markup = draw_choice("en", [a_task(request=request) for request in wordless]).buttons
    assert markup is not None
    signs = [row[0].text for row in markup.inline_keyboard]
    assert signs == ["✕ 🖼 m", "✕ 🖼 🖼 m", "✕ 🎞 m"], "they can be told apart"
    assert all(len(label) <= 62 for label in labels)


# Recipes


def test_a_recipe_keeps_the_seed_and_gives_away_no_photo_and_no_other_video() -> None:
    request = FULL_REQUEST.model_copy(update={"photos": ("p",), "crop": Crop("16:9"), "extends": "v"})
    assert recipe_of(request, with_photos=False) == FULL_REQUEST
    shared = recipe_of(request, with_photos=True)
    assert (shared.photos, shared.crop, shared.extends, shared.seed) == (("p",), Crop("16:9"), None, 7)


def test_a_link_offers_the_photo_only_where_there_is_one() -> None:
    link = "https://t.me/some_bot?start=r_abc"
    assert datas(draw_link("en", DONE, link, with_photos=False).buttons) == ["None", "None"]
    photo = replace(DONE, request=VideoRequest(model="jimeng-pro", photos=("p",)))
    assert datas(draw_link("en", photo, link, with_photos=False).buttons) == [
        "None",
        "None",
        "share-photo:boat",
    ]
    told = draw_link("en", photo, link, with_photos=True)
    assert datas(told.buttons) == ["None", "None"]
    assert "anyone who opens the link can use that photo" in told.text


def test_a_link_is_sent_to_a_chat_that_telegram_asks_for_or_copied() -> None:
    words = replace(DONE, request=VideoRequest(model="jimeng-pro", prompt="a boat & 船 " + "far " * 100))
    buttons = draw_link("en", words, "https://t.me/some_bot?start=r_abc", with_photos=False).buttons
    assert buttons is not None
    share, copy = buttons.inline_keyboard[0]
    asked = parse_qs(urlsplit(share.url or "").query, strict_parsing=True)
    assert (share.url or "").startswith("https://t.me/share/url?")
    assert asked["url"] == ["https://t.me/some_bot?start=r_abc"]
    assert asked["text"][0].startswith("a boat & 船 far")
    assert copy.copy_text is not None
    assert copy.copy_text.text == "https://t.me/some_bot?start=r_abc"


@pytest.mark.parametrize(("payload", "is_one"), [("r_abc", True), ("claim_abc", False), ("", False)])
def test_a_recipe_is_told_by_its_prefix(payload: str, is_one: bool) -> None:
    assert is_recipe(payload) is is_one
    assert re.fullmatch(r"[\w-]*", payload)
