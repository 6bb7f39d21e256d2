"""The checker of phrases: it finds what Telegram would refuse, and what would be said wrongly."""

from __future__ import annotations

import pytest

from bot.text.checks import Phrase, problems_of, values_in
from bot.text.markup import markup_problems, plain, units

REFERENCE: dict[str, Phrase] = {
    "welcome": "Hello {name}",
    "left": {"one": "{count} video, {name}", "other": "{count} videos, {name}"},
    "done": {"one": "Your video", "other": "Your videos"},
    "counted": "{count} s",
    "button_go": "Go",
    "option_on": "on",
    "camera_move_none": "none",
    "press_done": "Done.",
    "limit_day": "No more.",
    "command_video": "Make a video",
    "ask_placeholder": "a boat",
    "card_queued": "Waiting",
    "help": "Help",
    "privacy": "Little",
}


def problems(key: str, phrase: object, language: str = "en", *, partial: bool = False) -> list[str]:
    return problems_of(language, {key: phrase}, {key: REFERENCE[key]}, partial=partial)


def test_the_reference_itself_is_right() -> None:
    assert problems_of("en", REFERENCE, REFERENCE) == []


def test_a_key_that_is_missing_or_unknown_is_told() -> None:
    assert problems_of("en", {"welcom": "Hello"}, {"welcome": "Hello"}) == [
        "welcome is missing",
        "welcom is no phrase of this bot; perhaps welcome is meant",
    ]
    assert problems_of("en", {"xyz": "Hello"}, {"welcome": "Hello"}, partial=True) == [
        "xyz is no phrase of this bot"
    ]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("Hello", ["welcome lacks {name}"]),
        (
            "{nam}",
            ["welcome has {nam}, which is not filled in there; what is: {name}", "welcome lacks {name}"],
        ),
        ("{name.__class__}", ["has {name.__class__}, which", "lacks {name}"]),
        ("{name[0]}", ["has {name[0]}, which", "lacks {name}"]),
        ("{}{name}", ["has {}, which"]),
        ("{name!r}", ["more than a name between braces"]),
        ("{name:100000000}", ["more than a name between braces"]),
        ("Hello {name", ["a brace without its other half"]),
        ("Hello } {name}", ["a brace without its other half"]),
        ("Hello {{you}} {name}", []),
    ],
)
def test_values_are_those_that_are_filled_in(template: str, told: list[str]) -> None:
    found = problems("welcome", template)
    assert len(found) == len(told)
    assert all(part in problem for part, problem in zip(told, found, strict=True))


def test_an_operators_phrase_may_leave_a_value_out_but_not_invent_one() -> None:
    assert problems("welcome", "Hello", partial=True) == []
    assert problems("welcome", "{you}", partial=True) != []
    assert problems_of("en", {}, REFERENCE, partial=True) == []


@pytest.mark.parametrize("value", [1, True, ["a"], {}, {"one": 1, "other": "x"}, {"one": {"a": "b"}}])
def test_a_phrase_is_a_text_or_a_table_of_texts(value: object) -> None:
    assert problems("welcome", value) == ["welcome is neither a text nor a table of plural forms"]


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<b>a</b> <i>b <u>c</u></i> <s>d</s> <code>e</code> <pre>f</pre>", []),
        ("<tg-spoiler>a</tg-spoiler> <blockquote expandable>b</blockquote> &lt;&amp;&#33;&#x21;", []),
        ('<a href="https://example.org/?a=1">a</a> <a href="tg://user?id=1">b</a>', []),
        ('<a href="{name}">a</a>', []),
        ("a < b", ["has a < or > that is no tag: write &lt; or &gt;"]),
        ("a -> b", ["has a < or > that is no tag: write &lt; or &gt;"]),
        ("I <3 you", ["has a < or > that is no tag: write &lt; or &gt;"]),
        ("<B>a</B>", ["has a < or > that is no tag: write &lt; or &gt;"]),
        ("Q & A", ["has a & by itself: write &amp;"]),
        ("&nbsp;", ["has a & by itself: write &amp;"]),
        ("<b>a", ["never closes <b>"]),
        ("a</b>", ["closes <b> where that is not the last one open"]),
        ("<b><i>a</b></i>", ["closes <b> where", "closes <b>", "never closes <b>"]),
        ("<br>", ["has the tag <br>, which Telegram does not take"]),
        ('<b class="x">a</b>', ["has the tag", "closes <b>"]),
        ('<a href="javascript:x">a</a>', ["has the tag", "closes <a>"]),
        ("<a>a</a>", ["has the tag <a>", "closes <a>"]),
        ("<p/>", ["has the tag <p/>"]),
    ],
)
def test_html_that_telegram_would_refuse_is_told(html: str, told: list[str]) -> None:
    found = markup_problems(html)
    assert bool(found) == bool(told)
    assert not told or told[0] in found[0]
    assert [f"welcome {problem}" for problem in found] == problems("welcome", html, partial=True)


@pytest.mark.parametrize(
    ("key", "most"),
    [
        *(("button_go", 40), ("option_on", 40), ("camera_move_none", 40), ("ask_placeholder", 64)),
        *(
            ("press_done", 200),
            ("limit_day", 200),
            ("command_video", 256),
            ("card_queued", 400),
            ("help", 3500),
            ("privacy", 3500),
        ),
    ],
)
def test_a_phrase_is_no_longer_than_its_place(key: str, most: int) -> None:
    assert problems(key, "a" * most) == []
    (problem,) = problems(key, "a" * (most + 1))
    assert problem == f"{key} is {most + 1} characters long, values included; at most {most} fit"
    assert problems(key, "🚤" * (most // 2)) == []
    assert problems(key, "🚤" * (most // 2 + 1)) != [], "an emoji is two units for Telegram"


def test_length_is_counted_without_html_and_with_room_for_values() -> None:
    assert units("<b>a</b>&lt;🚤") == 4
    reference: dict[str, Phrase] = {"button_x": "{m}"}
    assert problems_of("en", {"button_x": "a" * 24 + "{m}"}, reference) == []
    assert problems_of("en", {"button_x": "a" * 25 + "{m}"}, reference) != []


@pytest.mark.parametrize("key", ["button_go", "ask_placeholder"])
@pytest.mark.parametrize("text", ["<b>Go</b>", "Q &amp; A"])
def test_no_html_stands_where_telegram_reads_none(key: str, text: str) -> None:
    assert problems(key, text) == [f"{key} has HTML where Telegram reads none"]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_to_say_is_told(text: str) -> None:
    assert problems("help", text) == ["help is empty"]


def test_plural_forms_are_all_there_and_no_others() -> None:
    both = "{count} {name}"
    assert problems("left", {"other": both}) == ["left lacks the form one"]
    assert problems("left", {"one": both}) == ["left lacks the form other"]
    assert problems("left", {"one": both, "other": both, "two": both}) == [
        "left has the form two, which this language does not count with"
    ]
    assert problems("left", {"other": both}, "zh") == []
    assert problems("left", {"one": both, "many": both, "other": both}, "es") == [], "for millions"
    assert problems("left", both, "zh") == [], "a language that needs no forms writes a text"


def test_a_form_for_one_number_alone_need_not_say_it() -> None:
    assert problems("left", {"one": "a video, {name}", "other": "{count} {name}"}) == []
    assert problems("left", {"one": "a video", "other": "videos, {name}"}) == [
        "left (one) lacks {name}",
        "left (other) lacks {count}",
    ]


def test_a_form_for_many_numbers_says_which() -> None:
    forms = dict.fromkeys(("one", "few", "many", "other"), "{count} {name}")
    assert problems("left", forms, "ru") == []
    assert problems("left", {**forms, "one": "{name}"}, "ru") == ["left (one) lacks {count}"]
    assert problems("left", {**forms, "one": "{name}"}, "pt")[-1] == "left (one) lacks {count}", "0 too"
    del forms["few"]
    assert problems("left", forms, "ru") == ["left lacks the form few"]


def test_forms_stand_only_where_something_is_counted() -> None:
    assert problems("counted", {"one": "a second", "other": "{count} s"}) == []
    assert problems("done", {"one": "Your video", "other": "Your {count} videos"}) == []
    assert problems("done", "Your videos") == []
    assert problems("help", {"one": "a", "other": "b"}) == [
        "help has plural forms, but nothing is counted there"
    ]


def test_the_problems_of_a_form_name_it() -> None:
    assert problems("left", {"one": "<b>{name}", "other": "{count} {name}"}) == [
        "left (one) never closes <b>"
    ]


def test_the_values_of_a_phrase_are_those_of_all_its_forms() -> None:
    assert values_in(REFERENCE["left"]) == {"count", "name"}
    assert values_in("nothing {{here}}") == set()


def test_a_phrase_without_html_is_plain() -> None:
    assert plain("Try <code>/video a &amp; b</code> &lt;now&gt;") == "Try /video a & b <now>"
