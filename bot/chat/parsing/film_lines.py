"""The lines of a film: one a shot, each with its own options; a line of options alone is about all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.chat.parsing.prompt_options import PromptOptions, read_prompt

_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)、](?!\d)|[-–—•*·](?=\s))\s*(?=\S)")
"""How people count lines."""
CUT = "cut"
"""The flag of a shot that does not begin with the last frame of the one before."""
_CUT = re.compile(rf"(?:^|\s)(?:--|－－|[—–]){CUT}(?=\s|$)", re.IGNORECASE)
"""Phones make a dash of two hyphens."""


@dataclass(frozen=True, slots=True)
class ShotPrompt:
    words: PromptOptions
    is_cut: bool = False
    """It does not begin with the last frame of the shot before."""


def read_lines(text: str) -> list[ShotPrompt]:
    """Return the shots that a text asks for."""
    lines = [read_line(line) for line in text.splitlines() if line.strip()]
    shared = [line for line in lines if not line.words.prompt]
    shots = [line for line in lines if line not in shared]
    return [_with_shared(shot, shared) for shot in shots]


def read_line(line: str) -> ShotPrompt:
    """Return what one line asks for."""
    plain, cuts = _CUT.subn("", _NUMBER.sub("", line))
    return ShotPrompt(read_prompt(plain.strip()), is_cut=bool(cuts))


def _with_shared(shot: ShotPrompt, shared: list[ShotPrompt]) -> ShotPrompt:
    options: dict[str, object] = {}
    for one in shared:
        options |= one.words.options
    problems = [problem for one in shared for problem in one.words.problems]
    words = replace(
        shot.words,
        options={**options, **shot.words.options},
        problems=(*problems, *shot.words.problems),
    )
    return ShotPrompt(words, is_cut=shot.is_cut or any(one.is_cut for one in shared))
