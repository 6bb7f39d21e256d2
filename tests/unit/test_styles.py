"""Styles: those that come with the bot, those of an operator, and one sentence about a faulty file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.styles import styles, use_styles
from bot.text import LANGUAGES


@pytest.fixture(autouse=True)
def _as_shipped_again() -> Iterator[None]:
    use_styles(None)
    yield
    use_styles(None)


def test_the_built_in_styles_have_a_title_in_every_language() -> None:
    assert len(styles()) == 3
    assert all(set(style.titles) == set(LANGUAGES) for style in styles().values())


def test_an_operator_adds_styles_and_replaces_built_in_ones(tmp_path: Path) -> None:
    file = tmp_path / "styles.toml"
    file.write_text(
        '[clay]\ntitles.en = "Our clay"\n'
        '[noir]\nbefore = "Black and white:"\nafter = "Rain."\ntitles.en = "Noir"\noptions.ratio = "21:9"\n'
    )
    use_styles(file)
    assert [style.title("ru") for style in styles().values()] == ["Our clay", "Плёнка", "Акварель", "Noir"]
    assert styles()["noir"].words("a street") == "Black and white: a street Rain."
    assert styles()["noir"].options.ratio == "21:9"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[clay", "styles.toml is not written as TOML"),
        ("[Clay]", "is named with small letters"),
        ("clay = 1", "the style clay is no table"),
        ("[clay]", "in the style clay, titles: "),
        ('[clay]\ntitles.en = "x"\nbefor = "y"', "in the style clay, befor: "),
        ('[clay]\ntitles.en = "x"\noptions.speed = 1', "in the style clay, options.speed: "),
    ],
)
def test_a_faulty_file_is_one_sentence_and_changes_nothing(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "styles.toml"
    file.write_text(content)
    before = dict(styles())
    with pytest.raises(SettingsError, match=r"^STYLES_FILE: ") as caught:
        use_styles(file)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert styles() == before


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        use_styles(tmp_path / "gone.toml")
