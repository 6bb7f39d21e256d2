"""An operator's own phrases: said in place of ours, or one sentence about why they cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.text import LANGUAGES, has_phrase, phrases, say, use_phrases
from bot.text.checks import values_in
from bot.text.phrasebook import shipped

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _as_shipped_again() -> Iterator[None]:
    yield
    use_phrases(None)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "en.toml") -> Path:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def refusal(folder: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        use_phrases(folder)
    sentence = str(caught.value)
    assert sentence.startswith("PHRASES_DIR: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_phrase_of_the_operator_is_said_in_place_of_ours(write: Write) -> None:
    use_phrases(write('press_done = " Very well. "\nlimit_none = "Back <b>soon</b>."'))
    assert say("en", "press_done") == "Very well."
    assert say("en", "limit_none") == "Back <b>soon</b>."
    assert phrases("en")["press_done"] == "Very well."
    assert phrases("en").keys() == shipped("en").keys()
    assert phrases("zh") == {**phrases("zh"), "press_done": shipped("zh")["press_done"]}


def test_one_language_may_be_changed_and_the_others_stay(write: Write) -> None:
    use_phrases(write('press_done = "可以了。"', "zh.toml"))
    assert say("zh", "press_done") == "可以了。"
    assert say("en", "press_done") == shipped("en")["press_done"]


def test_a_phrase_may_leave_out_a_value(write: Write) -> None:
    use_phrases(write('stranger = "This bot is for the family."'))
    assert say("en", "stranger", user_id=7) == "This bot is for the family."


def test_an_operator_may_count_in_other_forms_than_we(write: Write) -> None:
    countable = [key for key, phrase in shipped("en").items() if "count" in values_in(phrase)]
    if not countable:
        pytest.skip("nothing is counted")
    write(f'{countable[0]} = {{other = "{{count}}"}}', "zh.toml")
    use_phrases(write(f'[{countable[0]}]\none = "one"\nother = "{{count}}"'))
    assert phrases("en")[countable[0]] == "{count}"
    assert say("zh", countable[0], count=1) == "1"
    assert [say("en", countable[0], count=count) for count in (0, 1, 2, 1.0)] == ["0", "one", "2", "1.0"]


def test_no_folder_is_all_as_shipped(write: Write) -> None:
    use_phrases(write('press_done = "Very well."'))
    use_phrases(None)
    assert all(phrases(code).keys() == shipped(code).keys() for code in LANGUAGES)
    assert say("en", "press_done") == shipped("en")["press_done"]


def test_an_empty_folder_and_other_files_in_it_change_nothing(write: Write) -> None:
    write("", "en.toml")
    use_phrases(write("notes to myself", "README.md"))
    assert say("en", "press_done") == shipped("en")["press_done"]


def test_a_file_from_windows_is_read(write: Write) -> None:
    use_phrases(write("\ufeffpress_done = 'Very well.'\r\nlimit_none = 'Soon.'\r\n".encode()))
    assert say("en", "limit_none") == "Soon."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('press_don = "x"', "in en.toml, press_don is no phrase of this bot; perhaps press_done is meant."),
        (
            'stranger = "{user}"',
            "in en.toml, stranger has {user}, which is not filled in there; what is: {user_id}.",
        ),
        (
            'press_done = "{user}"',
            "in en.toml, press_done has {user}, which is not filled in there; what is: none.",
        ),
        ('press_done = "<b>Done."', "in en.toml, press_done never closes <b>."),
        ('press_done = ""', "in en.toml, press_done is empty."),
        ("press_done = 7", "in en.toml, press_done is neither a text nor a table of plural forms."),
        (
            '[start]\none = "x"',
            "in en.toml, start has plural forms, but nothing is counted there (and 1 more).",
        ),
        (
            f'press_done = "{"a" * 201}"',
            "in en.toml, press_done is 201 characters long, values included; at most 200 fit.",
        ),
        ('press_done = "a"\npress_don = "{"\nstart = "<"', "in en.toml, press_don is no phrase"),
        ('start = "a"\npress_done = a', "en.toml is not written as TOML near line 2."),
        ('press_done = "a"\npress_done = "b"\n', "en.toml is not written as TOML near line 2."),
        ('press_done = """', "en.toml is not written as TOML near the end of document."),
        ('press_done = "好"'.encode("gb18030"), "en.toml is not a text file in UTF-8."),
    ],
)
def test_a_phrase_that_cannot_be_said_is_one_sentence_with_file_and_key(
    write: Write, content: str | bytes, told: str
) -> None:
    assert told in refusal(write(content))


def test_a_language_cannot_be_added(write: Write) -> None:
    assert refusal(write('press_done = "Fertig."', "de.toml")).startswith(
        "PHRASES_DIR: de.toml is no language of this bot; there are en.toml, zh.toml"
    )


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == f"PHRASES_DIR: there is no folder {tmp_path / 'nowhere'}."


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "en.toml").mkdir()
    assert refusal(tmp_path) == "PHRASES_DIR: en.toml cannot be read."


def test_after_a_refusal_all_is_said_as_before(write: Write, tmp_path: Path) -> None:
    use_phrases(write('press_done = "Very well."'))
    write('press_done = "Other."')
    refusal(write('press_done = "<b>"', "zh.toml"))
    assert say("en", "press_done") == "Very well."
    assert has_phrase("press_done")
