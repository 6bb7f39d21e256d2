"""Formatted texts are read as Telegram reads them, with offsets in UTF-16 units."""

from __future__ import annotations

import pytest

from bot.sandbox import ApiError, Json
from bot.sandbox.entities import formatted, parse_html


def _marks(entities: list[Json], text: str) -> list[tuple[str, str]]:
    raw = text.encode("utf-16-le")
    return [
        (
            entity["type"],
            raw[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le"),
        )
        for entity in entities
    ]


def test_offsets_are_counted_in_utf16_units() -> None:
    read = formatted("🎬🎬 <b>晨</b> <i>x</i>", parse_mode="HTML")
    assert read.text == "🎬🎬 晨 x"
    assert read.entities == [
        {"type": "bold", "offset": 5, "length": 1},
        {"type": "italic", "offset": 7, "length": 1},
    ]


@pytest.mark.parametrize(
    ("html", "text", "marks"),
    [
        ("<b>bold <i>both</i></b>", "bold both", [("bold", "bold both"), ("italic", "both")]),
        ("<u>u</u><s>s</s>", "us", [("underline", "u"), ("strikethrough", "s")]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", "x")]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", "x")]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", "q")]),
        ("<code>/video</code>", "/video", [("code", "/video")]),
        ("1 &lt; 2 &amp; &quot;x&quot; &nbsp;", '1 < 2 & "x" &nbsp;', []),
        ("<b></b>x", "x", []),
    ],
)
def test_html_becomes_plain_text_and_entities(html: str, text: str, marks: list[tuple[str, str]]) -> None:
    read = formatted(html, parse_mode="HTML")
    assert read.text == text
    assert _marks(read.entities, text) == marks


def test_a_closing_tag_is_no_command() -> None:
    assert _marks(formatted("/video <b>a kite</b> (/help)").entities, "/video <b>a kite</b> (/help)") == [
        ("bot_command", "/video"),
        ("bot_command", "/help"),
    ]


def test_links_and_code_blocks_keep_what_they_say() -> None:
    read = parse_html('<a href="https://example.org/?a=1&amp;b=2">here</a>')
    assert read.entities[0]["url"] == "https://example.org/?a=1&b=2"
    person = parse_html('<a href="tg://user?id=7">Ada</a>')
    assert person.entities[0]["type"] == "text_mention"
    assert person.entities[0]["user"]["id"] == 7
    block = parse_html('<pre><code class="language-python">x = 1</code></pre>')
    assert block.entities == [{"type": "pre", "offset": 0, "length": 5, "language": "python"}]


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<foo>x</foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<span>x</span>", 'Unsupported start tag "span" at byte offset 0'),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(html: str, problem: str) -> None:
    with pytest.raises(ApiError) as refused:
        formatted(html, parse_mode="HTML")
    assert refused.value.description == f"Bad Request: can't parse entities: {problem}"


def test_spaces_at_the_ends_are_cut_and_entities_move_along() -> None:
    read = formatted("  <b> x </b>  ", parse_mode="HTML")
    assert (read.text, read.entities) == ("x", [{"type": "bold", "offset": 0, "length": 1}])


def test_commands_mentions_and_links_are_marked_in_any_text() -> None:
    text = "/video@dreamreel_bot a cat, see https://example.org/x. and @ada or 1/2 me@home.org"
    assert _marks(formatted(text).entities, text) == [
        ("bot_command", "/video@dreamreel_bot"),
        ("url", "https://example.org/x"),
        ("mention", "@ada"),
    ]
