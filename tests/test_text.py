"""What the bot says: the same in every language, a phrase for every code, HTML that Telegram takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest

import bot
from bot.providers.volcengine import _WORDS as VOLCENGINE_WORDS
from bot.text import LANGUAGES, choose_language, has_phrase, phrases, plain, say

FOLDER = Path(bot.__file__).parent
ENGLISH = phrases("en")
KEYS = sorted(ENGLISH)

# The words that all providers share.
FAILURES = {
    *("photo_refused", "prompt_refused", "prompt_sensitive", "video_refused", "video_text_refused"),
    *("audio_refused", "photo_copyright", "video_copyright", "busy", "no_slot", "provider_fault", "expired"),
    *("not_found", "account", "submit_unknown", "too_large", "photo_gone", "cancelled"),
}
# Never a person's business: the call is made again.
NEVER_TOLD = {"unreachable"}
# Told by another phrase, since a task keeps no figures of a photo.
TOLD_OTHERWISE = {"photo_too_small", "photo_too_long"}
ERRORS = {"Unavailable", "Rejected", "AccountProblem", "OutcomeUnknown", "FetchError", "MediaError", "_Cut"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in FOLDER.rglob("*.py"):
        if "sandbox" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def first_words(names: set[str]) -> set[str]:
    """The texts that stand first in calls of these names, all over the bot."""
    found = set()
    for _, tree in trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and name_of(call) in names and call.args:
                found |= {
                    part.value
                    for part in ast.walk(call.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                }
    return found


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_with_the_same_values_in_them(language: str) -> None:
    assert set(phrases(language)) == set(ENGLISH)
    for key, template in phrases(language).items():
        assert fields(template) == fields(ENGLISH[key]), key


def test_every_code_that_ends_a_task_has_a_phrase_without_figures() -> None:
    codes = (
        FAILURES | first_words({*ERRORS, "Failed", "failed", "cancelled"}) | set(VOLCENGINE_WORDS.values())
    )
    codes -= NEVER_TOLD | TOLD_OTHERWISE
    assert {code for code in codes if not has_phrase(code)} == set()
    assert {code for code in codes if fields(ENGLISH[code])} == set()


def test_every_problem_and_every_phrase_asked_for_by_name_is_there() -> None:
    asked = {key for key in first_words({"Problem", "_answer"}) if key.isidentifier()}
    assert {key for key in asked if not has_phrase(key)} - {"limit_open", "limit_day", "no_"} == set()


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


class TelegramHtml(HTMLParser):
    """Tags that open and close as Telegram wants them."""

    allowed = frozenset({"b", "i", "u", "s", "code", "pre", "a"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_entityref(self, name: str) -> None:
        assert name in {"lt", "gt", "amp", "quot"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_html_that_telegram_takes(language: str) -> None:
    for key, template in phrases(language).items():
        values = dict.fromkeys(fields(template), "<b>& co")
        text = say(language, key, **values)
        parser = TelegramHtml()
        parser.feed(text)
        parser.close()
        assert parser.open == [], key
        assert not re.search(r"&(?!\w+;|#)", text), key
        assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_has_little_room_is_short(language: str) -> None:
    for key, template in phrases(language).items():
        if key.startswith("button_"):
            assert len(template) <= 40, key
            assert "<" not in template, "a button knows no HTML"
        if key.startswith("tap_") or key.startswith("limit_"):
            assert len(plain(template)) <= 180, "an answer to a tap has 200 characters"
        if key.startswith("command_"):
            assert 1 <= len(template) <= 256
        if key.endswith("placeholder"):
            assert 1 <= len(template) <= 64
        assert len(template) <= 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_ends_like_a_sentence_or_is_none(language: str) -> None:
    for key in (*FAILURES, *first_words({"Problem"})):
        if has_phrase(key):
            assert phrases(language)[key][-1] in ".?。？", key


def test_foreign_text_is_escaped_and_ours_is_not() -> None:
    said = say("en", "model_unknown", model="<b>&", choices="a & b")
    assert "&lt;b&gt;&amp;" in said
    assert "<code>" in say("en", "start")
    assert say("en", "model_unknown", model="{0} {x}", choices="").count("{0} {x}") == 1


def test_a_phrase_without_html_is_plain() -> None:
    assert plain("Try <code>/video a &amp; b</code> &lt;now&gt;") == "Try /video a & b <now>"


@pytest.mark.parametrize(
    ("code", "language"),
    [("en-GB", "en"), ("zh-hans", "zh"), ("ZH", "zh"), ("de", "zh"), ("", "zh"), (None, "zh")],
)
def test_people_are_spoken_to_in_their_language_or_the_operators(code: str | None, language: str) -> None:
    assert choose_language(code, "zh") == language


def test_a_language_that_we_do_not_speak_is_answered_in_english() -> None:
    assert say("xx", "tap_done") == say("en", "tap_done")
