"""What somebody typed after a command, read as a prompt and options. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.integers import read_integer
from bot.request import Mode, Problem, VideoModel

_RATIOS = frozenset({"16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "3:2", "2:3"})
_RESOLUTIONS = frozenset({"480p", "720p", "1080p"})
_YES = frozenset({"on", "yes", "true", "1"})
_NO = frozenset({"off", "no", "false", "0"})
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Unicode's categories of controls, formats and spaces."""
_MARKS = r"\s,，、;；。"
"""What stands between options: spaces, or what people put between the parts of a list."""
# Phones turn two hyphens into one dash, Chinese keyboards into two or into wide ones; a dash begins an option
# only where a known one follows.
_FLAG = re.compile(rf"(?:(?<=[{_MARKS}])|^)(--|－－|[‐‑‒–—―−﹘﹣－⸺]{{1,2}})([A-Za-z][\w-]*)(?:[=＝:：\s]|$)")
_LONGEST_NAME = 60
_LIST_MARKS = " ,，、;；"
_LAST_WORD = re.compile(rf"(?:^|[{_MARKS}])([^{_MARKS}]+)[{_MARKS}.]*$")
_SECONDS = re.compile(r"(\d{1,2})(?:s|secs?|seconds?|seg|с|сек|秒|秒钟|秒鐘)")


@dataclass(frozen=True, slots=True)
class Words:
    """A prompt and the options found with it, in the words of VideoRequest."""

    prompt: str = ""
    options: dict[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_words(text: str) -> Words:
    """`a paper boat --ratio 9:16`, `a paper boat 9:16 10s`: options stand after the prompt."""
    marks = [mark for mark in _FLAG.finditer(text) if _is_flag(mark)]
    prompt = text[: marks[0].start()] if marks else text
    options: dict[str, object] = {}
    problems: list[Problem] = []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        value = text[mark.end() : end].strip()
        left_over = _read_flag(mark[2].lower(), value, options, problems)
        # Words between a flag's value and the next flag belong to the prompt.
        prompt = f"{prompt.rstrip()} {left_over}" if left_over else prompt
    bare, prompt = _take_bare_words(prompt)
    # Zero-width marks are no words: a prompt that nobody can see would be bought for nothing.
    seen = any(unicodedata.category(letter) not in _UNSEEN for letter in prompt)
    return Words(prompt.strip() if seen else "", {**bare, **options}, tuple(problems))


def flags_for(models: Sequence[VideoModel]) -> list[str]:
    """The flags that make a difference with at least one of these models."""

    def any_offers(more_than_one: Callable[[VideoModel], Sequence[object]]) -> bool:
        return any(len(more_than_one(model)) > 1 for model in models)

    useful = {
        "model": len(models) > 1,
        "ratio": any_offers(lambda model: model.ratios),
        "seconds": any_offers(lambda model: model.seconds),
        "resolution": any_offers(lambda model: model.resolutions),
        "seed": any(model.seed_max is not None for model in models),
        "camera": any(Mode.CAMERA in model.modes for model in models),
        "strength": any(Mode.CAMERA in model.modes and not model.free for model in models),
        "negative": any(model.negative_prompt for model in models),
        "audio": any(model.audio for model in models),
        "people": any(model.people for model in models),
        "enhance": any(model.enhance for model in models),
    }
    return [flag for flag in FLAGS if useful[flag]]


def _is_flag(mark: re.Match[str]) -> bool:
    return mark[1] in ("--", "－－") or bool(difflib.get_close_matches(mark[2].lower(), FLAGS, cutoff=0.75))


def _read_flag(name: str, value: str, options: dict[str, object], problems: list[Problem]) -> str:
    """Put the flag's value into `options`; the words that are not part of it are returned."""
    if name not in FLAGS:
        name = _short(name)
        nearest = difflib.get_close_matches(name, FLAGS, n=1, cutoff=0.4)
        if nearest:
            problems.append(Problem("unknown_flag_near", {"flag": name, "nearest": nearest[0]}))
        else:
            problems.append(
                Problem("unknown_flag", {"flag": name, "choices": [f"--{flag}" for flag in FLAGS]})
            )
        return ""
    key, read = FLAGS[name]
    first, rest = [*re.split(rf"[{_MARKS}]+", value, maxsplit=1), "", ""][:2]
    if key == "negative_prompt":
        first, rest = _unquoted(value) if value[:1] in _QUOTES else (value, "")
    elif read is _switch and _plain(first) not in _YES | _NO:
        first, rest = "on", value
    try:
        options[key] = read(first)
    except ValueError:
        problems.append(Problem("flag_needs_value", {"flag": name, "example": EXAMPLES[name]}))
    return rest.strip()


def _take_bare_words(prompt: str) -> tuple[dict[str, object], str]:
    """`9:16 10s 1080p` at the end of a prompt, in any order."""
    options: dict[str, object] = {}
    while found := _LAST_WORD.search(prompt):
        word = _plain(found[1]).rstrip(".")
        if word in _RATIOS and "ratio" not in options:
            options["ratio"] = word
        elif word in _RESOLUTIONS and "resolution" not in options:
            options["resolution"] = word
        elif (seconds := _SECONDS.fullmatch(word)) and "seconds" not in options:
            options["seconds"] = int(seconds[1])
        else:
            break
        prompt = prompt[: found.start()].rstrip(_LIST_MARKS)
    return options, prompt


def _plain(word: str) -> str:
    """Full-width digits and signs as a phone's keyboard has them, made plain."""
    return unicodedata.normalize("NFKC", word).lower()


def _text(value: str) -> str:
    if not value:
        raise ValueError
    return value


def _name(value: str) -> str:
    return _short(_text(_plain(value)))


def _short(word: str) -> str:
    """A word that an answer may quote; what is cut is no name of anything."""
    return word if len(word) <= _LONGEST_NAME else f"{word[:_LONGEST_NAME]}…"


def _whole(value: str) -> int:
    number = read_integer(re.sub(r"(s|sec|秒)$", "", _plain(value)))
    if number is None:
        raise ValueError
    return number


def _switch(value: str) -> bool:
    return _plain(value) in _YES


_QUOTES = {'"': '"', "“": "”", "'": "'", "«": "»", "「": "」"}


def _unquoted(value: str) -> tuple[str, str]:
    end = value.find(_QUOTES[value[0]], 1)
    return (value[1:end], value[end + 1 :]) if end > 0 else (value[1:], "")


FLAGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "model": ("model", _name),
    "ratio": ("ratio", _name),
    "seconds": ("seconds", _whole),
    "resolution": ("resolution", _name),
    "seed": ("seed", _whole),
    "camera": ("camera", _name),
    "strength": ("strength", _name),
    "negative": ("negative_prompt", _text),
    "audio": ("audio", _switch),
    "people": ("people", _name),
    "enhance": ("enhance", _switch),
}
EXAMPLES = {
    "model": "--model preview",
    "ratio": "--ratio 9:16",
    "seconds": "--seconds 10",
    "resolution": "--resolution 1080p",
    "seed": "--seed 7",
    "camera": "--camera robo_arm",
    "strength": "--strength medium",
    "negative": "--negative blur",
    "audio": "--audio on",
    "people": "--people allow_adult",
    "enhance": "--enhance off",
}
