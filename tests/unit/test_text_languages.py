"""Languages: which one somebody is spoken to in, and under which codes Telegram keeps the menus."""

from __future__ import annotations

import pytest

from bot.text import LANGUAGES, choose_language, language_name, menu_languages, say
from bot.text.languages import FOLDER, language_of, small_counts


def test_a_language_is_spoken_when_its_file_is_there() -> None:
    assert set(LANGUAGES) == {path.stem for path in FOLDER.glob("*.toml")}
    assert {"en", "zh"} <= set(LANGUAGES) <= {"en", "zh", "zh-hant", "es", "pt", "ru"}


@pytest.mark.parametrize(
    ("code", "language"),
    [
        *(("en", "en"), ("en-GB", "en"), ("EN", "en")),
        *(
            ("zh", "zh"),
            ("ZH", "zh"),
            ("zh-hans", "zh"),
            ("zh-cn", "zh"),
            ("zh-sg", "zh"),
            ("zh-Hans-HK", "zh"),
        ),
        *(("zh-hant", "zh-hant"), ("zh-tw", "zh-hant"), ("zh-HK", "zh-hant"), ("zh_MO", "zh-hant")),
        *(
            ("zh-Hant-TW", "zh-hant"),
            ("es", "es"),
            ("es-MX", "es"),
            ("pt", "pt"),
            ("pt-br", "pt"),
            ("ru", "ru"),
        ),
    ],
)
def test_people_are_spoken_to_in_the_language_of_their_telegram(code: str, language: str) -> None:
    near = "zh" if language == "zh-hant" else "unknown here"
    assert choose_language(code, "unknown here") == (language if language in LANGUAGES else near)


@pytest.mark.parametrize("code", ["de", "", None, "zhuang", "hant", "enx", "-", "e"])
def test_people_whose_language_we_do_not_speak_get_the_operators(code: str | None) -> None:
    assert choose_language(code, "zh") == "zh"


def test_a_choice_that_was_kept_chooses_itself() -> None:
    assert [choose_language(code, "-") for code in LANGUAGES] == list(LANGUAGES)


def test_every_language_has_a_name_of_its_own() -> None:
    assert len({language_name(code) for code in LANGUAGES}) == len(LANGUAGES)
    assert language_name("zh") == "简体中文"


def test_telegram_is_given_two_letters_for_a_menu_and_none_for_everybody_elses() -> None:
    for default in LANGUAGES:
        menus = menu_languages(default)
        assert menus[None] == default
        assert {code for code in menus if code is not None} == {code[:2] for code in LANGUAGES}
        assert menus[default[:2]] == default, "the default has the code that it shares"
        assert all(say(language, "command_video") for language in menus.values())
    assert menu_languages("en")["zh"] == "zh"


def test_a_default_that_we_do_not_speak_is_an_english_menu() -> None:
    assert menu_languages("xx")[None] == "en"


def test_the_plural_forms_of_a_language_are_those_of_everyday_numbers() -> None:
    assert {code: set(small_counts(code)) for code in ("en", "zh")} == {
        "en": {"one", "other"},
        "zh": {"other"},
    }
    assert small_counts("en")["one"] == [1]
    assert language_of("xx") is language_of("en")
