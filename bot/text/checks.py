"""Check phrases: each must fit every place in which the bot uses it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from string import Formatter
from typing import TypeGuard

from bot.text.languages import small_counts
from bot.text.markup import markup_problems, plain, units

Phrase = str | dict[str, str]
"""A template, or one for each plural form; the value `count` chooses."""

_VALUE_ROOM = 16
"""Room for a value, in UTF-16 units: a model's name, a price, a time."""
_LIMITS = (
    # https://core.telegram.org/bots/api: answerCallbackQuery, BotCommand, ForceReply, sendMessage
    (re.compile(r"(button|option|camera_move)_.*"), 40),  # more is cut off on a phone
    (re.compile(r".*_placeholder"), 64),
    (re.compile(r"(press|limit)_.*"), 200),
    (re.compile(r"command_.*"), 256),
    (
        re.compile(r"start|(help|privacy)(_.*)?"),
        3500,
    ),  # of the 4096 of a message; the rest is for long values
)
_CARD_LIMIT = 400
"""For all others: a card may be a caption, with 1024 for the prompt, facts and a second phrase too."""
_WITHOUT_HTML = re.compile(r"button_.*|.*_placeholder")
"""Used in places in which Telegram reads no HTML."""


def problems_of(
    language: str, phrases: Mapping[str, object], reference: Mapping[str, Phrase], *, partial: bool = False
) -> list[str]:
    """Return what is wrong with a language's phrases, each problem with its key first; empty if nothing is.

    `reference` has every key with the values that the bot fills in. `partial`: for an operator's own phrases,
    which may leave out keys and values.
    """
    missing = [] if partial else [f"{key} is missing" for key in reference if key not in phrases]
    return missing + [
        f"{key} {problem}"
        for key, phrase in phrases.items()
        for problem in _problems(language, key, phrase, reference, partial)
    ]


def is_phrase(value: object) -> TypeGuard[Phrase]:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(text, str) for text in value.values())
    return isinstance(value, str)


def values_in(phrase: Phrase) -> set[str]:
    """Return the names between braces. Raises ValueError for unbalanced braces."""
    texts = phrase.values() if isinstance(phrase, dict) else [phrase]
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


def _problems(
    language: str, key: str, phrase: object, reference: Mapping[str, Phrase], partial: bool
) -> Iterator[str]:
    if key not in reference:
        yield from _unknown(key, reference)
        return
    if not is_phrase(phrase):
        yield "is neither a text nor a table of plural forms"
        return
    filled_in = values_in(reference[key])
    is_counted = isinstance(reference[key], dict) or "count" in filled_in
    known = filled_in | {"count"} if is_counted else filled_in
    wanted = set[str]() if partial else filled_in
    if isinstance(phrase, str):
        yield from _template_problems(key, phrase, known, wanted)
        return
    if not is_counted:
        yield "has plural forms, but nothing is counted there"
    yield from _form_problems(language, phrase)
    for form, template in phrase.items():
        # A form for a single number may leave it out: "the video". Russian's `one` is for 21 too.
        is_one_number = len(small_counts(language).get(form, ())) == 1
        named = wanted - {"count"} if is_one_number else wanted
        for problem in _template_problems(key, template, known, named):
            yield f"({form}) {problem}"


def _unknown(key: str, reference: Mapping[str, Phrase]) -> Iterator[str]:
    near = get_close_matches(key, reference, n=1)
    yield "is no phrase of this bot" + (f"; perhaps {near[0]} is meant" if near else "")


def _form_problems(language: str, phrase: Mapping[str, str]) -> Iterator[str]:
    needed = small_counts(language)
    yield from (f"lacks the form {form}" for form in needed if form not in phrase)
    # The `many` of Spanish and Portuguese is for millions. It is optional: `other` serves without it.
    unknown = [form for form in phrase if form not in {*needed, "many"}]
    yield from (f"has the form {form}, which this language does not count with" for form in unknown)


def _template_problems(key: str, template: str, known: set[str], wanted: set[str]) -> Iterator[str]:
    try:
        fields = [field for field in Formatter().parse(template) if field[1] is not None]
    except ValueError:
        yield "has a brace without its other half: write {{ or }} for one that is meant"
        return
    names = {name for _, name, _, _ in fields if name is not None}
    if any(spec or conversion for _, _, spec, conversion in fields):
        yield "has more than a name between braces"
    for name in sorted(names - known):
        may = ", ".join(f"{{{one}}}" for one in sorted(known)) or "none"
        yield f"has {{{name}}}, which is not filled in there; what is: {may}"
    yield from (f"lacks {{{name}}}" for name in sorted(wanted - names))
    yield from markup_problems(template)
    yield from _length_problems(key, template)


def _length_problems(key: str, template: str) -> Iterator[str]:
    if _WITHOUT_HTML.fullmatch(key) and plain(template) != template:
        yield "has HTML where Telegram reads none"
    parts = list(Formatter().parse(template))
    text = "".join(part for part, _, _, _ in parts)
    if not text.strip() and not any(name for _, name, _, _ in parts):
        yield "is empty"
    length = units(text) + sum(_VALUE_ROOM for _, name, _, _ in parts if name is not None)
    limit = next((limit for keys, limit in _LIMITS if keys.fullmatch(key)), _CARD_LIMIT)
    if length > limit:
        yield f"is {length} characters long, values included; at most {limit} fit"
