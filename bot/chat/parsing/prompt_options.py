"""Prompt options: read what follows a command as a prompt and options. Pure."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from bot.integers import read_integer
from bot.request import CAMERAS, MOST_AT_ONCE, Mode, Problem, VideoModel
from bot.styles import Style, styles
from bot.text import LANGUAGES, plain, say

REFS = "refs"
_RATIOS = frozenset({"16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "3:2", "2:3"})
_RESOLUTIONS = frozenset({"480p", "720p", "1080p"})
_YES = frozenset({"on", "yes", "true", "1"})
_NO = frozenset({"off", "no", "false", "0"})
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs", "Mn", "Mc", "Me"})
"""Unicode's categories of controls, formats, spaces, and of marks that stand on a letter."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that are drawn as nothing: the Hangul fillers and the empty Braille pattern."""
_MARKS = r"\s,，、;；。"
"""What stands between options: spaces, or what people put between the parts of a list."""
# Phones turn two hyphens into one dash, Chinese keyboards into two or into wide ones; a dash, or one hyphen,
# begins an option only where a known one follows.
_FLAG = re.compile(
    rf"(?:(?<=[{_MARKS}])|^)(--|－－|[‐‑‒–—―−﹘﹣－⸺]{{1,2}}|-)([A-Za-z][\w-]*)(?:[=＝:：\s]|$)"
)
_LONGEST_NAME = 60
_LIST_MARKS = " ,，、;；"
_LAST_WORD = re.compile(rf"(?:^|[{_MARKS}])([^{_MARKS}]+)[{_MARKS}.]*$")
_UNITS = r"s|secs?|seconds?|segs?|segundos?|с|сек|секунд[аыу]?|秒[钟鐘]?"
_LAST_SECONDS = re.compile(rf"(?:^|[{_MARKS}])(\d{{1,2}})\s?({_UNITS})[{_MARKS}.]*$", re.IGNORECASE)
_SECONDS_VALUE = re.compile(rf"(\d+)\s*(?:{_UNITS})\.?(?=[{_MARKS}]|$)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(rf"\d+,\d+(?=[{_MARKS}]|$)")
_BEFORE_SECONDS = re.compile(r"(?:^|\s)(?:for|на|por|durante|de)$", re.IGNORECASE)
"""Words before a number of seconds, which mean nothing without it."""
_RATIO_UNMADE = re.compile(r"\d{1,2}(?:\.\d+)?:\d|16:10|9:21")
"""A ratio that no model makes: two digits after the colon are a time of day, except two of screens."""
_SCORE = re.compile(
    r"\b(?:scores?|w[io]ns?|lost|сч[её]т|marcador|resultado|placar)\b|比[分数數]", re.IGNORECASE
)
_SIZE = re.compile(r"(\d{2,4})[x×*](\d{2,4})")
_TIMES = "x×\u0445"
"""The last one is Cyrillic."""
_COUNT = re.compile(rf"[{_TIMES}]?(\d{{1,4}})[{_TIMES}]?")
_LAST_COUNT = re.compile(rf"[{_TIMES}]([2-{MOST_AT_ONCE}])")
"""As the last word. `X3` is a car, `2x` may be how far a camera zooms, `x1` says nothing."""
_FRAMES_PER_SECOND = 24
"""Volcengine's `frames` is 24 times the seconds and one."""
_SAME_SHAPE = 0.03


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """A prompt and the options found with it, in the words of VideoRequest."""

    prompt: str = ""
    options: dict[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_prompt(text: str) -> PromptOptions:
    """Read a prompt and its options: `a paper boat --ratio 9:16`, `a paper boat 9:16 10s`."""
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
    # An invisible prompt would be bought for nothing.
    seen = any(unicodedata.category(letter) not in _UNSEEN and letter not in _BLANK for letter in prompt)
    return PromptOptions(prompt.strip() if seen else "", {**bare, **options}, tuple(problems))


def flags_for(models: Sequence[VideoModel]) -> list[str]:
    """Return the flags that make a difference with at least one of these models."""

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
        "guidance": any(model.guidance for model in models),
        REFS: any(model.references for model in models),
        "style": True,
        "loop": any(Mode.FIRST_LAST in model.modes for model in models),
        "later": any(model.off_peak for model in models),
        "shots": any(model.several_shots for model in models),
        "count": True,
    }
    return [flag for flag in FLAGS if useful[flag]]


def _is_flag(mark: re.Match[str]) -> bool:
    if mark[1] in ("--", "－－"):
        return True
    name, known = mark[2].lower(), [*FLAGS, *(alias for alias in ALIASES if len(alias) > 3)]
    return name in known if mark[1] == "-" else bool(difflib.get_close_matches(name, known, cutoff=0.75))


def _read_flag(name: str, value: str, options: dict[str, object], problems: list[Problem]) -> str:
    """Put the flag's value into `options`; the words that are not part of it are returned."""
    name = name.replace("-", "_")
    if name in _OF_PHOTOS:
        problems.append(Problem("flag_photo", {"flag": name}))
        return re.sub(r"^\S+\s*", "", value)
    flag = ALIASES.get(name, name)
    if flag not in FLAGS:
        problems.append(_unknown(_short(name)))
        return ""
    key, read = FLAGS[flag]
    first, rest = [*re.split(rf"[{_MARKS}]+", value, maxsplit=1), "", ""][:2]
    if key == "negative_prompt":
        first, rest = _unquoted(value) if value[:1] in _QUOTES else (value, "")
    elif key == "seconds" and (written := _SECONDS_VALUE.match(value)):
        first, rest = written[1], value[written.end() :].lstrip(_LIST_MARKS)
    elif key == "camera" and (named := _camera_move(value)):
        first, rest = named
    elif read is _decimal and (written := _DECIMAL_COMMA.match(value)):
        first, rest = written[0], value[written.end() :].lstrip(_LIST_MARKS)
    elif read in (_switch, _references) and _plain(first) not in _YES | _NO:
        first, rest = "on", value
    try:
        if name == "size":
            options |= _size(first)
        else:
            options[key] = _seconds_of_frames(first) if name == "frames" else read(first)
    except ValueError:
        problems.append(Problem("flag_needs_value", {"flag": name, "example": EXAMPLES[flag]}))
    return rest.strip()


def _unknown(name: str) -> Problem:
    nearest = difflib.get_close_matches(name, [*FLAGS, *ALIASES], n=1, cutoff=0.4)
    if nearest:
        return Problem("unknown_flag_near", {"flag": name, "nearest": nearest[0]})
    return Problem("unknown_flag", {"flag": name, "choices": [f"--{flag}" for flag in FLAGS]})


def _take_bare_words(prompt: str) -> tuple[dict[str, object], str]:
    """Take options without flags from the end of a prompt, in any order: `9:16 10s 1080p`."""
    options: dict[str, object] = {}
    while found := _LAST_WORD.search(prompt):
        word = _plain(found[1]).rstrip(".")
        seconds = _LAST_SECONDS.search(prompt)
        if seconds and "seconds" not in options:
            options["seconds"] = int(seconds[1])
            found = seconds
        elif (word in _RATIOS or _is_unmade_ratio(word, prompt)) and "ratio" not in options:
            options["ratio"] = word
        elif word in _RESOLUTIONS and "resolution" not in options:
            options["resolution"] = word
        elif (count := _LAST_COUNT.fullmatch(_narrow(found[1]).rstrip("."))) and "count" not in options:
            options["count"] = int(count[1])
        else:
            break
        prompt = prompt[: found.start()].rstrip(_LIST_MARKS)
        if found is seconds:
            prompt = _BEFORE_SECONDS.sub("", prompt)
    return options, prompt


def _is_unmade_ratio(word: str, prompt: str) -> bool:
    return bool(_RATIO_UNMADE.fullmatch(word)) and not _SCORE.search(prompt)


def _plain(word: str) -> str:
    """Replace the full-width digits and signs of a phone's keyboard by plain ones, and capitals by small
    letters."""
    return _narrow(word).lower()


def _narrow(word: str) -> str:
    return unicodedata.normalize("NFKC", word)


def _text(value: str) -> str:
    if not value:
        raise ValueError
    return value


def _name(value: str) -> str:
    return _short(_text(_plain(value)))


def _short(word: str) -> str:
    """Return a word short enough to be quoted in an answer."""
    return word if len(word) <= _LONGEST_NAME else f"{word[:_LONGEST_NAME]}…"


def _whole(value: str) -> int:
    number = read_integer(re.sub(r"(s|sec|秒)$", "", _plain(value)))
    if number is None:
        raise ValueError
    return number


def _decimal(value: str) -> float:
    """Read `0.7`, `0,7` or `.7`."""
    plain = _plain(value).replace(",", ".")
    if not re.fullmatch(r"-?\d{0,4}(?:\.\d{1,6})?", plain) or not re.search(r"\d", plain):
        raise ValueError
    return float(plain)


def _seed(value: str) -> int | None:
    """Read a seed; None is any seed, which providers call -1."""
    number = None if _plain(value) == "random" else _whole(value)
    return None if number == -1 else number


def _count(value: str) -> int:
    """Read `3`, `x3`, `×3` or `3x`."""
    found = _COUNT.fullmatch(_plain(value))
    if found is None:
        raise ValueError
    return int(found[1])


def _seconds_of_frames(value: str) -> int:
    seconds, rest = divmod(_whole(value) - 1, _FRAMES_PER_SECOND)
    if rest or seconds < 1:
        raise ValueError
    return seconds


def _size(value: str) -> dict[str, object]:
    """Read `720P`, `1280x720` or `16:9`: providers call a resolution, a ratio or both a size."""
    plain = _plain(_text(value))
    if ":" in plain:
        return {"ratio": plain}
    if (sides := _SIZE.fullmatch(plain)) is None:
        return {"resolution": plain}
    across, down = int(sides[1]), int(sides[2])
    if not across or not down:
        raise ValueError
    lines = min(across, down)
    near = [name for name in sorted(_RESOLUTIONS) if abs(lines / int(name[:-1]) - 1) < _SAME_SHAPE]
    return {"ratio": _shape(across, down), "resolution": near[0] if near else f"{lines}p"}


def _shape(across: int, down: int) -> str:
    """Return the ratio that two sides stand for: encoders round them to multiples of eight or sixteen."""
    for ratio in sorted(_RATIOS):
        first, second = map(int, ratio.split(":"))
        if abs(across * second / (down * first) - 1) < _SAME_SHAPE:
            return ratio
    most = math.gcd(across, down)
    return f"{across // most}:{down // most}"


def _style(value: str) -> Style | None:
    """Return the style of this name. Raises ValueError if there is none."""
    name = _plain(value)
    if name in _NO | {"none"}:
        return None
    if name not in styles():
        raise ValueError(name)
    return styles()[name]


@cache
def _camera_names() -> dict[str, str]:
    """Return the camera moves by what people call them in any language, the longest names first."""
    names = {_as_name(camera): camera for camera in CAMERAS}
    for language in LANGUAGES:
        shown = ((plain(say(language, f"camera_move_{camera}")), camera) for camera in CAMERAS)
        names |= {_as_name(name): camera for name, camera in shown}
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


def _camera_move(value: str) -> tuple[str, str] | None:
    """Return the camera move with whose name a value begins, in quotes or not, and what follows it."""
    quoted = value[:1] in _QUOTES
    asked, rest = _unquoted(value) if quoted else (value, "")
    text = _as_name(asked)
    name = next((one for one in _camera_names() if re.match(rf"{re.escape(one)}(?!\w)", text)), None)
    if name is None or len(text) != len(asked):
        return None
    return _camera_names()[name], rest if quoted else asked[len(name) :].lstrip(_LIST_MARKS)


def _as_name(text: str) -> str:
    return re.sub(r"[\s_-]", " ", text.lower())


def _switch(value: str) -> bool:
    return _plain(value) in _YES


def _references(value: str) -> str:
    return "references" if _switch(value) else "frames"


_QUOTES = {'"': '"', "“": "”", "'": "'", "«": "»", "「": "」"}


def _unquoted(value: str) -> tuple[str, str]:
    end = value.find(_QUOTES[value[0]], 1)
    return (value[1:end], value[end + 1 :]) if end > 0 else (value[1:], "")


FLAGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "model": ("model", _name),
    "ratio": ("ratio", _name),
    "seconds": ("seconds", _whole),
    "resolution": ("resolution", _name),
    "seed": ("seed", _seed),
    "camera": ("camera", _name),
    "strength": ("strength", _name),
    "negative": ("negative_prompt", _text),
    "audio": ("audio", _switch),
    "people": ("people", _name),
    "enhance": ("enhance", _switch),
    "guidance": ("guidance", _decimal),
    REFS: ("photos_as", _references),
    "style": ("style", _style),
    "loop": ("loop", _switch),
    "later": ("off_peak", _switch),
    "shots": ("several_shots", _switch),
    "count": ("count", _count),
}
ALIASES = {
    "duration": "seconds",
    "duration_seconds": "seconds",
    "frames": "seconds",
    "aspect_ratio": "ratio",
    "ar": "ratio",
    "size": "resolution",
    "template_id": "camera",
    "camera_strength": "strength",
    "negative_prompt": "negative",
    "generate_audio": "audio",
    "with_audio": "audio",
    "person_generation": "people",
    "enhance_prompt": "enhance",
    "cfg_scale": "guidance",
    "guidance_scale": "guidance",
    "references": REFS,
    "reference_images": REFS,
    "off_peak": "later",
    "several_shots": "shots",
    "sample_count": "count",
    "n": "count",
}
"""What the documents of the providers call our options; a hyphen in them is as good as an underscore."""
_OF_PHOTOS = frozenset(
    {"image", "images", "image_url", "image_urls", "image_tail", "first_frame", "last_frame"}
)
EXAMPLES = {
    "model": "--model preview",
    "ratio": "--ratio 9:16",
    "seconds": "--seconds 10",
    "resolution": "--resolution 1080p",
    "seed": "--seed 7",
    "camera": "--camera crane",
    "strength": "--strength medium",
    "negative": "--negative blur",
    "audio": "--audio on",
    "people": "--people allow_adult",
    "enhance": "--enhance off",
    "guidance": "--guidance 0.7",
    REFS: "--refs",
    "style": "--style clay",
    "loop": "--loop",
    "later": "--later",
    "shots": "--shots",
    "count": "--count 3",
}
