"""The lines of a film: one a shot, options in each and for all."""

from __future__ import annotations

import pytest

from bot.chat.parsing.film_lines import read_lines


@pytest.mark.parametrize(
    ("text", "prompts", "cuts"),
    [
        ("a boat\na bridge", ["a boat", "a bridge"], [False, False]),
        ("\n\n a boat \n\n a bridge --cut\n", ["a boat", "a bridge"], [False, True]),
        ("1. a boat\n2) a bridge\n- a sea", ["a boat", "a bridge", "a sea"], [False, False, False]),
        ("a boat\n—cut a bridge", ["a boat", "a bridge"], [False, True]),
        ("--cut\na boat\na bridge", ["a boat", "a bridge"], [True, True]),
        ("1.5 metres of snow\n2001", ["1.5 metres of snow", "2001"], [False, False]),
        ("a cut\na shortcut --cutting", ["a cut", "a shortcut"], [False, False]),
        ("", [], []),
    ],
)
def test_each_line_is_a_shot(text: str, prompts: list[str], cuts: list[bool]) -> None:
    shots = read_lines(text)
    assert [shot.words.prompt for shot in shots] == prompts
    assert [shot.is_cut for shot in shots] == cuts


def test_a_line_of_options_is_for_all_and_a_shot_has_its_own() -> None:
    shots = read_lines("9:16 10s\na boat\na bridge 5s")
    assert [shot.words.options for shot in shots] == [
        {"ratio": "9:16", "seconds": 10},
        {"ratio": "9:16", "seconds": 5},
    ]


def test_what_is_wrong_with_the_options_for_all_is_told() -> None:
    (shot, _) = read_lines("--ratoi 9:16\na boat\na bridge")
    assert [problem.code for problem in shot.words.problems] == ["unknown_flag_near"]
