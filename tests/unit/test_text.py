"""What the bot says: the same in every language, and a phrase for all that may have to be said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

import bot
from bot.codes import FailureCode
from bot.draft import COLLECTS, DraftQuestion
from bot.providers.wire.jimeng import REFUSALS
from bot.text import LANGUAGES, has_phrase, phrases, plain, say, say_duration
from bot.text.checks import problems_of, values_in
from bot.text.languages import FOLDER as LANGUAGE_FILES
from bot.text.phrasebook import read_phrases, shipped

FOLDER = Path(bot.__file__).parent
ENGLISH = phrases("en")
KEYS = sorted(ENGLISH)

ENUMS: dict[str, type[StrEnum]] = {"FailureCode": FailureCode, "DraftQuestion": DraftQuestion}
# Never a person's business: the call is made again.
NEVER_TOLD = {"unreachable"}
# Told by another phrase, since a task keeps no figures of a photo.
TOLD_OTHERWISE = {"photo_too_small", "photo_too_long"}
# Of keys that are put together, such as no_camera_at_resolution.
BEGINNINGS_AND_ENDS = {"limit_open", "limit_day", "no_", "_at_resolution", "_of_seconds", "_choice"}
ERRORS = {"Unavailable", "Rejected", "AccountProblem", "OutcomeUnknown", "FetchError", "MediaError", "_Cut"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in FOLDER.rglob("*.py"):
        if not {"sandbox", "web"} & set(path.parts):  # neither says anything to people in a chat
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def first_words(names: set[str]) -> set[str]:
    """The texts that stand first in calls of these names, all over the bot."""
    found = set()
    for _, tree in trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and name_of(call) in names and call.args:
                found |= texts(call.args[0])
    return found


def texts(tree: ast.AST) -> set[str]:
    """The texts in an expression; not what is looked up in a foreign answer: `answer.get("error")`."""
    if isinstance(tree, ast.Call) and name_of(tree) == "get":
        return set()
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return {tree.value}
    if isinstance(tree, ast.Attribute) and (enum := ENUMS.get(getattr(tree.value, "id", ""))):
        return {enum[tree.attr].value}
    return set[str]().union(*(texts(part) for part in ast.iter_child_nodes(tree)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_as_telegram_takes_it(language: str) -> None:
    assert problems_of(language, read_phrases(LANGUAGE_FILES / f"{language}.toml"), shipped("en")) == []


def test_every_code_that_ends_a_task_has_a_phrase_without_figures() -> None:
    codes = first_words({*ERRORS, "Failed", "failed", "cancelled"}) | set(FailureCode)
    codes -= NEVER_TOLD | TOLD_OTHERWISE
    assert {code for code in codes if not has_phrase(code)} == set()
    assert {code for code in codes if values_in(ENGLISH[code])} == set()


def test_every_code_that_a_task_fails_with_is_a_failure_code() -> None:
    failing = {"Unavailable", "Rejected", "AccountProblem", "OutcomeUnknown", "FetchError", "_Cut"}
    codes = first_words({*failing, "Failed", "failed"}) | set(REFUSALS.values())
    assert codes <= set(FailureCode)


def test_every_question_that_a_card_asks_has_a_phrase() -> None:
    assert {question for question in set(DraftQuestion) - COLLECTS if not has_phrase(question)} == set()


def test_every_problem_and_every_phrase_asked_for_by_name_is_there() -> None:
    asked = {key for key in first_words({"Problem", "Reply", "_answer"}) if key.isidentifier()}
    assert {key for key in asked if not has_phrase(key)} - BEGINNINGS_AND_ENDS == set()


def test_no_phrase_is_there_that_nobody_says() -> None:
    texts: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w*"
                    for part in node.values
                ]
                if any(len(part) > 2 and part != r"\w*" for part in parts):
                    patterns.append(re.compile("".join(parts)))
    unsaid = {key for key in KEYS if key not in texts and not any(one.fullmatch(key) for one in patterns)}
    assert unsaid == set()


def test_every_phrase_is_said_with_the_values_that_it_has() -> None:
    book = shipped("en")
    said = 0
    for path, tree in trees():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or name_of(call) != "say" or len(call.args) != 2:
                continue
            given = {word.arg for word in call.keywords}
            keys = [book[key] for key in texts(call.args[1]) if key in book]
            if None not in given:  # what is handed on by ** is known at its source only
                said += len(keys)
                for phrase in keys:
                    values = values_in(phrase) | ({"count"} if isinstance(phrase, dict) else set())
                    assert values <= given, f"{path.name}, line {call.lineno}: {phrase}"
    assert said > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_ends_like_a_sentence_or_is_none(language: str) -> None:
    for key in (*FailureCode, *first_words({"Problem", "Reply"})):
        if has_phrase(key):
            assert phrases(language)[key][-1] in ".?。？", key


def test_a_language_that_we_do_not_speak_is_answered_in_english() -> None:
    assert say("xx", "press_done") == say("en", "press_done")


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (100, "1 min 40 s"),
        (599.4, "9 min 59 s"),
        (599.6, "10 min"),
        (629, "10 min"),
        (631, "11 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "25 h"),
    ],
)
def test_a_duration_is_as_exact_as_people_need_it(duration_s: float, said: str) -> None:
    assert say_duration("en", duration_s) == said
    assert plain(say_duration("zh", duration_s))
