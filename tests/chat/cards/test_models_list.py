"""What /models says: true to each model's record, and fit for a phone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from every_model import WITH_LINKS, WITHOUT_LINKS
from fakes import A_MODEL, FREE_MODEL, FULL_MODEL

from bot.chat.cards.layout import Card
from bot.chat.cards.models_list import VERB, draw_model, draw_models
from bot.request import Exclusion, Mode, VideoModel, shown
from bot.text import LANGUAGES, plain, say


def lines(model: VideoModel, language: str = "en", **usual_s: float) -> list[str]:
    """What is said of one model that is alone here and is not the default."""
    return draw_model(language, model, "another", usual_s).text.split("\n")


def test_a_model_is_told_in_a_few_short_lines() -> None:
    full = replace(FULL_MODEL, company="Example & Sons", resolutions=("720p", "1080p"), seconds=(8, 4))
    assert lines(full) == [
        "<b>jimeng-pro</b> · Jimeng Pro",
        "words · a photo · two photos · camera moves · up to 3 photos of what is in it",
        "4 / 8 s · 720p / 1080p",
        "16:9 9:16",
        "Also: sound · what to leave out · seed · people on/off · prompt rewriting",
        "Usually takes about 2 min",
        "Photos go to Example &amp; Sons",
    ]


def test_what_a_model_cannot_do_is_not_told() -> None:
    bare = replace(A_MODEL, modes=frozenset({Mode.TEXT}), seed_max=None, company="Example")
    assert lines(bare) == [
        "<b>jimeng-pro</b> · Jimeng Pro",
        "words",
        "5 / 10 s · 1080p",
        "16:9 9:16",
        "Usually takes about 2 min",
    ]


def test_what_cannot_be_chosen_is_no_extra() -> None:
    always = replace(A_MODEL, enhance=(True,), people=("allow_adult",))
    assert "Also: seed" in lines(always)


def test_a_mode_that_needs_a_resolution_names_it() -> None:
    geekai = lines(WITH_LINKS["geekai-jimeng"])
    assert "words · a photo · two photos · camera moves (720p only)" in geekai


def test_where_photos_cannot_be_had_none_are_promised_and_nobody_receives_them() -> None:
    relay = lines(WITHOUT_LINKS["relay-jimeng"])
    assert relay[1] == "words"
    assert say("en", "models_no_photos") in relay
    assert not any("Photos go to" in line for line in relay)
    assert say("en", "models_no_photos") not in lines(WITH_LINKS["relay-jimeng"])


def test_a_model_for_words_alone_says_nothing_of_photos() -> None:
    words_only = replace(A_MODEL, modes=frozenset({Mode.TEXT}), photo_reachable=False, company="Example")
    assert not any("hoto" in line for line in lines(words_only))


def test_a_photo_that_stays_on_this_machine_goes_to_nobody() -> None:
    assert not any("Photos go to" in line for line in lines(WITH_LINKS["preview"]))


@pytest.mark.parametrize(
    ("usual_s", "said"),
    [
        (1.0, "5 s"),
        (8.0, "10 s"),
        (47.0, "45 s"),
        (89.0, "90 s"),
        (90.0, "2 min"),
        (149.0, "2 min"),
        (1500.0, "25 min"),
    ],
)
def test_the_usual_time_is_rounded_as_people_would(usual_s: float, said: str) -> None:
    assert f"Usually takes about {said}" in lines(replace(A_MODEL, typical_s=usual_s))


def test_the_time_that_was_learned_here_goes_before_the_record() -> None:
    text = draw_model("en", A_MODEL, "jimeng-pro", {"jimeng-pro": 240.0, "other": 5.0}).text
    assert "Usually takes about 4 min" in text


def choices(card: Card) -> dict[str, str]:
    """What each button of a card does, by its words."""
    markup = card.buttons.inline_keyboard if card.buttons else ()
    return {one.text: str(one.callback_data).removeprefix(f"{VERB}:") for row in markup for one in row}


def test_each_model_has_a_line_and_a_button_and_the_default_is_marked() -> None:
    card = draw_models("en", WITH_LINKS, "veo-3")
    assert f"<b>veo-3</b> · Veo 3.0 Preview · {say('en', 'models_default')}" in card.text.split("\n")
    assert list(choices(card).values()) == shown(WITH_LINKS)
    assert choices(card)["✓ veo-3"] == "veo-3"
    assert card.text.endswith(say("en", "models_choose", model="jimeng-pro"))


def test_a_model_can_be_made_the_default_by_who_may_and_leads_back() -> None:
    back = says_plainly("option_back")
    use = says_plainly("button_use_model")
    model = WITH_LINKS["veo-3"]
    assert choices(draw_model("en", model, "jimeng-pro")) == {use: "use=veo-3", back: ""}
    assert choices(draw_model("en", model, "veo-3")) == {back: ""}
    assert choices(draw_model("en", model, "jimeng-pro", may_choose=False)) == {back: ""}
    assert say("en", "models_default") in draw_model("en", model, "veo-3").text


def says_plainly(key: str) -> str:
    return plain(say("en", key))


def test_the_free_model_is_told_only_where_there_is_no_other() -> None:
    assert "preview" not in draw_models("en", WITH_LINKS, "jimeng-pro").text
    assert "<b>preview</b>" in draw_models("en", {"preview": FREE_MODEL}, "preview").text


def test_a_default_that_is_not_shown_is_named_all_the_same() -> None:
    text = draw_models("en", WITH_LINKS, "preview").text
    assert text.endswith(say("en", "models_unnamed", model="preview"))
    assert say("en", "models_default") not in text


def test_without_a_model_it_says_whom_to_ask() -> None:
    assert draw_models("en", {}, "") == Card(say("en", "no_model"), None)


@pytest.mark.parametrize("models", [WITH_LINKS, WITHOUT_LINKS], ids=["links", "no links"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_model_fits_into_one_message(language: str, models: dict[str, VideoModel]) -> None:
    text = draw_models(language, models, next(iter(models))).text
    assert len(shown(models)) >= 7
    assert all(f"<b>{name}</b>" in text for name in shown(models))
    assert len(text.encode("utf-16-le")) // 2 <= 4096


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_takes_a_line_or_two_of_a_phone_for_each(language: str) -> None:
    for line in draw_models(language, WITHOUT_LINKS, "jimeng-pro").text.split("\n"):
        assert len(plain(line)) <= 75, line


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_model_can_do_fits_a_screen_of_a_phone(language: str) -> None:
    for model in WITH_LINKS.values():
        text = plain(draw_model(language, model, model.name).text)
        assert sum(1 + len(line) // 38 for line in text.split("\n")) <= 24, text


def test_what_is_foreign_is_escaped_once_and_our_own_tags_are_whole() -> None:
    odd = replace(FULL_MODEL, name="a<b>", title="A & B", company="C & D", resolutions=("<720>",))
    text = draw_model("en", odd, "a<b>").text
    assert not re.search(r"<(?!/?(b|code)>)", text), "only our own tags"
    assert "a&lt;b&gt;" in text
    assert "A &amp; B" in text
    assert "&amp;lt;" not in text
    assert "&lt;720&gt;" in text


def test_what_cannot_be_combined_stands_beside_it() -> None:
    selective = replace(
        FULL_MODEL,
        modes=frozenset({Mode.TEXT, Mode.REFERENCES}),
        resolutions=("768p", "1080p"),
        seconds=(5, 4, 6, 10),
        audio=False,
        audio_always=True,
        exceptions=(
            Exclusion(seconds=frozenset({10}), resolutions=frozenset({"1080p"})),
            Exclusion(modes=frozenset({Mode.REFERENCES}), seconds=frozenset({4, 5, 6})),
        ),
    )
    told = lines(selective)
    assert told[1] == "words · up to 3 photos of what is in it (10 s only)"
    assert told[2] == "4–6 / 10 s · 768p / 1080p · 1080p (4–6 s only)"
    assert told[4].startswith("Also: always with sound · ")
